//! The real clusters themselves, in each version: they start, lose a broker, get it back and end, and
//! Kafka's own tools read what Java's producer wrote. downpour takes no part here.

use std::time::{Duration, Instant};

use kafka_harness::{Cluster, Error, ReadBack, Spec, Version};

const RECORDS: u64 = 500;

fn a_cluster_survives_a_killed_broker(version: Version) -> Result<(), Error> {
    let mut cluster = Cluster::start(&Spec::new(version, 3))?;
    cluster.create_topic("t", 3, &[("compression.type", "producer")])?;
    let killed = cluster.leader("t", 0)?;
    cluster.kill(killed)?;
    let until = Instant::now() + Duration::from_secs(60);
    // For a moment there may be no leader at all, above all in old and slow clusters.
    while !cluster.leader("t", 0).is_ok_and(|leader| leader != killed) {
        assert!(Instant::now() < until, "nobody took over");
        std::thread::sleep(Duration::from_millis(100));
    }
    let report = cluster.producer_performance("t", RECORDS, 10, &[("acks", "all")])?;
    assert!(report.contains("500 records sent"), "{report}");
    assert!(
        cluster.under_replicated()?.contains("Topic: t"),
        "a broker is gone"
    );
    cluster.start_broker(killed)?;
    cluster.wait_in_sync("t", Duration::from_secs(60))?;
    assert_eq!(cluster.under_replicated()?, "");
    let ends = cluster.end_offsets("t")?;
    assert_eq!(ends.len(), 3);
    assert_eq!(ends.values().sum::<i64>(), RECORDS as i64);
    cluster.down()
}

fn one_broker_shows_what_was_written(version: Version) -> Result<(), Error> {
    let cluster = Cluster::start(&Spec::new(version, 1).property("message.max.bytes", 2_000_000))?;
    cluster.create_topic("t", 1, &[])?;
    let twice = cluster.create_topic("t", 1, &[]);
    let twice = twice.expect_err("it exists").to_string();
    assert!(twice.contains("error 36"), "{twice}");
    let idempotent = [
        ("enable.idempotence", "true"),
        ("compression.type", "gzip"),
        ("acks", "all"),
    ];
    cluster.producer_performance("t", RECORDS, 10, &idempotent)?;
    let records = cluster.read_back(&ReadBack::topic("t").count(RECORDS as usize))?;
    assert!(
        records
            .iter()
            .map(|record| record.offset)
            .eq(0..RECORDS as i64)
    );
    assert!(
        records
            .iter()
            .all(|record| record.key.is_none() && !record.is_append_time)
    );
    assert!(
        records
            .iter()
            .all(|record| record.value.as_ref().is_some_and(|v| v.len() == 10))
    );
    let mut foreign = kafka_harness::foreign_reader::read_topic(&cluster.bootstrap(), "t", false)?;
    foreign.sort_by_key(|record| record.offset);
    assert!(
        foreign == records,
        "librdkafka and Java read different records"
    );
    let batches = cluster.dump_log(1, "t", 0)?;
    assert_eq!(
        batches.iter().map(|batch| batch.count as u64).sum::<u64>(),
        RECORDS
    );
    assert!(
        batches
            .iter()
            .all(|batch| batch.is_valid && batch.codec == "gzip"),
        "{batches:?}"
    );
    assert!(
        batches
            .iter()
            .all(|batch| batch.producer_id >= 0 && batch.base_sequence >= 0)
    );
    cluster.down()
}

#[test]
fn a_cluster_of_4_3_1_shows_its_records_and_survives_a_killed_broker() {
    one_broker_shows_what_was_written(Version::V4_3_1).unwrap();
    a_cluster_survives_a_killed_broker(Version::V4_3_1).unwrap();
}

#[test]
fn a_cluster_of_3_9_2_shows_its_records_and_survives_a_killed_broker() {
    one_broker_shows_what_was_written(Version::V3_9_2).unwrap();
    a_cluster_survives_a_killed_broker(Version::V3_9_2).unwrap();
}

#[test]
fn a_cluster_of_2_8_2_shows_its_records_and_survives_a_killed_broker() {
    one_broker_shows_what_was_written(Version::V2_8_2).unwrap();
    a_cluster_survives_a_killed_broker(Version::V2_8_2).unwrap();
}
