//! Topics as definitions, and producers that are bound to one.

use std::time::Duration;

use downpour::{ErrorKind, Message, Producer, Record, Topic, Written};
use downpour_fake::{ApiKey, FakeCluster};

use crate::setup::{PATIENCE, cluster, producer, small_cluster, until};

const EVENTS: Topic = Topic::new("events");

#[test]
fn both_bound_producers_have_all_verbs() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    let message = |n: i32| Message::new().value(n.to_string());
    let topic = smol::block_on(async {
        let topic = producer.topic(&EVENTS).await.unwrap();
        assert_eq!((topic.name(), topic.partitions()), ("events", 1));
        topic.send("0").await.unwrap().await.unwrap();
        topic.send_and_wait(String::from("1")).await.unwrap();
        topic.try_send(&"2".into()).unwrap().await.unwrap();
        let two = [message(3), message(4)];
        topic.send_many(&two).await.unwrap().await.unwrap();
        let two = [message(5), message(6)];
        let many = topic.send_many_and_wait(&two).await.unwrap();
        assert!(many.iter().all(|delivery| !delivery.is_pending()));
        topic.flush().await;
        topic
    });
    let blocking = producer.blocking().topic("events").unwrap();
    assert_eq!((blocking.name(), blocking.partitions()), ("events", 1));
    blocking.send(b"7").unwrap().wait().unwrap();
    blocking.send_and_wait(b"8".to_vec()).unwrap();
    blocking.try_send(&message(9)).unwrap().wait().unwrap();
    let two = [message(10), message(11)];
    blocking.send_many(&two).unwrap().wait().unwrap();
    drop(blocking.send_many_and_wait(&[message(12)]).unwrap());
    blocking.produce_async("13").unwrap().wait().unwrap();
    blocking.produce_sync("14").unwrap();
    let one = [message(15)];
    blocking.produce_many_async(&one).unwrap().wait().unwrap();
    drop(blocking.produce_many_sync(&[message(16)]).unwrap());
    blocking.flush();
    let last = topic.blocking().send_and_wait("17").unwrap();
    assert_eq!(last.offset(), Some(17));
    assert!(blocking.close_within(Duration::from_secs(60)).is_empty());
    blocking.close();
    smol::block_on(topic.close());
    assert!(smol::block_on(topic.close_within(PATIENCE)).is_empty());
    let late = smol::block_on(topic.send("late")).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Closed, "{late}");
    cluster.assert_in_order("events", (0..18).map(|n| n.to_string()));
}

/// Dropping a producer ends it when nobody holds it any more in any form.
#[test]
fn a_bound_producer_keeps_the_producer_alive_and_the_last_of_all_ends_it() {
    let cluster = cluster();
    let first = producer(&cluster);
    let topic = smol::block_on(first.topic("events")).unwrap();
    let clone = topic.clone();
    drop((first, topic));
    let report = clone.blocking().send_and_wait("v").unwrap();
    assert_eq!(report.topic(), "events");
    let kept = clone.producer().clone();
    drop(clone);
    smol::block_on(kept.send_and_wait(Record::to("events"))).unwrap();
    assert!(cluster.connections() > 0);
    drop(kept);
    until("the last one ended the producer", || {
        cluster.connections() == 0
    });
}

#[test]
fn a_producer_that_is_bound_sends_to_its_topic_whatever_else_is_there() {
    let cluster = FakeCluster::builder()
        .topic("events", 6)
        .topic("others", 2)
        .start()
        .unwrap();
    let producer = producer(&cluster).blocking();
    let [events, others] = ["events", "others"].map(|name| producer.topic(name).unwrap());
    let message = |n: usize| {
        let message = Message::from("v").header("n", n.to_string());
        match n % 3 {
            0 => message.partition((n % 2) as i32),
            1 => message.key(n.to_string()),
            _ => message.label(n),
        }
    };
    let messages: Vec<_> = (0..300).map(message).collect();
    let deliveries = others.send_many_and_wait(&messages).unwrap();
    for (n, ended) in deliveries.reports().enumerate() {
        let report = ended.unwrap().unwrap();
        assert_eq!(report.topic(), "others");
        assert_eq!(report.label::<usize>().copied(), (n % 3 == 2).then_some(n));
    }
    let record = Record::to(&others).value("w");
    events.send_and_wait(record.into_message()).unwrap();
    producer.send_and_wait(Record::to(&others)).unwrap();
    let count = |topic| cluster.record_count(topic);
    assert_eq!((count("events"), count("others")), (1, 301));
}

#[test]
fn of_many_messages_the_rest_is_what_was_given_without_what_was_dispatched() {
    let cluster = cluster();
    let topic = producer(&cluster).blocking().topic("events").unwrap();
    let messages = [0, 99, 1].map(|partition| Message::new().partition(partition));
    let error = topic.send_many_and_wait(&messages).unwrap_err();
    assert_eq!((error.dispatched().len(), error.index()), (1, 1));
    let rest = &messages[error.dispatched().len()..];
    topic.send_and_wait(rest[1].clone()).unwrap();
    let invalid = topic.send(Message::tombstone("")).unwrap_err();
    assert_eq!(invalid.kind(), ErrorKind::InvalidRecord, "{invalid}");
    assert_eq!(cluster.record_count("events"), 2);
}

#[test]
fn what_a_closed_topic_did_not_deliver_comes_back_as_records() {
    let cluster = small_cluster();
    let topic = producer(&cluster).blocking().topic("events").unwrap();
    cluster.kill(1);
    let delivery = topic.send(Message::from("v").label(7)).unwrap();
    let left = topic.close_within(Duration::from_millis(1));
    let [record] = left.unsent() else {
        panic!("{left:?}")
    };
    assert_eq!(
        (record.get_topic(), record.get_label()),
        ("events", Some(&7))
    );
    assert_eq!(delivery.wait().unwrap_err().written(), Written::No);
}

#[test]
fn a_topic_that_was_bound_is_not_asked_for_again() {
    let cluster = cluster();
    let producer = producer(&cluster);
    let bound = smol::block_on(producer.topic(&EVENTS)).unwrap();
    let asked = cluster.request_count(ApiKey::Metadata);
    let again = smol::block_on(producer.topic(&bound)).unwrap();
    assert_eq!(again.partitions(), 6);
    assert_eq!(cluster.request_count(ApiKey::Metadata), asked);
    // To another producer it is a name.
    let other = Producer::builder("127.0.0.1:1").max_block(Duration::ZERO);
    let other = other.build().unwrap();
    let error = smol::block_on(other.topic(&bound)).unwrap_err();
    assert!(error.to_string().contains("topic events"), "{error}");
}

#[test]
fn a_topic_too_many_is_refused_by_the_name_of_the_setting() {
    let cluster = cluster();
    let builder = Producer::builder(cluster.bootstrap_servers()).topics_max(1);
    let producer = builder.build().unwrap().blocking();
    let send = |topic| producer.try_send(&Record::to(topic).value("v"));
    // Its metadata is asked for.
    assert_eq!(send("first").unwrap_err().kind(), ErrorKind::NotReady);
    let error = send("second").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(error.to_string().contains("topics_max=1 is"), "{error}");
    producer.close();
}
