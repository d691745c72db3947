//! What a run holds, and the queue of events. What events do is in the files beside this one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_core::callers::budget::{Budget, WaitKey};
use downpour_core::callers::completion::Completion;
use downpour_core::ids::{ConnectionId, MemoryLine, PartitionId};
use downpour_core::produce::{Engine, Queues};
use downpour_core::queue::{Chunk, Queue, QueueSettings, Turn};
use downpour_core::seal::SealJob;
use downpour_fake::logic::Cluster;

use crate::history::History;
use crate::ledger::Ledger;
use crate::plan::{Plan, RecordPlan};
use crate::report::Tally;
use crate::rng::Rng;
use crate::trace::Trace;

/// A batch's handles: its place in [`World::batches`].
pub(crate) type Ticket = usize;

/// Something that happens at a time.
#[derive(Debug)]
pub(crate) enum Event {
    /// A sender goes on.
    Sender(usize),
    /// A sender has waited for so long as it may.
    GiveUp {
        sender: usize,
        record: usize,
    },
    /// The I/O thread learns of a queue.
    Ready(PartitionId),
    /// The I/O thread learns that somebody waits for memory.
    Pressure,
    /// A batch was compressed.
    Sealed(u64),
    /// The engine asked to be woken.
    Wake(u64),
    /// An attempt to connect ends.
    Connect(ConnectionId),
    /// The client's socket takes bytes.
    Accept(ConnectionId),
    /// A request reaches its broker.
    Arrive(ConnectionId, Vec<u8>),
    /// A broker looks at a connection's next request.
    Serve(ConnectionId),
    /// A request that a fault held is served.
    Resume(ConnectionId, Vec<u8>, Duration),
    /// A frame reaches the client.
    Answer(ConnectionId, Vec<u8>),
    /// The client's socket ends.
    Closed(ConnectionId, &'static str),
    /// One of the phase's misfortunes.
    Trouble(usize),
    Restart(i32),
    /// Trouble begins, if it did not when a topic became known.
    TroubleBegins,
    Heal,
    /// Nothing is wrong any more and the next phase begins.
    Phase,
    Abort,
}

/// The client's queues; the engine borrows them one at a time.
#[derive(Debug)]
pub(crate) struct Partitions {
    pub(crate) queues: BTreeMap<PartitionId, Queue<Ticket>>,
    /// Memory that is to go to another line.
    pub(crate) turns: Vec<Turn>,
}

impl Queues<Ticket> for Partitions {
    fn with<R>(
        &mut self,
        partition: PartitionId,
        f: impl FnOnce(&mut Queue<Ticket>) -> R,
    ) -> Option<R> {
        let queue = self.queues.get_mut(&partition)?;
        let result = f(queue);
        self.turns.extend(queue.poll_turn());
        Some(result)
    }
}

/// What a batch's handles share.
#[derive(Debug)]
pub(crate) struct BatchState {
    pub(crate) completion: Completion<u32>,
    /// Numbers of its records, in order.
    pub(crate) records: Vec<u32>,
    pub(crate) partition: PartitionId,
    pub(crate) opened_at: Duration,
    /// Somebody waits for the whole batch and was not woken.
    pub(crate) owes_wake: bool,
    pub(crate) delivery_timeout: Duration,
}

/// One that sends records one after the other.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) records: Vec<RecordPlan>,
    /// Number of its first record.
    pub(crate) first_id: u32,
    pub(crate) next: usize,
    /// Memory that it reserved and has not used yet.
    pub(crate) chunk: Option<Chunk>,
    pub(crate) waits: Option<WaitKey>,
    /// The clock of `max_block` runs for the record with this place.
    pub(crate) blocked: Option<usize>,
}

/// Both ends of a connection and what is between them.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) node: i32,
    pub(crate) connected: bool,
    pub(crate) client_open: bool,
    pub(crate) server_open: bool,
    /// Requests are lost on the way.
    pub(crate) deaf: bool,
    /// Answers are lost on the way.
    pub(crate) mute: bool,
    /// Frames that the client's socket has not wholly taken.
    pub(crate) outgoing: std::collections::VecDeque<Vec<u8>>,
    /// Bytes of the first of them that it has.
    pub(crate) taken: usize,
    pub(crate) written: u64,
    pub(crate) accepting: bool,
    /// When the last request arrives, so that none overtakes it.
    pub(crate) last_there: Duration,
    pub(crate) last_back: Duration,
    pub(crate) inbox: std::collections::VecDeque<Vec<u8>>,
    /// When it is served next; `None` while it waits for a request.
    pub(crate) busy: bool,
    pub(crate) hung: bool,
}

/// A run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) rng: Rng,
    pub(crate) base: Instant,
    pub(crate) now: Duration,
    pub(crate) events: BTreeMap<(Duration, u64), Event>,
    pub(crate) next_event: u64,
    pub(crate) cluster: Cluster,
    pub(crate) engine: Engine<Ticket>,
    pub(crate) partitions: Partitions,
    pub(crate) budget: Budget<usize>,
    pub(crate) batches: Vec<BatchState>,
    pub(crate) jobs: BTreeMap<u64, (PartitionId, SealJob)>,
    pub(crate) next_job: u64,
    /// By the number of the topic.
    pub(crate) topics_ready: Vec<bool>,
    pub(crate) topics_wanted: Vec<bool>,
    pub(crate) senders: Vec<Sender>,
    pub(crate) next_id: u32,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) phase: usize,
    /// The phase has begun and is not over.
    pub(crate) running: bool,
    pub(crate) troubled: bool,
    pub(crate) healed: bool,
    pub(crate) aborting: bool,
    /// Records that were accepted and have no verdict.
    pub(crate) open: usize,
    pub(crate) wake: u64,
    pub(crate) wakes: u64,
    pub(crate) polls: u64,
    pub(crate) polls_at_once: u64,
    pub(crate) last_poll: Duration,
    pub(crate) client_over: bool,
    pub(crate) history: History,
    pub(crate) ledger: Ledger,
    /// Partitions of which a broker said that it may have appended a batch.
    pub(crate) said: BTreeSet<PartitionId>,
    pub(crate) trace: Trace,
    pub(crate) tally: Tally,
    pub(crate) violation: Option<String>,
}

impl World {
    pub(crate) fn new(plan: Plan, mut rng: Rng, trace: Trace) -> Self {
        let mut cluster = Cluster::new(plan.brokers, plan.releases[0]);
        for (id, release) in (1..).zip(&plan.releases) {
            cluster.set_kafka(id, *release);
        }
        cluster.set_default_partitions(crate::plan::AUTO_PARTITIONS);
        cluster.set_auto_create(true);
        let config = Arc::new(plan.config.clone());
        let mut queues = BTreeMap::new();
        let mut budget = Budget::new(plan.memory);
        for (topic, described) in (0..).zip(&plan.topics) {
            if let Some(spec) = &described.spec {
                cluster.create_topic(&described.name, spec.clone());
            }
            for partition in 0..described.partitions {
                let settings = QueueSettings::from(&*config);
                let name = Arc::from(described.name.as_str());
                let nobody = MemoryLine(None);
                let queue = Queue::new(name, partition, nobody, settings);
                budget.add_partition(nobody);
                queues.insert(
                    PartitionId {
                        topic,
                        index: partition,
                    },
                    queue,
                );
            }
        }
        let engine = Engine::new(config, rng.next());
        let topics = plan.topics.len();
        Self {
            plan,
            rng,
            budget,
            base: Instant::now(),
            now: Duration::ZERO,
            events: BTreeMap::new(),
            next_event: 0,
            cluster,
            engine,
            partitions: Partitions {
                queues,
                turns: Vec::new(),
            },
            batches: Vec::new(),
            jobs: BTreeMap::new(),
            next_job: 0,
            topics_ready: vec![false; topics],
            topics_wanted: vec![false; topics],
            senders: Vec::new(),
            next_id: 0,
            connections: BTreeMap::new(),
            phase: 0,
            running: false,
            troubled: false,
            healed: false,
            aborting: false,
            open: 0,
            wake: 0,
            wakes: 0,
            polls: 0,
            polls_at_once: 0,
            last_poll: Duration::ZERO,
            client_over: false,
            history: History::default(),
            ledger: Ledger::default(),
            said: BTreeSet::new(),
            trace,
            tally: Tally::default(),
            violation: None,
        }
    }

    /// The time as core is told it.
    pub(crate) fn instant(&self) -> Instant {
        self.base + self.now
    }

    pub(crate) fn at(&mut self, at: Duration, event: Event) {
        let key = (at.max(self.now), self.next_event);
        self.next_event += 1;
        self.events.insert(key, event);
    }

    pub(crate) fn after(&mut self, pause: Duration, event: Event) {
        self.at(self.now.saturating_add(pause), event);
    }

    /// Lets the I/O thread see to something, as soon as it gets to it.
    pub(crate) fn soon(&mut self, event: Event) {
        let pause = self.rng.time(Duration::ZERO, self.plan.net.jitter);
        self.after(pause, event);
    }

    /// Notes what is broken; only the first counts.
    pub(crate) fn fail(&mut self, what: String) {
        self.trace.note(self.now, || format!("VIOLATION {what}"));
        if self.violation.is_none() {
            self.violation = Some(what);
        }
    }
}
