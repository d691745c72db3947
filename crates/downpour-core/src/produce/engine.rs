//! What the engine holds, and how it begins. What it does is in the files beside this one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crate::client::cluster::Cluster;
use crate::client::connections::Connections;
use crate::client::inquiry::Inquiry;
use crate::client::notice::{Notice, Notices};
use crate::config::Config;
use crate::event::{Event, Question};
use crate::identity::IdentityState;
use crate::ids::MemoryLine;
use crate::mutants;
use crate::outcome::Cause;
use crate::output::{Output, Outputs};
use crate::produce::broker::Broker;
use crate::produce::questions::Asking;
use crate::produce::requests::{Gathered, Purpose};
use crate::produce::send_lists::SendLists;
use crate::produce::statistics::Statistics;
use crate::produce::wanted::Wanted;
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
    /// Why there is none yet, as far as that is known.
    pub(super) no_identity: Option<Arc<Cause>>,
    /// The picture of the cluster: one request at a time.
    pub(super) metadata: Inquiry,
    pub(super) connections: Connections<Purpose>,
    pub(super) brokers: BTreeMap<i32, Broker>,
    /// Topics that somebody asked for and that are not there yet.
    pub(super) wanted: Wanted,
    /// Topics that cannot be used, as far as they were told of.
    pub(super) topic_notices: Notices<u32>,
    /// Questions that are not answered.
    pub(super) question_notices: Notices<Question>,
    /// What happens to a topic's records, by the number of the event's kind.
    record_notices: Notices<(Arc<str>, u8)>,
    /// Brokers that ask for pauses.
    pub(super) throttle_notices: Notices<Option<i32>>,
    /// What callers ask who send nothing.
    pub(super) asking: Asking,
    pub(super) lists: SendLists,
    /// Empty between requests; kept for its memory.
    pub(super) gathered: Vec<Gathered>,
    pub(super) statistics: Statistics,
    /// Lines in which callers wait for memory, as the shell told last. Without it open batches
    /// would linger while the memory in them is what the callers wait for.
    pub(super) pressed: Vec<MemoryLine>,
    /// Set when the producer closes and never cleared: open batches leave at once.
    pub(super) draining: bool,
    pub(super) sweep_at: Option<Instant>,
    /// What the wall clock showed when it was last told.
    pub(super) wall_clock: Option<(Instant, i64)>,
    pub(super) out: Outputs<T>,
}

impl<T: Clone> Engine<T> {
    /// An engine that has done nothing yet. It connects when somebody first wants something.
    pub fn new(config: Arc<Config>, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut init = Inquiry::default();
        if config.idempotence {
            init.want();
        }
        let first = rng.below(config.bootstrap.len().max(1) as u64) as usize;
        Self {
            init,
            config,
            rng,
            cluster: Cluster::default(),
            identity: IdentityState::default(),
            no_identity: None,
            metadata: Inquiry::default(),
            connections: Connections::new(first),
            brokers: BTreeMap::new(),
            wanted: Wanted::default(),
            topic_notices: Notices::default(),
            question_notices: Notices::default(),
            record_notices: Notices::default(),
            throttle_notices: Notices::default(),
            asking: Asking::default(),
            lists: SendLists::default(),
            gathered: Vec::new(),
            statistics: Statistics::default(),
            pressed: Vec::new(),
            draining: false,
            sweep_at: None,
            wall_clock: None,
            out: VecDeque::new(),
        }
    }

    /// The lines whose open batches leave at once, since callers wait for memory: all of them
    /// whenever it may have changed. The list that it gets is exchanged for the one before.
    pub fn set_pressed(&mut self, lines: &mut Vec<MemoryLine>) {
        if !mutants::is(26) {
            std::mem::swap(&mut self.pressed, lines);
        }
    }

    /// Tells what the wall clock shows, in milliseconds since 1970. Records' timestamps are compared
    /// with it, and nothing else: it may jump.
    pub fn handle_wall_clock(&mut self, now: Instant, unix_ms: i64) {
        self.wall_clock = Some((now, unix_ms));
    }

    /// What went to each broker so far, and what came back.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Whether an event is worth a line now. Those that happen per batch or partition are told once
    /// per topic, and then ever more rarely: a cluster in trouble has thousands of them a second.
    pub fn notice(&mut self, event: &Event, now: Instant) -> Notice {
        let (topic, number, kind) = match event {
            Event::LeaderMoved { topic, .. } => (topic, 0, 0),
            Event::Retry { topic, cause, .. } => (topic, 1, cause.kind()),
            Event::DeliveryFailed { topic, cause, .. } => (topic, 2, cause.kind()),
            Event::Split { topic, .. } => (topic, 3, 0),
            Event::ConnectFailed { notice, .. }
            | Event::Connected { notice, .. }
            | Event::Disconnected { notice, .. }
            | Event::Unanswered { notice, .. }
            | Event::TopicUnavailable { notice, .. }
            | Event::Throttled { notice, .. } => return *notice,
            _ => return Notice::New,
        };
        let key = (topic.clone(), number);
        self.record_notices.note(&key, kind, now)
    }

    pub(super) fn unix_ms(&self, now: Instant) -> Option<i64> {
        let (told_at, unix_ms) = self.wall_clock?;
        let since = now.saturating_duration_since(told_at).as_millis();
        Some(unix_ms.saturating_add(i64::try_from(since).unwrap_or(i64::MAX)))
    }

    /// Whether anything was not said yet.
    pub fn has_output(&self) -> bool {
        !self.out.is_empty()
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
