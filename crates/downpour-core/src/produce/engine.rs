//! What the engine holds, and how it begins. What it does is in the files beside this one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crate::client::bootstrap::Bootstrap;
use crate::client::cluster::Cluster;
use crate::client::connection::Connection;
use crate::client::inquiry::Inquiry;
use crate::config::Config;
use crate::event::Event;
use crate::identity::IdentityState;
use crate::ids::{ConnectionId, PartitionId};
use crate::output::{Output, Outputs};
use crate::produce::broker::Broker;
use crate::produce::requests::Purpose;
use crate::produce::topic_state::TopicState;
use crate::rng::Rng;

/// The decisions of the I/O thread.
///
/// Drive it in this order: tell it what happened (`handle_*`, [`mark_dirty`](Self::mark_dirty)),
/// call [`poll`](Self::poll), carry out each [`poll_output`](Self::poll_output) until there is
/// none, sleep until [`next_wake`](Self::next_wake) or until something happens. What was written
/// on a connection is told before anything else of that connection, since a request that had
/// left would otherwise count as unsent and a record that was written would be called failed.
///
/// `T` is the completion handle of a batch; see [`Output`].
#[derive(Debug)]
pub struct Engine<T> {
    pub(super) config: Arc<Config>,
    pub(super) rng: Rng,
    pub(super) cluster: Cluster,
    pub(super) identity: IdentityState,
    /// The producer id: one request at a time.
    pub(super) init: Inquiry,
    /// The picture of the cluster: one request at a time.
    pub(super) metadata: Inquiry,
    pub(super) connections: BTreeMap<ConnectionId, Connection<Purpose>>,
    pub(super) next_connection: u64,
    pub(super) brokers: BTreeMap<i32, Broker>,
    pub(super) bootstrap: Bootstrap,
    pub(super) topics: Vec<TopicState>,
    /// Partitions whose queues changed since they were last looked at.
    pub(super) dirty: Vec<PartitionId>,
    /// Partitions with something to send and no leader to send it to.
    pub(super) leaderless: Vec<PartitionId>,
    /// Set by the shell while callers wait for memory, cleared by it when nobody does. Without
    /// it open batches would linger while the memory in them is what the callers wait for.
    pub(super) pressure: bool,
    /// Set when the producer closes and never cleared: open batches leave at once.
    pub(super) draining: bool,
    pub(super) sweep_at: Option<Instant>,
    pub(super) out: Outputs<T>,
}

impl<T: Clone> Engine<T> {
    /// An engine that has done nothing yet. It connects when a topic is first wanted.
    pub fn new(config: Arc<Config>, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let first = rng.below(config.bootstrap.len().max(1) as u64) as usize;
        Self {
            init: Inquiry {
                wanted: config.idempotence,
                ..Inquiry::default()
            },
            config,
            rng,
            cluster: Cluster::default(),
            identity: IdentityState::default(),
            metadata: Inquiry::default(),
            connections: BTreeMap::new(),
            next_connection: 0,
            brokers: BTreeMap::new(),
            bootstrap: Bootstrap {
                next: first,
                ..Bootstrap::default()
            },
            topics: Vec::new(),
            dirty: Vec::new(),
            leaderless: Vec::new(),
            pressure: false,
            draining: false,
            sweep_at: None,
            out: VecDeque::new(),
        }
    }

    /// Whether callers wait for memory: open batches then leave at once.
    pub fn set_pressure(&mut self, pressure: bool) {
        self.pressure = pressure;
    }

    /// What to do next, in order; `None` when everything was said.
    pub fn poll_output(&mut self) -> Option<Output<T>> {
        self.out.pop_front()
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }
}

/// The earlier of two times, of which either may not be set.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
