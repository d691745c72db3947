//! librdkafka as a guest of the fake, in every run. `cargo xtask guests` lets others in.

use downpour_fake::{FakeCluster, KafkaVersion};
use foreign_reader::{read_topic, write_topic};

#[test]
fn librdkafka_sends_to_every_kafka_that_the_fake_plays() {
    for kafka in [
        KafkaVersion::V2_1,
        KafkaVersion::V2_8,
        KafkaVersion::V3_9,
        KafkaVersion::V4_3,
    ] {
        let fake = FakeCluster::builder().kafka(kafka).start().unwrap();
        let bootstrap = fake.bootstrap_servers();
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            for idempotent in [true, false] {
                let topic = format!("{codec}-{idempotent}");
                fake.create_topic(&topic, 3);
                let sent: Vec<String> = (0..200).map(|number| format!("value-{number}")).collect();
                write_topic(&bootstrap, &topic, codec, idempotent, 200).unwrap();
                fake.assert_delivered_once(&topic, &sent);
            }
            let mut read = 0;
            read_topic(&bootstrap, &format!("{codec}-true"), false, |_| read += 1).unwrap();
            assert_eq!(read, 200, "{kafka:?} {codec}");
        }
        fake.assert_no_violations();
    }
}
