//! What a producer says that it has done is what the cluster has seen.

use std::time::Duration;

use downpour::{CompressionType, Counts, ErrorCode, Producer, Record, Statistics};
use downpour_fake::{ApiKey, Fault};

use crate::setup::{builder, cluster, producer, small_cluster, until};

/// Once this holds, which may be a moment after the last verdict.
fn statistics_once(producer: &Producer, so: impl Fn(&Statistics) -> bool) -> Statistics {
    until("statistics", || so(&producer.statistics()));
    producer.statistics()
}

fn send(producer: &Producer, value: &str) -> bool {
    let record = Record::to("events").value(value);
    producer.blocking().produce_sync(record).is_ok()
}

/// How often the one broker was sent records, answered, and did not.
fn requests(statistics: &Statistics) -> (u64, u64, u64) {
    let [broker] = &statistics.brokers[..] else {
        panic!("{:?}", statistics.brokers)
    };
    assert_eq!(broker.id, 1);
    (broker.requests, broker.answers, broker.lost)
}

#[test]
fn a_producer_that_did_nothing_has_nothing_to_say() {
    let cluster = cluster();
    assert_eq!(producer(&cluster).statistics(), Statistics::default());
}

#[test]
fn records_batches_and_requests_are_those_that_arrived() {
    let cluster = cluster();
    let producer = producer(&cluster);
    let records = (0..600).map(|n| {
        let value = format!("{n:04}");
        Record::to("events").partition(n % 6).value(value)
    });
    let records: Vec<_> = records.collect();
    let many = producer.blocking().send_many_and_wait(&records);
    assert_eq!(many.unwrap().len(), 600);
    let now = statistics_once(&producer, |s| {
        s.brokers.iter().map(|b| b.answers).sum::<u64>() == cluster.request_count(ApiKey::Produce)
    });
    let Counts {
        batches,
        records,
        bytes,
        sendings,
        sent_bytes,
        ..
    } = now.total;
    assert_eq!((records, sendings), (600, batches));
    assert!(bytes >= 600 * 4, "{bytes}");
    assert_eq!(sent_bytes, bytes + 61 * batches, "not compressed");
    let partitions: Vec<_> = now.partitions.iter().map(|p| p.partition).collect();
    assert_eq!(partitions, [0, 1, 2, 3, 4, 5]);
    for partition in &now.partitions {
        assert_eq!(&*partition.topic, "events");
        assert_eq!(
            (partition.counts.records, partition.counts.delivered),
            (100, 100)
        );
    }
    assert_eq!(
        (now.total.delivered, now.total.failed, now.total.unknown),
        (600, 0, 0)
    );
    let ids: Vec<_> = now.brokers.iter().map(|b| b.id).collect();
    assert_eq!(ids, [1, 2, 3]);
    let request_bytes: u64 = now.brokers.iter().map(|b| b.request_bytes).sum();
    assert!(request_bytes > sent_bytes);
}

#[test]
fn what_leaves_compressed_is_smaller_than_what_was_appended() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .compression(CompressionType::Gzip)
        .build()
        .unwrap();
    assert!(send(&producer, &"payload ".repeat(1000)));
    let total = producer.statistics().total;
    assert!(total.bytes > 8000 && total.sent_bytes < 1000, "{total:?}");
}

#[test]
fn refusals_retries_and_lost_answers_are_counted() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    let fault = |fault: Fault| cluster.fault(fault.on(ApiKey::Produce));
    assert!(send(&producer, "1"));
    fault(Fault::error(ErrorCode::POLICY_VIOLATION));
    assert!(!send(&producer, "refused"));
    let now = statistics_once(&producer, |s| requests(s) == (2, 2, 0));
    assert_eq!((now.total.delivered, now.total.failed), (1, 1));
    assert_eq!((now.total.sendings, now.total.retries), (2, 0));

    fault(Fault::error(ErrorCode::NOT_ENOUGH_REPLICAS));
    assert!(send(&producer, "again"));
    let now = statistics_once(&producer, |s| requests(s) == (4, 4, 0));
    assert_eq!(
        (now.total.batches, now.total.sendings, now.total.retries),
        (3, 4, 1)
    );

    fault(Fault::apply_and_lose_answer());
    assert!(send(&producer, "lost"));
    let now = statistics_once(&producer, |s| requests(s) == (6, 5, 1));
    assert_eq!(
        (now.total.batches, now.total.sendings, now.total.retries),
        (4, 6, 2)
    );
    assert_eq!(
        (now.total.delivered, now.total.failed, now.total.unknown),
        (3, 1, 0)
    );
    assert_eq!(cluster.request_count(ApiKey::Produce), 6);
}

#[test]
fn records_that_nobody_can_tell_of_are_counted_as_unknown() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .linger_adaptive(Duration::from_millis(1))
        .request_timeout(Duration::from_millis(100))
        .delivery_timeout(Duration::from_millis(250))
        .build()
        .unwrap();
    assert!(send(&producer, "1"));
    cluster.fault(Fault::apply_and_hang().on(ApiKey::Produce).always());
    assert!(!send(&producer, "2"));
    let total = producer.statistics().total;
    assert_eq!((total.delivered, total.failed, total.unknown), (1, 0, 1));
}

#[test]
fn numbers_only_grow_while_others_send() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let producer = producer.clone();
            std::thread::spawn(move || (0..200).all(|n| send(&producer, &n.to_string())))
        })
        .collect();
    let mut last = 0;
    while !threads.iter().all(|thread| thread.is_finished()) {
        let now = producer.statistics().total.delivered;
        assert!(now >= last, "numbers only grow");
        last = now;
    }
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    assert_eq!(producer.statistics().total.delivered, 400);
}
