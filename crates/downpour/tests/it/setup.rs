//! What the other modules share: clusters, producers, and futures polled a few times.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use downpour::{Producer, ProducerBuilder};
use downpour_fake::FakeCluster;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Three brokers and the topic `events` of six partitions.
pub(crate) fn cluster() -> FakeCluster {
    FakeCluster::builder()
        .brokers(3)
        .topic("events", 6)
        .start()
        .unwrap()
}

/// One broker and the topic `events` of one partition.
pub(crate) fn small_cluster() -> FakeCluster {
    FakeCluster::builder().topic("events", 1).start().unwrap()
}

/// Over TCP, with pauses that suit a test.
pub(crate) fn builder(cluster: &FakeCluster) -> ProducerBuilder {
    quick(Producer::builder(cluster.bootstrap_servers()))
}

pub(crate) fn quick(builder: ProducerBuilder) -> ProducerBuilder {
    let ms = Duration::from_millis;
    builder
        .retry_backoff(ms(5), ms(50))
        .reconnect_backoff(ms(5), ms(50))
}

pub(crate) fn producer(cluster: &FakeCluster) -> Producer {
    builder(cluster).build().unwrap()
}

/// Polls a future so many times with nobody to wake, then drops it. True if it ended.
pub(crate) fn poll_and_drop<F: Future>(times: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if future.as_mut().poll(&mut context).is_ready() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

/// Waits until something holds that nobody tells of, and looks once a millisecond.
pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
