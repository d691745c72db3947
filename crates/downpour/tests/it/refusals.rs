//! Records that are refused before anything is sent, each with field, trouble and remedy.

use std::time::{Duration, SystemTime};

use downpour::{ErrorCode, ErrorKind, Field, Producer, Record, WaitedFor};
use downpour_fake::{ApiKey, FakeCluster, Fault};

use crate::setup::{PATIENCE, builder, cluster, producer, quick, small_cluster, until};

fn refused(record: Record<'_>) -> (Field, String, String) {
    let cluster = small_cluster();
    let producer = producer(&cluster).blocking();
    let error = producer.produce_async(record).unwrap_err();
    let invalid = error.invalid_record().expect("its record is at fault");
    let is_too_large = matches!(
        invalid.field(),
        Field::Value | Field::Headers | Field::Record
    );
    let kinds = [ErrorKind::InvalidRecord, ErrorKind::TooLarge];
    assert_eq!(error.kind(), kinds[usize::from(is_too_large)]);
    assert_eq!(error.is_too_large(), is_too_large);
    assert!(!error.is_retriable());
    assert_eq!(cluster.request_count(ApiKey::Produce), 0);
    (
        invalid.field(),
        invalid.trouble().to_owned(),
        invalid.remedy().to_owned(),
    )
}

#[test]
fn each_bad_part_is_named_with_its_trouble() {
    let long = "t".repeat(250);
    for (record, field, trouble) in [
        (Record::to(""), Field::Topic, "empty"),
        (Record::to("a b"), Field::Topic, "' '"),
        (Record::to("naïve"), Field::Topic, "'ï'"),
        (Record::to("."), Field::Topic, "reserves"),
        (Record::to(".."), Field::Topic, "reserves"),
        (Record::to(&long), Field::Topic, "250"),
        (
            Record::to("events").partition(-2),
            Field::Partition,
            "is -2",
        ),
        (
            Record::to("events").partition(i32::MIN),
            Field::Partition,
            "is -2147483648",
        ),
        (
            Record::to("events").partition(1),
            Field::Partition,
            "has 1 partitions",
        ),
        (
            Record::to("events").timestamp_ms(-5),
            Field::Timestamp,
            "-5",
        ),
        (
            Record::to("events").timestamp(SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
            Field::Timestamp,
            "is -1000, before 1970",
        ),
        (
            Record::to("events").timestamp(SystemTime::UNIX_EPOCH - Duration::from_nanos(1)),
            Field::Timestamp,
            "is -1, before 1970",
        ),
        (
            Record::to("events").partition_key(""),
            Field::PartitionKey,
            "empty",
        ),
        (Record::tombstone("events", ""), Field::Key, "empty"),
        (
            Record::to("events").value(vec![0; 1 << 20]),
            Field::Value,
            "1048576",
        ),
        (
            Record::to("events")
                .key(vec![0; 600_000])
                .value(vec![0; 600_000]),
            Field::Record,
            "1048576",
        ),
        (
            Record::to("events").header("h", ["x".repeat(600_000), "x".repeat(600_000)]),
            Field::Headers,
            "make a batch of 12",
        ),
        (
            Record::to("events").header("h".repeat(1 << 20), ""),
            Field::Headers,
            "1048576",
        ),
    ] {
        let told = format!("{record:?}");
        let (found, said, remedy) = refused(record);
        assert_eq!(found, field, "{told}: {said}");
        assert!(said.contains(trouble), "{told}: {said}");
        assert!(!remedy.is_empty());
    }
}

#[test]
fn a_partition_that_does_not_exist_is_its_partitioner_s_fault_where_one_chose_it() {
    let cluster = small_cluster();
    let far = |_: &downpour::PartitionContext<'_>| downpour::Choice::Partition(9);
    let producer = builder(&cluster).partitioner(far).build().unwrap();
    let error = producer.blocking().send(Record::to("events")).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("by the partitioner is 9") && text.contains("mend the partitioner"),
        "{text}"
    );
}

#[test]
fn the_largest_record_fits_and_one_byte_more_does_not() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .record_max(10_000)
        .build()
        .unwrap()
        .blocking();
    let mut largest = 0;
    for size in 9_900..10_000 {
        match producer.produce_sync(Record::to("events").value(vec![7; size])) {
            Ok(_) => largest = size,
            Err(error) => {
                assert!(error.to_string().contains("raise record_max"), "{error}");
                break;
            }
        }
    }
    let batches: Vec<usize> = cluster.with(|c| {
        c.batches("events", 0)
            .map(|(_, bytes)| bytes.len())
            .collect::<Vec<_>>()
    });
    assert_eq!(
        batches.iter().max(),
        Some(&10_000),
        "largest value: {largest}"
    );
}

#[test]
fn one_invalid_record_refuses_all_of_its_batch() {
    let cluster = cluster();
    let producer = producer(&cluster).blocking();
    let good = || Record::to("events").value("v");
    let records = vec![good(), good(), Record::to("events").partition_key("")];
    let error = producer.send_many_and_wait(&records).unwrap_err();
    assert!(error.dispatched().is_empty());
    assert_eq!(error.index(), 2);
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(error.error().send_error().is_some());
    producer.close();
    assert_eq!(cluster.record_count("events"), 0);
}

#[test]
fn an_unreachable_bootstrap_says_which_addresses_said_what() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let bootstrap = format!("{closed},localhost:1");
    let producer = quick(Producer::builder(bootstrap))
        .max_block(Duration::from_millis(300))
        .build()
        .unwrap()
        .blocking();
    let error = producer.produce_async(Record::to("events")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_eq!(error.topic(), Some("events"));
    assert_eq!(error.waited_for(), Some(WaitedFor::Metadata));
    assert!(error.waited() >= Some(Duration::from_millis(300)));
    let text = error.to_string();
    assert!(
        text.contains(&closed.to_string()) && text.contains("localhost:1"),
        "{text}"
    );
    assert!(text.contains("refused"), "{text}");
    assert!(producer.close_within(Duration::from_millis(10)).is_empty());
}

#[test]
fn a_bootstrap_that_only_listens_is_said_not_to_have_answered() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let producer = Producer::builder(&*address)
        .max_block(Duration::from_millis(50))
        .build()
        .unwrap()
        .blocking();
    let error = producer.send(Record::to("events")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.is_timeout() && error.is_retriable());
    let said = format!("; unreachable: {address} (no answer yet, after ");
    assert!(error.to_string().contains(&said), "{error}");
}

#[test]
fn a_topic_that_does_not_exist_says_so_after_max_block() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .max_block(Duration::from_millis(200))
        .build()
        .unwrap()
        .blocking();
    let error = producer.produce_async(Record::to("missing")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopic);
    assert_eq!(error.code(), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    assert!(error.is_timeout() && !error.is_retriable());
    let error = producer
        .send_many(&[Record::to("events"), Record::to("missing")])
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("1 accepted, records[1] was not: no metadata for topic missing")
            && text.contains(
                "; the cluster does not know it (UNKNOWN_TOPIC_OR_PARTITION (3)): create"
            ),
        "{text}"
    );
    // Others are not held up by it.
    producer
        .produce_sync(Record::to("events").value("v"))
        .unwrap();
    cluster.create_topic("missing", 2);
    producer
        .produce_sync(Record::to("missing").value("v"))
        .unwrap();
}

#[test]
fn a_topic_that_appears_while_its_record_waits_is_used() {
    let cluster = FakeCluster::builder().auto_create(true).start().unwrap();
    let producer = producer(&cluster).blocking();
    let report = producer
        .produce_sync(Record::to("fresh").value("v"))
        .unwrap();
    assert_eq!(report.topic(), "fresh");
}

#[test]
fn a_topic_that_may_not_be_written_to_is_refused_at_once() {
    let cluster = small_cluster();
    cluster.fault(
        Fault::error(ErrorCode::TOPIC_AUTHORIZATION_FAILED)
            .on(ApiKey::Metadata)
            .topic("events"),
    );
    let producer = producer(&cluster).blocking();
    let error = producer.produce_async(Record::to("events")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authorization);
    assert_eq!(error.code(), Some(ErrorCode::TOPIC_AUTHORIZATION_FAILED));
    assert_eq!(error.topic(), Some("events"));
    assert!(!error.is_timeout() && !error.is_retriable());
    // It may be granted later.
    producer
        .produce_sync(Record::to("events").value("v"))
        .unwrap();
}

#[test]
fn try_send_asks_for_metadata_and_leaves_the_record_to_its_caller() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    let record = Record::to("events").value("v").key("k");
    let error = producer.try_send(&record).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady);
    assert_eq!(error.waited_for(), Some(WaitedFor::Metadata));
    assert!(!error.is_timeout() && error.is_retriable());
    let asked = cluster.wait_until(PATIENCE, |c| c.request_count(ApiKey::Metadata) > 0);
    assert!(asked, "try_send itself asks");
    smol::block_on(producer.topic("events")).unwrap();
    producer.try_send(&record).unwrap().wait().unwrap();
}

#[test]
fn a_partition_that_was_added_later_is_found() {
    let cluster = small_cluster();
    let producer = producer(&cluster).blocking();
    producer
        .produce_sync(Record::to("events").value("v"))
        .unwrap();
    cluster.with(|c| c.grow_topic("events", 3));
    // Nobody has told the producer yet. Who may not wait is refused, and who may finds it.
    let record = |partition| Record::to("events").partition(partition).value("v");
    let error = producer.try_send(&record(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{error}");
    cluster.with(|c| c.grow_topic("events", 4));
    let report = producer.produce_sync(record(3)).unwrap();
    assert_eq!((report.partition(), report.offset()), (3, Some(0)));
    cluster.with(|c| c.grow_topic("events", 6));
    let many = [record(4), record(5)];
    let sent = producer.send_many_and_wait(&many).unwrap();
    assert!(sent.iter().map(|delivery| delivery.partition()).eq([4, 5]));
    let error = producer.send(record(6)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{error}");
    assert!(
        error.to_string().contains("events has 6 partitions"),
        "{error}"
    );
}

#[test]
fn a_refused_partition_asks_for_metadata_once_and_not_for_a_minute() {
    let cluster = small_cluster();
    let producer = producer(&cluster).blocking();
    producer
        .produce_sync(Record::to("events").value("v"))
        .unwrap();
    let before = cluster.request_count(ApiKey::Metadata);
    producer
        .produce_async(Record::to("events").partition(7))
        .unwrap_err();
    let asked = cluster.wait_until(PATIENCE, |c| c.request_count(ApiKey::Metadata) > before);
    assert!(asked);
    // That nothing more happens can only be waited out: six of its largest backoffs.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(cluster.request_count(ApiKey::Metadata), before + 1);
}

#[test]
fn a_producer_that_never_waits_gets_its_metadata_nevertheless() {
    let cluster = small_cluster();
    let producer = builder(&cluster).max_block(Duration::ZERO).build().unwrap();
    let error = producer
        .blocking()
        .produce_async(Record::to("events"))
        .unwrap_err();
    assert!(error.is_retriable(), "{error}");
    until("its metadata came", || {
        producer.try_send(&Record::to("events").value("v")).is_ok()
    });
}
