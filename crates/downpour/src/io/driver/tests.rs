//! Rounds run by hand against a fake cluster, one step at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use downpour_core::config::{Acks, Config};
use downpour_fake::{ApiKey, FakeCluster, Fault};
use mio::{Events, Poll};

use super::{CALLER_ROUNDS_MAX, Driver, ROUNDS_MAX};
use crate::accept::append::{AcceptProgress, Obstacle, accept, topic};
use crate::builder::ProducerBuilder;
use crate::delivery::delivery::Delivery;
use crate::io::connections::WAKER;
use crate::io::given::Given;
use crate::io::sockets::{SocketEvent, SystemSockets};
use crate::record::record::Record;
use crate::shared::mailbox::Command;
use crate::shared::shared::Shared;
use crate::sys::clock::Clock;

const PATIENCE: Duration = Duration::from_secs(20);

/// A driver without its thread.
struct Rig {
    shared: Arc<Shared>,
    driver: Driver<SystemSockets>,
    poll: Poll,
    events: Events,
}

impl Rig {
    /// Knows the topic `events` of one partition.
    fn new(cluster: &FakeCluster) -> Self {
        Self::with(cluster, |builder| builder)
    }

    fn with(
        cluster: &FakeCluster,
        change: impl FnOnce(ProducerBuilder) -> ProducerBuilder,
    ) -> Self {
        Self::of(cluster, change, |_| ())
    }

    /// With what no builder takes.
    fn of(
        cluster: &FakeCluster,
        build: impl FnOnce(ProducerBuilder) -> ProducerBuilder,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let builder = ProducerBuilder::new()
            .bootstrap(cluster.bootstrap_servers())
            .connector(cluster.connector());
        let mut settings = build(builder).resolve().unwrap();
        change(Arc::make_mut(&mut settings.core));
        let shared = Shared::new(
            settings,
            Clock::default(),
            Box::new(|_| Ok(Box::new(|| false))),
        );
        let poll = Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(WAKER)).unwrap();
        shared.mailbox.set_waker(Box::new(move || waker.wake()));
        let registry = poll.registry().try_clone().unwrap();
        let given = Given::of_system(SystemSockets::new(registry));
        let driver = Driver::new(shared.clone(), given);
        let events = Events::with_capacity(16);
        let mut rig = Self {
            shared,
            driver,
            poll,
            events,
        };
        let topic = topic(&rig.shared, "events").unwrap();
        rig.shared.want_topic(&topic).unwrap();
        rig.rounds_until(|| topic.has_metadata());
        rig
    }

    fn rounds_until(&mut self, so: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so() {
            assert!(Instant::now() < deadline, "not in time");
            let timeout = Some(Duration::from_millis(1));
            self.poll.poll(&mut self.events, timeout).unwrap();
            let (after, _) = self.driver.round(self.events.iter().map(SocketEvent::from));
            after.carry_out();
        }
    }

    fn send(&self, value: &str) -> Delivery {
        send(&self.shared, Record::to("events").value(value))
    }

    fn send_to(&self, partition: i32) -> Delivery {
        let record = Record::to("events").value("v").partition(partition);
        send(&self.shared, record)
    }
}

fn send(shared: &Arc<Shared>, record: Record<'_>) -> Delivery {
    match accept(shared, record.addressed(), &mut AcceptProgress::new(shared)) {
        Ok(delivery) => delivery,
        Err(_) => panic!("there is metadata and memory"),
    }
}

/// Lays its topics to rest with the next refresh.
fn restless(config: &mut Config) {
    config.metadata_max_idle = Duration::from_millis(1);
    config.metadata_max_age = Duration::from_millis(20);
}

#[test]
fn a_topic_that_nobody_sends_to_waits_for_metadata_again_and_keeps_its_sequence() {
    let cluster = FakeCluster::builder().topic("events", 2).start().unwrap();
    let mut rig = Rig::of(&cluster, |builder| builder, restless);
    let entry = topic(&rig.shared, "events").unwrap();
    for offset in 0..3 {
        let waiting = rig.shared.clone();
        if !entry.has_metadata() {
            let record = Record::to("events").value("v").key("k");
            let mut progress = AcceptProgress::new(&waiting);
            let accepted = accept(&waiting, record.addressed(), &mut progress);
            assert!(matches!(accepted, Err(Obstacle::Topic(_))));
            rig.shared.want_topic(&entry).unwrap();
            rig.rounds_until(|| entry.has_metadata());
        }
        let delivery = rig.send_to(0);
        rig.rounds_until(|| !delivery.is_pending());
        assert_eq!(delivery.wait().unwrap().offset(), Some(offset));
        rig.rounds_until(|| !entry.has_metadata());
        assert_eq!(entry.partitions.counted_last(), 2);
    }
    // The fake takes no sequence but the next, and no other producer id was asked for.
    assert_eq!(cluster.request_count(ApiKey::InitProducerId), 1);
    // Nobody asks for it any more.
    let before = cluster.request_count(ApiKey::Metadata);
    cluster.delete_topic("events");
    rig.rounds_until(|| cluster.request_count(ApiKey::Metadata) > before + 3);
    assert_eq!(entry.last_code(), None);
}

#[test]
fn a_record_that_names_a_partition_of_an_idle_topic_waits_in_it() {
    let cluster = FakeCluster::builder().topic("events", 2).start().unwrap();
    let mut rig = Rig::of(&cluster, |builder| builder, restless);
    let entry = topic(&rig.shared, "events").unwrap();
    rig.rounds_until(|| !entry.has_metadata());
    let delivery = rig.send_to(1);
    rig.rounds_until(|| !delivery.is_pending());
    assert_eq!(delivery.wait().unwrap().offset(), Some(0));
}

#[test]
fn partitions_that_went_while_their_topic_was_idle_take_no_record() {
    let cluster = FakeCluster::builder().topic("events", 3).start().unwrap();
    let mut rig = Rig::of(&cluster, |builder| builder, restless);
    let entry = topic(&rig.shared, "events").unwrap();
    rig.rounds_until(|| !entry.has_metadata());
    cluster.delete_topic("events");
    cluster.create_topic("events", 1);
    rig.shared.want_topic(&entry).unwrap();
    rig.rounds_until(|| entry.has_metadata());
    let is_gone = |partition| entry.partitions.get(partition).unwrap().lock().gone;
    assert!(!is_gone(0) && is_gone(1) && is_gone(2));
}

#[test]
fn what_was_written_is_told_before_an_answer_is_read() {
    let cluster = FakeCluster::builder().topic("events", 1).start().unwrap();
    let mut rig = Rig::new(&cluster);
    let first = rig.send("first");
    rig.rounds_until(|| !first.is_pending());

    cluster.fault(Fault::wrong_correlation_id().on(ApiKey::Produce));
    let second = rig.send("second");
    let now = Instant::now();
    rig.driver.take_mail(now);
    // So busy that it leaves with the request written.
    rig.driver.run_engine(now, 1, true);
    assert!(cluster.wait_until(PATIENCE, |c| c.request_count(ApiKey::Produce) == 2));

    // The answer that nobody asked for makes the engine end the connection.
    loop {
        rig.poll.poll(&mut rig.events, Some(PATIENCE)).unwrap();
        assert!(!rig.events.is_empty(), "no answer");
        if rig.events.iter().any(mio::event::Event::is_readable) {
            break;
        }
    }
    rig.driver
        .take_events(rig.events.iter().map(SocketEvent::from));
    let unsent = rig.driver.engine.abort(now, &mut rig.driver.queues);
    assert_eq!(unsent.len(), 0, "it was written: nobody may send it again");
    rig.driver.run_engine(now, ROUNDS_MAX, true);
    let error = second.try_report().unwrap().unwrap_err();
    assert_eq!(error.written(), downpour_core::outcome::Written::Unknown);
}

#[test]
fn addresses_that_nobody_is_at_any_more_are_forgotten_with_the_next_metadata() {
    let cluster = FakeCluster::builder().topic("events", 1).start().unwrap();
    let mut rig = Rig::new(&cluster);
    let shared = rig.shared.clone();
    let now = Instant::now();
    let known = shared.settings.core.bootstrap[0].clone();
    for port in 1..100 {
        shared.note_connecting(&format!("pod:{port}").parse().unwrap(), now);
    }
    shared.note_connecting(&known, now);
    let told = || shared.unreachable(true, now);
    assert_eq!(told().len(), 100);
    let events = topic(&shared, "events").unwrap();
    shared.want_topic(&events).unwrap();
    rig.rounds_until(|| told().len() == 1);
    assert_eq!(*told()[0].address(), known);
}

/// Nothing keeps a caller there: another one that goes on sending, for one.
#[test]
fn a_callers_round_ends_though_there_is_always_something_to_do() {
    let cluster = FakeCluster::builder().topic("events", 1).start().unwrap();
    let mut rig = Rig::with(&cluster, |builder| builder.acks(Acks::None));
    let first = rig.send("first");
    rig.rounds_until(|| !first.is_pending());
    // Each record is sent by the time of the next round of engine and writes.
    let rounds = Arc::new(AtomicU32::new(0));
    let (shared, counted) = (rig.shared.clone(), rounds.clone());
    rig.driver.each_round = Some(Box::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        drop(send(&shared, Record::to("events").value("more")));
    }));
    drop(rig.send("0"));
    rig.driver.run_inline().carry_out();
    let rounds = rounds.load(Ordering::Relaxed);
    assert_eq!(rounds, CALLER_ROUNDS_MAX as u32);
    assert!(!rig.shared.mailbox.may_sleep(), "the rest is the thread's");
}

#[derive(Default)]
struct Counts(AtomicU32);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waker is foreign code, which may wait for whoever waits for the driver.
#[test]
fn those_whom_a_close_wakes_are_not_woken_under_the_drivers_lock() {
    let cluster = FakeCluster::builder().topic("events", 1).start().unwrap();
    let mut rig = Rig::new(&cluster);
    let counts = Arc::new(Counts::default());
    let waker = Waker::from(counts.clone());
    let missing = topic(&rig.shared, "missing").unwrap();
    let _ = missing.poll_metadata(&mut None, &waker);
    rig.shared.mailbox.command(Command::Detach);
    rig.poll
        .poll(&mut rig.events, Some(Duration::ZERO))
        .unwrap();
    let (after, _) = rig.driver.round(rig.events.iter().map(SocketEvent::from));
    assert_eq!(counts.0.load(Ordering::Relaxed), 0, "the round is not over");
    assert_eq!(after.wakers.len(), 1);
}
