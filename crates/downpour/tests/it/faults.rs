//! Brokers that fail: order holds, nothing is doubled, and the verdict says what is known.

use std::time::Duration;

use downpour::{Choice, CompressionType, ErrorCode, ErrorKind, PartitionContext, Record, Written};
use downpour_fake::{ApiKey, FakeCluster, Fault};

use crate::setup::{PATIENCE, builder, cluster, producer, small_cluster, until};

fn deliver_a_thousand(cluster: &FakeCluster) {
    let producer = producer(cluster).blocking();
    let handles: Vec<_> = (0..1000)
        .map(|n: i32| {
            let record = Record::to("events")
                .key((n % 17).to_string())
                .value(n.to_string());
            producer.produce_async(record).unwrap()
        })
        .collect();
    for handle in handles {
        handle.wait_timeout(PATIENCE).unwrap().unwrap();
    }
    producer.close();
    cluster.assert_in_order("events", (0..1000).map(|n: i32| n.to_string()));
    cluster.assert_delivered_once("events", (0..1000).map(|n: i32| n.to_string()));
    cluster.assert_no_violations();
}

#[test]
fn a_lost_answer_writes_nothing_twice() {
    for fault in [
        Fault::apply_and_lose_answer(),
        Fault::disconnect(),
        Fault::disconnect_mid_frame(9),
        Fault::error(ErrorCode::NOT_LEADER_OR_FOLLOWER),
        Fault::apply_then_error(ErrorCode::REQUEST_TIMED_OUT),
        Fault::corrupt_answer(),
        Fault::wrong_correlation_id(),
        Fault::empty_answer(),
        Fault::throttle(20),
    ] {
        let cluster = cluster();
        cluster.fault(fault.clone().on(ApiKey::Produce).nth(1).times(2));
        cluster.fault(fault.on(ApiKey::Produce).nth(4));
        deliver_a_thousand(&cluster);
    }
}

#[test]
fn a_leader_that_moves_is_followed() {
    let cluster = cluster();
    let producer = producer(&cluster).blocking();
    for round in 0..6 {
        for n in 0..20 {
            let value = format!("{round}-{n}");
            drop(
                producer
                    .produce_async(Record::to("events").partition(0).value(value))
                    .unwrap(),
            );
        }
        cluster.move_leader("events", 0, round % 3 + 1);
    }
    producer.close();
    let sent = (0..6).flat_map(|round| (0..20).map(move |n| format!("{round}-{n}")));
    cluster.assert_in_order("events", sent.clone());
    cluster.assert_delivered_once("events", sent);
}

#[test]
fn a_broker_that_was_away_gets_its_records_when_it_is_back() {
    let cluster = small_cluster();
    let producer = producer(&cluster).blocking();
    producer
        .produce_sync(Record::to("events").value("1"))
        .unwrap();
    cluster.kill(1);
    let handle = producer
        .produce_async(Record::to("events").value("2"))
        .unwrap();
    assert!(
        handle.wait_timeout(Duration::from_millis(50)).is_err(),
        "nobody is there"
    );
    cluster.restart(1).unwrap();
    handle.wait_timeout(PATIENCE).unwrap().unwrap();
    cluster.assert_in_order("events", ["1", "2"]);
}

#[test]
fn an_expired_record_that_never_left_is_known_not_to_be_written() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .linger_adaptive(Duration::from_millis(1))
        .request_timeout(Duration::from_millis(100))
        .delivery_timeout(Duration::from_millis(200))
        .build()
        .unwrap()
        .blocking();
    // Without a producer id no record may leave.
    cluster.fault(Fault::hang().on(ApiKey::InitProducerId).always());
    let error = producer
        .produce_sync(Record::to("events").value("1"))
        .unwrap_err();
    assert_eq!(cluster.request_count(ApiKey::Produce), 0);
    let error = error.delivery_error().expect("it was accepted");
    assert_eq!(error.written(), Written::No, "{error}");
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.is_timeout() && error.is_retriable());
    assert_eq!((error.topic(), error.partition()), ("events", 0));
    assert!(error.age() >= Duration::from_millis(200));
}

#[test]
fn an_expired_record_whose_answer_is_missing_is_unknown() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .linger_adaptive(Duration::from_millis(1))
        .request_timeout(Duration::from_millis(100))
        .delivery_timeout(Duration::from_millis(250))
        .build()
        .unwrap()
        .blocking();
    producer
        .produce_sync(Record::to("events").value("1"))
        .unwrap();
    cluster.fault(Fault::apply_and_hang().on(ApiKey::Produce).always());
    let error = producer
        .produce_sync(Record::to("events").value("2"))
        .unwrap_err();
    assert_eq!(error.written(), Written::Unknown, "{error}");
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.is_timeout() && !error.is_retriable());
}

#[test]
fn a_refused_batch_fails_with_the_brokers_code() {
    let cluster = small_cluster();
    cluster.fault(Fault::error(ErrorCode::POLICY_VIOLATION).on(ApiKey::Produce));
    let producer = producer(&cluster).blocking();
    let error = producer
        .produce_sync(Record::to("events").value("1"))
        .unwrap_err();
    let error = error.delivery_error().expect("it was accepted");
    assert_eq!(error.code(), Some(ErrorCode::POLICY_VIOLATION));
    assert_eq!(error.kind(), ErrorKind::Broker(ErrorCode::POLICY_VIOLATION));
    assert_eq!((error.written(), error.attempts()), (Written::No, 1));
    assert_eq!(error.broker(), Some(1));
    // And the producer goes on.
    producer
        .produce_sync(Record::to("events").value("2"))
        .unwrap();
    cluster.assert_delivered_once("events", ["2"]);
}

#[test]
fn each_codec_arrives_as_it_was_sent() {
    for codec in [
        CompressionType::None,
        CompressionType::Gzip,
        CompressionType::Snappy,
        CompressionType::Lz4,
    ] {
        let cluster = cluster();
        let producer = builder(&cluster)
            .compression(codec)
            .build()
            .unwrap()
            .blocking();
        let values: Vec<String> = (0..3000)
            .map(|n| format!("{n} {}", "payload ".repeat(20)))
            .collect();
        for value in &values {
            drop(
                producer
                    .produce_async(Record::to("events").value(value))
                    .unwrap(),
            );
        }
        producer.close();
        cluster.assert_delivered_once("events", &values);
        cluster.assert_in_order("events", &values);
        cluster.assert_no_violations();
        assert_eq!(producer.as_async().buffered_bytes(), 0, "{codec}");
    }
}

#[test]
fn without_acks_records_arrive_and_have_no_offset() {
    let cluster = cluster();
    let producer = builder(&cluster)
        .acks(downpour::Acks::None)
        .build()
        .unwrap()
        .blocking();
    let report = producer
        .produce_sync(Record::to("events").value("1"))
        .unwrap();
    assert_eq!(report.offset(), None);
    assert!(cluster.wait_until(PATIENCE, |c| (0..6).any(|p| c.end_offset("events", p) == 1)));
}

#[test]
fn records_of_long_ago_are_not_sent_again_when_their_answer_is_lost() {
    let two_days_ago = std::time::SystemTime::now() - Duration::from_secs(2 * 24 * 3600);
    let timestamp = two_days_ago
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as i64;
    let old = || Record::to("events").value("old").timestamp_ms(timestamp);
    for (trusted, retried) in [
        (None, false),
        (Some(Duration::from_secs(10 * 24 * 3600)), true),
    ] {
        let cluster = cluster();
        cluster.fault(Fault::apply_and_lose_answer().on(ApiKey::Produce).nth(1));
        let mut builder = builder(&cluster);
        if let Some(age) = trusted {
            builder = builder.old_record_age(age);
        }
        let producer = builder.build().unwrap().blocking();
        let outcome = producer.produce_async(old()).unwrap().wait();
        if retried {
            outcome.unwrap();
        } else {
            let error = outcome.unwrap_err();
            assert_eq!(error.written(), Written::Unknown);
            assert_eq!(error.kind(), ErrorKind::AnswerLost, "{error}");
            assert!(error.to_string().contains("timestamps"), "{error}");
        }
        // What follows goes on under a new epoch.
        producer
            .produce_sync(Record::to("events").value("new"))
            .unwrap();
        producer.close();
        cluster.assert_delivered_once("events", ["old", "new"]);
    }
}

#[test]
fn a_topic_made_anew_with_fewer_partitions_is_used_as_it_is_now() {
    let cluster = FakeCluster::builder().topic("t", 6).start().unwrap();
    let producer = builder(&cluster)
        .metadata_max_age(Duration::from_millis(100))
        .build()
        .unwrap();
    let topic = producer.clone().blocking().topic("t").unwrap();
    let bound = producer.blocking();
    for partition in 0..6 {
        let record = Record::to("t").value("before").partition(partition);
        bound.send_and_wait(record).unwrap();
    }
    cluster.delete_topic("t");
    cluster.create_topic("t", 2);
    until("the new count is known", || topic.partitions() == 2);
    let named = bound
        .send(Record::to("t").value("nowhere").partition(5))
        .unwrap_err();
    assert_eq!(named.kind(), ErrorKind::InvalidRecord, "{named}");
    assert!(
        named.to_string().contains("is 5, but t has 2 partitions"),
        "{named}"
    );
    for number in 0..20 {
        let keyed = Record::to("t").key(format!("k{number}")).value("v");
        let report = bound.send_and_wait(keyed).unwrap();
        assert!(report.partition() < 2);
        let report = bound.send_and_wait(Record::to("t").value("v")).unwrap();
        assert!(report.partition() < 2);
    }
    assert_eq!(cluster.record_count("t"), 40);
    // A partitioner that insists is asked a few times.
    let insists = builder(&cluster).partitioner(|_: &PartitionContext<'_>| Choice::Partition(5));
    let insists = insists.build().unwrap().blocking();
    cluster.delete_topic("t");
    cluster.create_topic("t", 6);
    insists.send_and_wait(Record::to("t").value("v")).unwrap();
    cluster.delete_topic("t");
    cluster.create_topic("t", 2);
    until("the partition is known to be gone", || {
        let refused = insists.send_and_wait(Record::to("t").value("v"));
        let refused = refused
            .err()
            .filter(|error| error.invalid_record().is_some());
        refused.is_some_and(|error| error.to_string().contains("by the partitioner is 5"))
    });
    // And back to more: those that were gone are there again.
    cluster.delete_topic("t");
    cluster.create_topic("t", 6);
    until("the new count is known", || topic.partitions() == 6);
    let report = bound.send_and_wait(Record::to("t").value("v").partition(5));
    assert_eq!(report.unwrap().offset(), Some(0));
    assert_eq!(bound.buffered_bytes(), 0);
    bound.close();
}

#[test]
fn a_deleted_topic_comes_back_only_for_records() {
    let cluster = FakeCluster::builder()
        .topic("kept", 1)
        .topic("deleted", 1)
        .auto_create(true)
        .start()
        .unwrap();
    let producer = builder(&cluster)
        .metadata_max_age(Duration::from_millis(100))
        .build()
        .unwrap()
        .blocking();
    for topic in ["kept", "deleted"] {
        producer
            .send_and_wait(Record::to(topic).value("v"))
            .unwrap();
    }
    cluster.delete_topic("deleted");
    let asked = cluster.request_count(ApiKey::Metadata);
    until("it is asked for a few times", || {
        cluster.request_count(ApiKey::Metadata) > asked + 3
    });
    assert_eq!(cluster.partition_count("deleted"), None);
    let report = producer.send_and_wait(Record::to("deleted").value("v"));
    assert_eq!(report.unwrap().offset(), Some(0));
    producer.close();
}
