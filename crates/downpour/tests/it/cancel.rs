//! Futures that are dropped halfway: nothing leaks, nothing is sent twice, order holds.

use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use downpour::{Producer, Record};
use downpour_fake::{ApiKey, FakeCluster, Fault};

use crate::setup::{PATIENCE, builder, cluster, poll_and_drop, producer, small_cluster};

#[test]
fn a_send_dropped_while_it_waits_for_metadata_sends_nothing() {
    for times in 0..5 {
        let cluster = cluster();
        cluster.fault(Fault::delay(Duration::from_millis(30)).on(ApiKey::Metadata));
        let producer = producer(&cluster);
        let ended = poll_and_drop(times, producer.send(Record::to("events").value("dropped")));
        assert!(!ended, "metadata is late");
        smol::block_on(async {
            producer
                .send_and_wait(Record::to("events").value("kept"))
                .await
                .unwrap();
            producer.close().await;
        });
        cluster.assert_delivered_once("events", ["kept"]);
        assert_eq!(producer.buffered_bytes(), 0);
    }
}

#[test]
#[should_panic(expected = "polled after completion")]
fn a_finished_send_that_is_polled_again_panics() {
    let cluster = cluster();
    let producer = producer(&cluster);
    let mut send = producer.send(Record::to("events").value("v").partition(-7));
    let mut context = Context::from_waker(Waker::noop());
    let mut poll = || Pin::new(&mut send).poll(&mut context);
    assert!(poll().is_ready(), "it is refused at once");
    let _ = poll();
}

fn full(cluster: &FakeCluster) -> (Producer, usize) {
    let producer = builder(cluster)
        .buffer_memory(16 << 10)
        .batch_size(4 << 10)
        .build()
        .unwrap();
    let topic = smol::block_on(producer.topic("events")).unwrap();
    let mut sent = 0;
    while topic.try_send(&filler(sent).into()).is_ok() {
        sent += 1;
    }
    (producer, sent)
}

fn filler(number: usize) -> String {
    format!("{number:04}{}", "x".repeat(996))
}

#[test]
fn sends_dropped_in_the_queue_for_memory_keep_budget_and_order() {
    for times in 1..4 {
        let cluster = small_cluster();
        // Long enough that no credit comes back before all ten were dropped.
        cluster.set_network_delay(Duration::from_secs(1));
        let (producer, sent) = full(&cluster);
        for _ in 0..10 {
            let ended = poll_and_drop(times, producer.send(Record::to("events").value(filler(0))));
            assert!(!ended, "memory is full");
        }
        cluster.set_network_delay(Duration::ZERO);
        smol::block_on(async {
            let last = producer
                .send(Record::to("events").value("last"))
                .await
                .unwrap();
            last.await.unwrap();
            producer.flush().await;
        });
        assert_eq!(producer.buffered_bytes(), 0, "all credit came back");
        let all = (0..sent).map(filler).chain(["last".to_owned()]);
        cluster.assert_in_order("events", all);
        cluster.assert_no_violations();
    }
}

#[test]
fn a_grant_that_was_not_collected_goes_to_the_next() {
    let cluster = small_cluster();
    cluster.set_network_delay(Duration::from_millis(30));
    let (producer, _) = full(&cluster);
    // Granted while nobody polls it, then dropped.
    let mut granted = Box::pin(producer.send(Record::to("events").value(filler(1))));
    let mut context = Context::from_waker(Waker::noop());
    assert!(granted.as_mut().poll(&mut context).is_pending());
    // What was in memory has left it before its handles end.
    smol::block_on(producer.flush());
    assert!(producer.buffered_bytes() > 0, "granted and not collected");
    drop(granted);
    let next = producer
        .blocking()
        .produce_async(Record::to("events").value("next"))
        .unwrap();
    next.wait_timeout(PATIENCE).unwrap().unwrap();
    smol::block_on(producer.flush());
    assert_eq!(producer.buffered_bytes(), 0);
}

#[test]
fn a_dropped_handle_or_wait_leaves_the_record_on_its_way() {
    let cluster = cluster();
    cluster.set_network_delay(Duration::from_millis(20));
    let producer = producer(&cluster);
    smol::block_on(async {
        drop(
            producer
                .send(Record::to("events").value("1"))
                .await
                .unwrap(),
        );
        let delivery = producer
            .send(Record::to("events").value("2"))
            .await
            .unwrap();
        for times in 0..3 {
            assert!(!poll_and_drop(times, delivery.clone()));
        }
        let report = delivery.await.unwrap();
        assert_eq!(report.topic(), "events");
    });
    assert!(!poll_and_drop(
        2,
        producer.send_and_wait(Record::to("events").value("3"))
    ));
    smol::block_on(producer.close());
    cluster.assert_delivered_once("events", ["1", "2", "3"]);
}

#[test]
fn a_dropped_flush_or_close_goes_on() {
    let cluster = cluster();
    cluster.set_network_delay(Duration::from_millis(20));
    let producer = producer(&cluster);
    let handle = producer
        .blocking()
        .produce_async(Record::to("events").value("1"))
        .unwrap();
    for times in 0..3 {
        assert!(!poll_and_drop(times, producer.flush()));
    }
    assert!(!poll_and_drop(1, producer.close()));
    assert!(
        producer
            .blocking()
            .produce_async(Record::to("events"))
            .is_err()
    );
    handle.wait_timeout(PATIENCE).unwrap().unwrap();
    smol::block_on(producer.close());
    cluster.assert_delivered_once("events", ["1"]);
}

#[test]
fn a_send_many_dropped_halfway_sends_a_prefix() {
    let cluster = small_cluster();
    cluster.set_network_delay(Duration::from_millis(20));
    let producer = builder(&cluster)
        .buffer_memory(16 << 10)
        .batch_size(4 << 10)
        .build()
        .unwrap();
    smol::block_on(producer.topic("events")).unwrap();
    let records: Vec<_> = (0..100)
        .map(|n| Record::to("events").value(filler(n)))
        .collect();
    assert!(!poll_and_drop(2, producer.send_many(&records)));
    smol::block_on(producer.close());
    let arrived = cluster.record_count("events");
    assert!(0 < arrived && arrived < 100, "{arrived}");
    cluster.assert_in_order("events", (0..arrived).map(filler));
    assert_eq!(producer.buffered_bytes(), 0);
}
