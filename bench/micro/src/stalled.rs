//! A producer whose I/O thread stands still while records are sent, so that the caller's path is
//! the same each time: it never helps, waits for nothing and finds no answers.
//!
//! A waker runs on the I/O thread and may do anything, so one of ours holds it. What callers do
//! while the I/O thread sleeps, which is writing requests themselves, is not counted here.

use std::error::Error;
use std::future::Future as _;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use downpour::Delivery;
use downpour::Message;
use downpour::blocking::{Producer, TopicProducer};
use downpour_fake::FakeCluster;

/// Its partitions.
pub(crate) const PARTITIONS: i32 = 6;
/// Its name.
pub(crate) const TOPIC: &str = "events";

/// A producer, its broker and its topic, whose metadata is there.
pub(crate) struct Stand {
    pub(crate) producer: Producer,
    pub(crate) topic: TopicProducer,
    _cluster: Option<FakeCluster>,
}

impl Stand {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let cluster = FakeCluster::builder().topic(TOPIC, PARTITIONS).start()?;
        Self::at(&cluster.bootstrap_servers(), Some(cluster))
    }

    /// With a broker that is there and has the topic.
    pub(crate) fn at(
        bootstrap: &str,
        cluster: Option<FakeCluster>,
    ) -> Result<Self, Box<dyn Error>> {
        let producer = downpour::Producer::builder(bootstrap).build()?.blocking();
        let topic = producer.topic(TOPIC)?;
        Ok(Self {
            producer,
            topic,
            _cluster: cluster,
        })
    }

    /// Works while the I/O thread stands still; then waits until everything has its verdict.
    pub(crate) fn while_stalled<R>(&self, work: impl FnOnce() -> R) -> Result<R, Box<dyn Error>> {
        let brake = Arc::new(Brake::default());
        self.hold(&brake)?;
        // Whoever is told something while it is awake wakes nobody and helps nobody. It holds in
        // our waker, perhaps marked as asleep; a partition that does not exist makes the caller
        // tell it so, which marks it as awake.
        let refused = self.topic.try_send(&Message::new().partition(PARTITIONS));
        let done = work();
        brake.release();
        if refused.is_ok() {
            return Err("a partition that does not exist took a record".into());
        }
        self.producer.flush();
        Ok(done)
    }

    /// Returns once the I/O thread is in the brake's waker.
    fn hold(&self, brake: &Arc<Brake>) -> Result<(), Box<dyn Error>> {
        let waker = Waker::from(brake.clone());
        loop {
            let message = Message::new().partition(0).value("a plug");
            let mut delivery: Delivery = self.topic.send(message)?;
            // Its answer may be here already; then the next one will be slower.
            let mut context = Context::from_waker(&waker);
            if pin!(&mut delivery).poll(&mut context).is_pending() {
                brake.wait_until_held();
                return Ok(());
            }
        }
    }
}

#[derive(Debug, Default)]
struct Brake {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Free,
    Held,
    Released,
}

impl Brake {
    fn set(&self, to: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = to;
        self.changed.notify_all();
    }

    fn wait_for(&self, what: State) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while *state != what {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wait_until_held(&self) {
        self.wait_for(State::Held);
    }

    fn release(&self) {
        self.set(State::Released);
    }
}

impl Wake for Brake {
    fn wake(self: Arc<Self>) {
        self.set(State::Held);
        self.wait_for(State::Released);
    }
}
