//! Topics that do not exist, topics that refuse records, and records that no topic takes.

use std::time::{Duration, Instant};

use downpour::{CompressionType, ErrorCode, ErrorKind, Record, SendError, Written};

use kafka_harness::Cluster;

use crate::shared::{build, builder, create, new, old, send, values};

#[test]
fn a_topic_that_the_broker_creates_takes_its_first_record() {
    let cluster = new();
    let producer = build(builder(&cluster));
    assert_eq!(send(&producer, "created-when-asked-for", "first"), Some(0));
    assert_eq!(values(&cluster, "created-when-asked-for"), ["first"]);
}

/// The error of a send to a topic that does not exist and is not created.
fn missing_topic_error(producer: &downpour::blocking::Producer) -> SendError {
    let began = Instant::now();
    let sent = producer.produce_async(Record::to("missing").value("v"));
    let error = sent.expect_err("nobody creates it");
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "max_block is 2 s: {error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("missing") && text.contains("UNKNOWN_TOPIC_OR_PARTITION"),
        "{text}"
    );
    error
}

#[test]
fn a_missing_topic_is_named_with_its_reason_when_the_producer_creates_none() {
    let cluster = new();
    let settings = builder(&cluster).auto_create_topics(false);
    let producer = build(settings.max_block(Duration::from_secs(2)));
    println!("{}", missing_topic_error(&producer));
    // Asking for it did not create it, and the producer goes on.
    missing_topic_error(&producer);
    create(&cluster, "present", &[]);
    assert_eq!(send(&producer, "present", "v"), Some(0));
}

#[test]
fn a_missing_topic_is_named_with_its_reason_when_the_broker_creates_none() {
    let cluster = old();
    let producer = build(builder(&cluster).max_block(Duration::from_secs(2)));
    println!("{}", missing_topic_error(&producer));
}

/// What a producer of the defaults says of a topic that does not exist, and how it goes on.
fn a_missing_topic_is_said_after_five_seconds(cluster: &Cluster, name: &str) -> String {
    let producer = build(builder(cluster).auto_create_topics(false));
    let began = Instant::now();
    let error = producer.produce_async(Record::to(name)).expect_err("no");
    let waited = began.elapsed();
    let limit = Duration::from_secs(5);
    assert!(waited >= limit, "{waited:?}");
    let text = error.to_string();
    let told = format!("topic {name} does not exist, brokers have said for ");
    assert!(
        text.starts_with(&told) && text.contains("create it"),
        "{text}"
    );
    // Others are not kept waiting by it, nor is it refused for good.
    let other = format!("beside-{name}");
    create(cluster, &other, &[]);
    assert_eq!(send(&producer, &other, "v"), Some(0));
    create(cluster, name, &[]);
    assert_eq!(send(&producer, name, "v"), Some(0));
    format!("after {waited:?}: {text}")
}

#[test]
fn a_missing_topic_of_4_3_1_is_said_after_five_seconds_and_used_when_it_is_created() {
    let said = a_missing_topic_is_said_after_five_seconds(&new(), "said-missing");
    println!("{said}");
}

#[test]
fn a_missing_topic_of_2_8_2_is_said_after_five_seconds_and_used_when_it_is_created() {
    let said = a_missing_topic_is_said_after_five_seconds(&old(), "said-missing");
    println!("{said}");
}

#[test]
fn a_topic_that_appears_while_a_record_waits_gets_it() {
    let cluster = old();
    let producer = build(builder(&cluster).max_block(Duration::from_secs(20)));
    let waiting = std::thread::spawn(move || send(&producer, "appears", "v"));
    std::thread::sleep(Duration::from_millis(500));
    create(&cluster, "appears", &[]);
    assert_eq!(waiting.join().unwrap(), Some(0));
}

#[test]
fn a_batch_that_is_too_large_for_its_topic_is_split() {
    let cluster = new();
    create(&cluster, "small", &[("max.message.bytes", "8000")]);
    let producer = build(builder(&cluster));
    let value = |number: i32| format!("{number:0>1000}");
    let sent: Vec<String> = (0..60).map(value).collect();
    let records = sent.iter().map(|value| Record::to("small").value(value));
    let records: Vec<_> = records.collect();
    let deliveries = producer.send_many_and_wait(&records).unwrap();
    let offsets = deliveries
        .iter()
        .map(|delivery| delivery.wait().unwrap().offset());
    assert!(offsets.eq((0..60).map(Some)));
    assert_eq!(values(&cluster, "small"), sent);
    let batches = cluster.dump_log(1, "small", 0).unwrap();
    assert!(batches.len() > 7, "{batches:?}");
    assert!(batches.iter().all(|batch| batch.is_valid), "{batches:?}");
}

#[test]
fn a_compressed_batch_that_is_too_large_for_its_topic_is_split() {
    let cluster = new();
    create(&cluster, "small-packed", &[("max.message.bytes", "3000")]);
    let producer = build(builder(&cluster).compression(CompressionType::Lz4));
    let mut random = downpour_conformance::random::Random::new(1);
    // Random digits in hex are compressed to a half at best.
    let value = |_| {
        (0..32)
            .map(|_| format!("{:016x}", random.next_u64()))
            .collect()
    };
    let sent: Vec<String> = (0..60).map(value).collect();
    let records: Vec<_> = sent
        .iter()
        .map(|value| Record::to("small-packed").value(value))
        .collect();
    let deliveries = producer.send_many_and_wait(&records).unwrap();
    assert_eq!(deliveries.len(), 60);
    assert_eq!(values(&cluster, "small-packed"), sent);
}

#[test]
fn a_single_record_that_is_too_large_for_its_topic_fails_and_its_neighbours_do_not() {
    let cluster = new();
    create(&cluster, "narrow", &[("max.message.bytes", "2000")]);
    let producer = build(builder(&cluster));
    let large = "x".repeat(3000);
    let records = ["before", &large, "after"].map(|value| Record::to("narrow").value(value));
    let deliveries = producer.send_many(&records).unwrap();
    let error = deliveries.wait().unwrap_err();
    assert_eq!(error.written(), Written::No);
    assert_eq!(error.code(), Some(ErrorCode::MESSAGE_TOO_LARGE), "{error}");
    let are_delivered: Vec<bool> = deliveries
        .reports()
        .map(|end| matches!(end, Some(Ok(_))))
        .collect();
    assert_eq!(are_delivered, [true, false, true]);
    assert_eq!(values(&cluster, "narrow"), ["before", "after"]);
    // A sequence that never came does not stop the partition.
    assert_eq!(send(&producer, "narrow", "later"), Some(2));
}

#[test]
fn a_record_that_a_compacted_topic_refuses_takes_no_other_along() {
    let cluster = new();
    create(&cluster, "compacted", &[("cleanup.policy", "compact")]);
    // One batch: without a linger, a first record leaves alone.
    let producer = build(builder(&cluster).linger(Duration::from_millis(100)));
    assert_eq!(send(&producer, "compacted", "good"), Some(0));
    let with_key = |value| Record::to("compacted").key("k").value(value);
    let records = [
        with_key("a"),
        Record::to("compacted").value("without a key"),
        with_key("b"),
    ];
    let deliveries = producer.send_many(&records).unwrap();
    assert!(deliveries.wait().is_err());
    let ends: Vec<_> = deliveries.reports().map(Option::unwrap).collect();
    let error = ends[1].as_ref().expect_err("it has no key");
    println!("{error}");
    assert_eq!(error.written(), Written::No);
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert_eq!(error.code(), Some(ErrorCode::INVALID_RECORD));
    assert!(error.broker_message().is_some(), "the broker says why");
    // The others of its batch have done nothing wrong, and the partition goes on.
    let offset = |at: usize| ends[at].as_ref().ok().and_then(downpour::Report::offset);
    assert_eq!((offset(0), offset(2)), (Some(1), Some(2)));
    assert_eq!(send(&producer, "compacted", "after"), Some(3));
    assert_eq!(values(&cluster, "compacted"), ["good", "a", "b", "after"]);
}

#[test]
fn a_record_over_the_limit_and_a_partition_that_is_not_there_are_refused_at_once() {
    let cluster = new();
    create(&cluster, "plain", &[]);
    let producer = build(builder(&cluster));
    let large = vec![0_u8; 2 << 20];
    for record in [
        Record::to("plain").value(&large),
        Record::to("plain").value("v").partition(7),
    ] {
        let error = producer.produce_sync(record).unwrap_err();
        assert!(error.invalid_record().is_some(), "{error}");
        assert!(!error.is_retriable(), "{error}");
    }
    assert_eq!(send(&producer, "plain", "v"), Some(0));
}
