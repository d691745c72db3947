//! `buffer_memory` among brokers: one that does not answer keeps the others' records not back.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use downpour::{
    Choice, Delivery, ErrorKind, PartitionContext, Partitioner, Producer, Record, SendError,
    WaitedFor,
};
use downpour_fake::{ApiKey, FakeCluster, Fault};

use crate::setup::{PATIENCE, builder, cluster, until};

const MEMORY: usize = 1 << 20;

/// The partitions of `events` that this broker leads.
fn led_by(cluster: &FakeCluster, broker: i32) -> Vec<i32> {
    let leads = |partition: &i32| cluster.leader("events", *partition) == broker;
    (0..6).filter(leads).collect()
}

/// A producer of little memory, whose broker 2 answers to no request with records.
fn with_silent_broker(cluster: &FakeCluster, max_block: Duration) -> Producer {
    cluster.fault(Fault::hang().on(ApiKey::Produce).broker(2).always());
    let producer = builder(cluster)
        .buffer_memory(MEMORY)
        .batch_size(16 << 10)
        .max_block(max_block)
        .build()
        .unwrap();
    until("its topic is known", || {
        smol::block_on(producer.topic("events")).is_ok()
    });
    producer
}

/// Sends to the broker's partitions until its records may have no more memory.
fn fill(producer: &Producer, partition: i32) {
    let record = || {
        Record::to("events")
            .partition(partition)
            .value(vec![1; 1000])
    };
    let mut sent = 0;
    while producer.try_send(&record()).is_ok() {
        sent += 1;
        assert!(sent < 2 * MEMORY / 1000, "it has no end");
    }
}

/// What a send says that waited too long for memory.
fn timeout(answer: Result<impl Sized, SendError>) -> SendError {
    let error = answer.err().expect("not accepted");
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.waited_for(), Some(WaitedFor::Memory));
    error
}

fn give_up(producer: Producer) {
    drop(smol::block_on(
        producer.close_within(Duration::from_millis(1)),
    ));
}

#[test]
fn records_for_other_brokers_go_on_while_one_does_not_answer() {
    let cluster = cluster();
    let producer = with_silent_broker(&cluster, PATIENCE);
    let [silent, ..] = led_by(&cluster, 2)[..] else {
        panic!("it leads nothing")
    };
    fill(&producer, silent);
    let held = producer.buffered_bytes();
    assert!((MEMORY / 4..=MEMORY / 2).contains(&held), "{held}");
    // Somebody waits for it all the while.
    let waits = Record::to("events").partition(silent).value(vec![1; 1000]);
    let mut waits = producer.send(waits);
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut waits).poll(&mut context).is_pending());
    // Some times what the others may have at once, by both ways in.
    let mut others = led_by(&cluster, 1);
    others.extend(led_by(&cluster, 3));
    let records = 4 * MEMORY / 1000;
    let value = |n: usize| format!("{n:01000}");
    let mut handles = Vec::new();
    for n in 0..records {
        let record = Record::to("events").partition(others[n % others.len()]);
        let record = record.value(value(n));
        handles.push(smol::block_on(producer.send(record)).unwrap());
    }
    for handle in &handles {
        handle.wait().unwrap();
    }
    for n in 0..50 {
        let record = Record::to("events").partition(others[n % others.len()]);
        let handle = producer.try_send(&record.value(value(records + n)));
        handle.unwrap().wait().unwrap();
    }
    cluster.assert_delivered_once("events", (0..records + 50).map(value));
    assert!(Pin::new(&mut waits).poll(&mut context).is_pending());
    drop(waits);
    give_up(producer);
}

#[test]
fn an_error_names_the_broker_whose_records_hold_the_memory() {
    let cluster = cluster();
    let producer = with_silent_broker(&cluster, Duration::from_millis(50));
    let silent = led_by(&cluster, 2)[0];
    fill(&producer, silent);
    let gives_up = || {
        let record = Record::to("events").partition(silent).value(vec![1; 1000]);
        timeout(smol::block_on(producer.send(record)))
    };
    until("it is known to be silent", || {
        gives_up().memory_holders()[0].silent_for().is_some()
    });
    let timeout = gives_up();
    let [holder] = timeout.memory_holders() else {
        panic!("{:?}", timeout.memory_holders())
    };
    assert_eq!(holder.broker(), Some(2));
    assert_eq!(holder.bytes(), producer.buffered_bytes());
    let silent_for = holder.silent_for().unwrap();
    assert!(silent_for >= Duration::from_secs(1), "{silent_for:?}");
    let address = holder.address().unwrap().to_string();
    let text = timeout.to_string();
    let named = format!(
        "of 1.0 MiB (buffer_memory) are held by records for broker 2 ({address}), which has not"
    );
    assert!(text.contains(&named), "{text}");
    give_up(producer);
}

#[test]
fn records_without_a_key_avoid_a_broker_that_is_silent_until_it_answers() {
    let cluster = cluster();
    let producer = with_silent_broker(&cluster, PATIENCE);
    let silent = led_by(&cluster, 2);
    fill(&producer, silent[0]);
    // The first that turn to the silent broker wait until it is known to be that.
    let keyless = |n: usize| Record::to("events").value(format!("{n:01000}"));
    let total = 3 * MEMORY / 1000;
    let mut handles = Vec::new();
    for n in 0..total {
        handles.push(smol::block_on(producer.send(keyless(n))).unwrap());
    }
    // Of the first second some may have gone to it.
    let at_silent = |handle: &Delivery| silent.contains(&handle.partition());
    let stuck = handles.iter().filter(|handle| at_silent(handle)).count();
    assert!(stuck < total / 6, "{stuck}");
    for handle in handles.iter().filter(|handle| !at_silent(handle)) {
        handle.wait().unwrap();
    }
    for n in 0..200 {
        let handle = producer.try_send(&keyless(total + n)).unwrap();
        assert!(!at_silent(&handle), "{}", handle.partition());
        handle.wait().unwrap();
    }
    cluster.clear_faults();
    cluster.disconnect_clients(2);
    until("it is used again", || {
        let handle = smol::block_on(producer.send(keyless(total))).unwrap();
        at_silent(&handle)
    });
    producer.blocking().close();
    cluster.assert_no_violations();
}

#[test]
fn one_that_waits_for_a_silent_broker_and_may_go_elsewhere_does() {
    let cluster = cluster();
    let producer = with_silent_broker(&cluster, PATIENCE);
    let silent = led_by(&cluster, 2);
    fill(&producer, silent[0]);
    // Each waits at once, or is accepted at a broker that answers.
    let sends: Vec<_> = (0..30)
        .map(|n| {
            let value = format!("{n:020000}");
            let mut send = producer.send(Record::to("events").value(value));
            let mut context = Context::from_waker(Waker::noop());
            let accepted = match Pin::new(&mut send).poll(&mut context) {
                Poll::Ready(handle) => Some(handle.unwrap()),
                Poll::Pending => None,
            };
            (send, accepted)
        })
        .collect();
    let waited = sends.iter().filter(|(_, accepted)| accepted.is_none());
    assert!(waited.count() > 0, "no record chose the silent broker");
    // All at the same time: a grant that nobody collects keeps others waiting.
    std::thread::scope(|scope| {
        for (send, accepted) in sends {
            let silent = &silent;
            scope.spawn(move || {
                let handle = accepted.unwrap_or_else(|| smol::block_on(send).unwrap());
                if !silent.contains(&handle.partition()) {
                    handle.wait().unwrap();
                }
            });
        }
    });
    give_up(producer);
}

/// Answers with one partition, whatever is available.
struct Insists(i32, Arc<AtomicU32>);

impl Partitioner for Insists {
    fn partition(&self, _: &PartitionContext<'_>) -> Choice {
        self.1.fetch_add(1, Ordering::Relaxed);
        Choice::Partition(self.0)
    }
}

#[test]
fn a_partitioner_that_insists_on_a_silent_broker_is_asked_a_few_times_and_then_waited_for() {
    let cluster = cluster();
    cluster.fault(Fault::hang().on(ApiKey::Produce).broker(2).always());
    let asked = Arc::new(AtomicU32::new(0));
    let silent = led_by(&cluster, 2)[0];
    let producer = builder(&cluster)
        .buffer_memory(MEMORY)
        .max_block(Duration::from_millis(1500))
        .partitioner(Insists(silent, asked.clone()))
        .build()
        .unwrap();
    smol::block_on(producer.topic("events")).unwrap();
    fill(&producer, silent);
    for _ in 0..2 {
        let before = asked.load(Ordering::Relaxed);
        let send = producer.send(Record::to("events").value(vec![1; 1000]));
        timeout(smol::block_on(send));
        let times = asked.load(Ordering::Relaxed) - before;
        assert!(times < 12, "{times}");
    }
    give_up(producer);
}

#[test]
fn memory_goes_with_a_partition_to_its_new_leader_once_the_one_before_has_let_go() {
    let cluster = cluster();
    let producer = with_silent_broker(&cluster, PATIENCE);
    let (moves, other) = (led_by(&cluster, 2)[0], led_by(&cluster, 1)[0]);
    // It is connected to one that it can ask.
    let first = producer.send(Record::to("events").partition(other));
    smol::block_on(first).unwrap().wait().unwrap();
    fill(&producer, moves);
    until("it was asked", || {
        cluster.request_count(ApiKey::Produce) > 0
    });
    let record = Record::to("events").partition(moves).value(vec![1; 1000]);
    let mut waits = producer.send(record);
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut waits).poll(&mut context).is_pending());
    cluster.move_leader("events", moves, 1);
    // A partition that does not exist makes it ask for metadata.
    let asked = cluster.request_count(ApiKey::Metadata);
    let nowhere = producer.try_send(&Record::to("events").partition(99));
    assert_eq!(nowhere.unwrap_err().kind(), ErrorKind::InvalidRecord);
    until("it asks", || {
        cluster.request_count(ApiKey::Metadata) > asked
    });
    // What is in flight at the broker before takes nothing from the new one's records.
    for _ in 0..2 * MEMORY / 1000 {
        let record = Record::to("events").partition(other).value(vec![1; 1000]);
        drop(smol::block_on(producer.send(record)).unwrap());
    }
    cluster.clear_faults();
    cluster.disconnect_clients(2);
    smol::block_on(waits).unwrap().wait().unwrap();
    smol::block_on(producer.flush());
    assert_eq!(producer.buffered_bytes(), 0);
    cluster.assert_no_violations();
}

#[test]
fn with_one_broker_all_of_the_memory_is_its_own() {
    let cluster = FakeCluster::builder().topic("events", 6).start().unwrap();
    cluster.fault(Fault::hang().on(ApiKey::Produce).always());
    let producer = builder(&cluster)
        .buffer_memory(MEMORY)
        .batch_size(16 << 10)
        .build()
        .unwrap();
    smol::block_on(producer.topic("events")).unwrap();
    fill(&producer, 0);
    let held = producer.buffered_bytes();
    assert!(held > MEMORY - (32 << 10), "{held}");
    give_up(producer);
}
