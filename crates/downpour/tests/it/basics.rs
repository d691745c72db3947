//! Sending and being told where records went, on every kind of executor and over both ways.

use std::time::Duration;

use downpour::{Producer, Record};
use downpour_fake::FakeCluster;

fn cluster() -> FakeCluster {
    FakeCluster::builder()
        .brokers(3)
        .topic("events", 6)
        .start()
        .unwrap()
}

#[test]
fn a_record_sent_without_an_executor_is_reported_with_its_place() {
    let cluster = cluster();
    let producer = Producer::builder(cluster.bootstrap_servers())
        .build()
        .unwrap()
        .blocking();
    let record = Record::to("events")
        .key("k")
        .value("v")
        .header("h", "1")
        .header("h", "2")
        .partition(4)
        .timestamp_ms(1_700_000_000_000)
        .label(7u32);
    let report = producer.produce_sync(record).unwrap();
    assert_eq!(
        (report.topic(), report.partition(), report.offset()),
        ("events", 4, Some(0))
    );
    assert_eq!(report.to_string(), "events-4@0");
    assert_eq!(report.timestamp_ms(), 1_700_000_000_000);
    assert_eq!(report.label::<u32>(), Some(&7));
    producer.close();
    let records = cluster.records("events", 4);
    assert_eq!(records.len(), 1);
    cluster.assert_no_violations();
}

#[test]
fn many_records_in_memory_arrive_once_and_in_order() {
    let cluster = cluster();
    let producer = Producer::builder(cluster.bootstrap_servers())
        .connector(cluster.connector())
        .build()
        .unwrap()
        .blocking();
    let mut handles = Vec::new();
    for number in 0..20_000 {
        let value = number.to_string();
        handles.push(
            producer
                .produce_async(Record::to("events").value(&value))
                .unwrap(),
        );
    }
    for handle in &handles {
        handle
            .wait_timeout(Duration::from_secs(20))
            .unwrap()
            .unwrap();
    }
    producer.close();
    cluster.assert_delivered_once("events", (0..20_000).map(|n| n.to_string()));
    cluster.assert_in_order("events", (0..20_000).map(|n| n.to_string()));
    cluster.assert_no_violations();
}

#[test]
fn smol_awaits_acceptance_and_then_acknowledgement() {
    let cluster = cluster();
    smol::block_on(async {
        let producer = Producer::builder(cluster.bootstrap_servers())
            .build()
            .unwrap();
        let delivery = producer
            .send(Record::to("events").value("v"))
            .await
            .unwrap();
        assert_eq!(delivery.await.unwrap().offset(), Some(0));
        producer.close().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn tokio_tasks_share_a_producer() {
    let cluster = cluster();
    let producer = Producer::builder(cluster.bootstrap_servers())
        .build()
        .unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let producer = producer.clone();
            tokio::spawn(async move {
                for number in 0..200 {
                    let value = format!("{task}-{number}");
                    let record = Record::to("events").key(task.to_string()).value(value);
                    producer.send_and_wait(record).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    producer.close().await;
    let sent = (0..8).flat_map(|task| (0..200).map(move |n| format!("{task}-{n}")));
    cluster.assert_delivered_once("events", sent);
    cluster.assert_no_violations();
}
