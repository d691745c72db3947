//! What changes under a producer that goes on: its topic, and what the broker knows of it.

use std::thread;
use std::time::Duration;

use downpour::Record;
use kafka_harness::Cluster;

use crate::shared::{PRODUCERS_KNOWN_FOR, build, builder, create, new, old, send, values};

/// The topic has the same name and another id, and an empty log that knows no producer.
fn a_topic_is_made_anew(cluster: &Cluster) {
    let producer = build(builder(cluster).auto_create_topics(false));
    create(cluster, "anew", &[]);
    for offset in 0..3 {
        assert_eq!(send(&producer, "anew", "old"), Some(offset));
    }
    cluster.delete_topic("anew").expect("it is there");
    // Its name is free when its directory was renamed, which takes brokers a moment.
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(100));
        if cluster.create_topic("anew", 1, &[]).is_ok() {
            break;
        }
    }
    for offset in 0..3 {
        assert_eq!(send(&producer, "anew", "new"), Some(offset));
    }
    assert_eq!(values(cluster, "anew"), ["new"; 3]);
}

#[test]
fn a_topic_of_4_3_1_that_is_deleted_and_made_anew_is_sent_to() {
    a_topic_is_made_anew(&new());
}

#[test]
fn a_topic_of_2_8_2_that_is_deleted_and_made_anew_is_sent_to() {
    a_topic_is_made_anew(&old());
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
        let deliveries = producer.produce_many_sync(records).unwrap();
        let offsets = deliveries
            .outcomes()
            .map(|end| end.and_then(|end| end.offset()));
        assert!(offsets.eq((round * 500..).map(Some).take(500)));
        thread::sleep(PRODUCERS_KNOWN_FOR + Duration::from_secs(1));
    }
    let read = values(&cluster, "forgetful");
    let sent = (0..2).flat_map(|round| (0..500).map(move |number| format!("{round} {number}")));
    assert!(read.into_iter().eq(sent));
}
