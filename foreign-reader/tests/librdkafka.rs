//! The foreign reader itself: it reads what Java's producer wrote, in every codec.

use foreign_reader::{Values, count_topic, read_topic};
use kafka_harness::{Cluster, Spec, Version};
use serde_json::{Value, json};

#[test]
fn librdkafka_reads_every_codec_that_java_wrote() {
    let cluster = Cluster::start(&Spec::new(Version::V4_3_1, 1)).unwrap();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        cluster.create_topic(codec, 2, &[]).unwrap();
        let properties = [("compression.type", codec), ("acks", "all")];
        cluster
            .producer_performance(codec, 100, 20, &properties)
            .unwrap();
        let mut records: Vec<Value> = Vec::new();
        read_topic(&cluster.bootstrap(), codec, false, |record| {
            records.push(record)
        })
        .unwrap();
        assert_eq!(records.len(), 100, "{codec}");
        assert!(records.iter().all(|record| record["key"].is_null()));
        assert!(
            records
                .iter()
                .all(|record| record["value"].as_str().unwrap().len() == 40)
        );
        // Java makes up its values: none is the file's.
        let mut values = Values::new(&[0; 20], 20).unwrap();
        let counted = count_topic(&cluster.bootstrap(), codec, 100, &mut values).unwrap();
        let expected = json!({
            "records": 100, "end_offsets": 100, "unequal_partitions": 0, "gaps": 0,
            "strangers": 100, "missing": 100, "extra": 0,
        });
        assert_eq!(counted, expected, "{codec}");
    }
    let unknown = read_topic(&cluster.bootstrap(), "unknown", false, |_| {});
    unknown.unwrap_err();
    cluster.down().unwrap();
}
