//! What a producer holds of metadata: what it uses, and nothing out of proportion.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use downpour::{Producer, Record};

use crate::counting::{held, peak};
use crate::scripted::{Scripted, topic};

/// One at a time: what is counted is the process's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn producer(broker: &Scripted) -> Producer {
    let producer = Producer::builder(broker.address()).max_block(Duration::from_secs(60));
    let producer = producer.build().unwrap();
    let sent = producer
        .blocking()
        .produce_sync(Record::to("small").value("v"));
    sent.unwrap();
    producer
}

#[test]
fn a_partition_that_is_known_costs_less_than_850_bytes() {
    let _alone = alone();
    const COUNT: usize = 100_000;
    let broker = Scripted::start();
    broker.tell("small", vec![topic("small", 1)]);
    let bytes = broker.tell("large", vec![topic("large", COUNT)]);
    let producer = producer(&broker);
    let before = held();
    peak();
    let sent = producer
        .blocking()
        .produce_sync(Record::to("large").value("v"));
    sent.unwrap();
    let (held, peak) = ((held() - before) / COUNT, (peak() - before) / COUNT);
    eprintln!(
        "{held} bytes per partition, {peak} at most, of {} in the answer",
        bytes / COUNT
    );
    assert!(held < 850, "{held}");
    assert!(peak < 1000, "{peak}");
}

#[test]
fn metadata_of_a_million_partitions_is_refused_with_the_reason_and_held_by_nobody() {
    let _alone = alone();
    let broker = Scripted::start();
    broker.tell("small", vec![topic("small", 1)]);
    let bytes = broker.tell("absurd", vec![topic("absurd", 1_000_000)]);
    broker.tell_otherwise(vec![topic("small", 1)]);
    let producer = producer(&broker);
    let blocking = producer.blocking();
    let before = held();
    peak();
    let sent = Producer::builder(broker.address())
        .max_block(Duration::from_secs(2))
        .build()
        .unwrap();
    let sent = sent
        .blocking()
        .produce_sync(Record::to("absurd").value("v"));
    let said = sent.unwrap_err().to_string();
    let (held, peak) = (held().saturating_sub(before), peak() - before);
    eprintln!("{held} held, {peak} at most, of {bytes} in the answer: {said}");
    assert!(
        said.contains("1000000 partitions, more than 100000"),
        "{said}"
    );
    assert!(said.contains(broker.address()), "{said}");
    assert!(held < 4 << 20, "{held}");
    assert!(peak < 10 * bytes, "{peak} of {bytes}");
    blocking
        .produce_sync(Record::to("small").value("v"))
        .unwrap();
}

#[test]
fn topics_that_nobody_asked_for_are_not_kept() {
    let _alone = alone();
    let broker = Scripted::start();
    let name = |n: usize| format!("somebody-else-s-{n}");
    let mut topics: Vec<_> = (0..20_000).map(|n| topic(&name(n), 10)).collect();
    topics.push(topic("events", 2));
    broker.tell("small", vec![topic("small", 1)]);
    let bytes = broker.tell("events", topics);
    let producer = producer(&broker);
    let before = held();
    let sent = producer
        .blocking()
        .produce_sync(Record::to("events").value("v"));
    sent.unwrap();
    let held = held().saturating_sub(before);
    eprintln!("{held} held of {bytes} in the answer");
    assert!(held < 1 << 20, "{held}");
}
