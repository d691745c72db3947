//! Changes on the broker while a producer goes on: its topic is recreated, or the broker forgets the
//! producer.

use std::thread;
use std::time::Duration;

use downpour::Record;
use kafka_harness::Cluster;

use crate::shared::{PRODUCERS_KNOWN_FOR, build, builder, create, new, old, send, values};

/// The topic that is recreated has another id, and an empty log that knows no producer.
fn records_reach_a_recreated_topic(cluster: &Cluster) {
    let producer = build(builder(cluster).auto_create_topics(false));
    create(cluster, "recreated", &[]);
    for offset in 0..3 {
        assert_eq!(send(&producer, "recreated", "old"), Some(offset));
    }
    cluster.delete_topic("recreated").expect("it is there");
    // Its name is free once the broker has renamed its directory, which takes a moment.
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(100));
        if cluster.create_topic("recreated", 1, &[]).is_ok() {
            break;
        }
    }
    for offset in 0..3 {
        assert_eq!(send(&producer, "recreated", "new"), Some(offset));
    }
    assert_eq!(values(cluster, "recreated"), ["new"; 3]);
}

#[test]
fn a_producer_goes_on_when_its_topic_of_4_3_1_is_deleted_and_recreated() {
    records_reach_a_recreated_topic(&new());
}

#[test]
fn a_producer_goes_on_when_its_topic_of_2_8_2_is_deleted_and_recreated() {
    records_reach_a_recreated_topic(&old());
}

#[test]
fn a_producer_that_the_broker_has_forgotten_goes_on() {
    let cluster = new();
    create(&cluster, "forgetful", &[]);
    let producer = build(builder(&cluster));
    for round in 0..2 {
        let values: Vec<String> = (0..500).map(|number| format!("{round} {number}")).collect();
        let records = values
            .iter()
            .map(|value| Record::to("forgetful").value(value));
        let records: Vec<_> = records.collect();
        let deliveries = producer.send_many_and_wait(&records).unwrap();
        let offsets = deliveries
            .iter()
            .map(|delivery| delivery.wait().unwrap().offset());
        assert!(offsets.eq((round * 500..).map(Some).take(500)));
        thread::sleep(PRODUCERS_KNOWN_FOR + Duration::from_secs(1));
    }
    let read = values(&cluster, "forgetful");
    let sent = (0..2).flat_map(|round| (0..500).map(move |number| format!("{round} {number}")));
    assert!(read.into_iter().eq(sent));
}
