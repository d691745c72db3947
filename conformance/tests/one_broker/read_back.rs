//! Java's console consumer sees what was sent, byte for byte, in every codec and on an old broker,
//! and librdkafka sees the same.

use std::time::{SystemTime, UNIX_EPOCH};

use downpour::{CompressionType, Part, Record};
use downpour_conformance::load::Load;
use kafka_harness::foreign_reader;
use kafka_harness::{Cluster, ReadBack, Version};

use crate::shared::{build, builder, create, new, old, read_back_and_check};

const CODECS: [(CompressionType, &str); 5] = [
    (CompressionType::None, "none"),
    (CompressionType::Gzip, "gzip"),
    (CompressionType::Snappy, "snappy"),
    (CompressionType::Lz4, "lz4"),
    (CompressionType::Zstd, "zstd"),
];

/// Two hundred days before the other timestamps of its batch.
const LONG_AGO: i64 = 1_700_000_000_000 - 200 * 86_400_000;

/// One record of each kind.
fn kinds(topic: &str) -> Vec<Record<'_>> {
    let record = || Record::to(topic).timestamp_ms(1_700_000_000_000);
    vec![
        record().value("neither key nor header"),
        record().key("k").value("with a key"),
        record().key([0xff, 0x00, 0xfe]).value([0x80, 0x00, 0xff]),
        record().key("empty value").value(""),
        Record::tombstone(topic, "gone").timestamp_ms(1_700_000_000_001),
        record()
            .key("headers")
            .value("v")
            .header("a", "1")
            .header("b", Part::NULL)
            .header("a", "2")
            .header("", "no name")
            .header("c", "")
            .headers([("a", None::<&str>)]),
        record().timestamp_ms(LONG_AGO).value("long ago"),
        record().timestamp_ms(0).value("at the beginning"),
        record().value("drop ".repeat(4000)).key("large"),
        record()
            .value("größer als ASCII: \u{1f4a7}")
            .key("Schlüssel"),
    ]
}

/// What a consumer must see of a record.
fn expected(record: &Record<'_>, offset: i64, partition: i32) -> kafka_harness::Record {
    let timestamp_ms = match record.get_value() {
        None => 1_700_000_000_001,
        Some(b"long ago") => LONG_AGO,
        Some(b"at the beginning") => 0,
        Some(_) => 1_700_000_000_000,
    };
    let text = |name: &str, value: Option<&str>| {
        let value = value.map(|value| value.as_bytes().to_vec());
        (name.to_owned(), value)
    };
    let headers = if record.get_key() == Some(b"headers") {
        vec![
            text("a", Some("1")),
            text("b", None),
            text("a", Some("2")),
            text("", Some("no name")),
            text("c", Some("")),
            text("a", None),
        ]
    } else {
        Vec::new()
    };
    kafka_harness::Record {
        partition,
        offset,
        timestamp_ms,
        is_append_time: false,
        key: record.get_key().map(<[u8]>::to_vec),
        value: record.get_value().map(<[u8]>::to_vec),
        headers,
    }
}

/// Each codec is used for a partition of its own.
fn consumers_see_what_was_sent(cluster: &Cluster) {
    let topic = "kinds";
    cluster
        .create_topic(topic, CODECS.len() as u32, &[("retention.ms", "-1")])
        .expect("the topic is new");
    let mut sent = Vec::new();
    for (partition, (codec, _)) in (0..).zip(CODECS) {
        let producer = build(builder(cluster).compression(codec));
        let records = kinds(topic).into_iter();
        let records: Vec<Record<'_>> = records.map(|r| r.partition(partition)).collect();
        let deliveries = producer
            .send_many_and_wait(&records)
            .expect("the broker takes all");
        for ((offset, record), delivery) in (0..).zip(&records).zip(&deliveries) {
            let report = delivery.wait().expect("it was waited for");
            assert_eq!(report.offset(), Some(offset), "{codec:?}");
            sent.push(expected(record, offset, partition));
        }
        producer.close();
    }
    let sorted = |mut records: Vec<kafka_harness::Record>| {
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    };
    let java = cluster
        .read_back(&ReadBack::topic(topic).count(sent.len()))
        .expect("Java reads");
    for (read, sent) in sorted(java).iter().zip(&sent) {
        assert_eq!(read, sent, "read by Java");
    }
    let librdkafka = foreign_reader::read_topic(&cluster.bootstrap(), topic, false);
    assert!(
        sorted(librdkafka.expect("librdkafka reads")) == sent,
        "librdkafka reads something else"
    );
    for (partition, (_, name)) in (0..).zip(CODECS) {
        let batches = cluster.dump_log(1, topic, partition).expect("it is there");
        assert!(
            batches.iter().all(|b| b.is_valid && b.codec == name),
            "{name}: {batches:?}"
        );
        let records: i32 = batches.iter().map(|batch| batch.count).sum();
        assert_eq!(records as usize, kinds(topic).len());
    }
}

#[test]
fn java_and_librdkafka_read_from_4_3_1_what_was_sent_in_every_codec() {
    consumers_see_what_was_sent(&new());
}

#[test]
fn java_and_librdkafka_read_from_2_8_2_what_was_sent_in_every_codec() {
    consumers_see_what_was_sent(&old());
}

#[test]
fn ten_thousand_records_arrive_on_2_8_2() {
    let cluster = old();
    assert_eq!(cluster.version(), Version::V2_8_2);
    cluster.create_topic("many", 6, &[]).unwrap();
    let load = Load {
        topic: "many".to_owned(),
        partitions: 6,
        records: 10_000,
        per_second: 20_000,
        verdict_within: std::time::Duration::from_secs(60),
    };
    let producer = build(builder(&cluster));
    let ledger = load.run(&producer, || true);
    producer.close();
    let findings = read_back_and_check(&cluster, "many", &ledger);
    println!("2.8.2: {ledger}; librdkafka {findings}");
    assert!(findings.is_good(), "{findings}");
    assert_eq!(findings.read, ledger.len());
    assert!(findings.read >= 10_000);
}

#[test]
fn a_record_without_a_timestamp_gets_the_time_of_its_acceptance() {
    let cluster = new();
    create(&cluster, "now", &[]);
    let millis = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_millis() as i64
    };
    let producer = build(builder(&cluster));
    let before = millis();
    let report = producer.produce_sync(Record::to("now").value("v")).unwrap();
    let read = foreign_reader::read_topic(&cluster.bootstrap(), "now", false).unwrap();
    assert_eq!(read[0].timestamp_ms, report.timestamp_ms());
    // The coarse clock may lag by a tick of the kernel.
    assert!((before - 10..=millis()).contains(&report.timestamp_ms()));
}

#[test]
fn a_topic_that_stamps_records_itself_tells_its_time_in_the_report() {
    let cluster = new();
    create(
        &cluster,
        "stamped",
        &[("message.timestamp.type", "LogAppendTime")],
    );
    let producer = build(builder(&cluster));
    let record = Record::to("stamped").value("v").timestamp_ms(1);
    let report = producer.produce_sync(record).unwrap();
    let read = foreign_reader::read_topic(&cluster.bootstrap(), "stamped", false).unwrap();
    assert!(read[0].is_append_time);
    assert_eq!(read[0].timestamp_ms, report.timestamp_ms());
    assert!(report.timestamp_ms() > 1_700_000_000_000);
}
