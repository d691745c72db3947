//! What a run consists of, its queue of events, and nothing that happens.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use downpour::simulation::{self, Clocks, IoThread, Surroundings};
use downpour::{Producer, ProducerBuilder, Unfinished};
use downpour_fake::FakeRecord;
use downpour_fake::logic::Cluster;

use crate::company::Company;
use crate::history::{History, Place};
use crate::ledger::Ledger;
use crate::load::{Limits, Load};
use crate::past::Past;
use crate::plan::{AUTO_PARTITIONS, Plan};
use crate::report::Tally;
use crate::rng::Rng;
use crate::trace::Trace;
use crate::world::desk::Desk;
use crate::world::names::Names;
use crate::world::partitioner::ByLastByte;
use crate::world::pool::{Job, Jobs};
use crate::world::tasks::{Sleeps, TaskId, Tasks};
use crate::world::wire::{LinkId, Wires};

/// Something that happens at a time.
#[derive(Debug)]
pub(crate) enum Event {
    /// A caller goes on.
    Task(TaskId),
    /// A caller has slept long enough.
    Slept(Waker),
    /// The I/O thread gets up, unless it was told to do so at another time since.
    GetUp(u64),
    /// The pool runs a job.
    Job(u64),
    /// An attempt to connect ends.
    Connect(LinkId),
    /// The client's socket has room again.
    Room(LinkId),
    /// Bytes reach their broker.
    Arrive(LinkId, Vec<u8>),
    /// A broker looks at a connection's next request.
    Serve(LinkId),
    /// A request that a fault held is served.
    Resume(LinkId, Vec<u8>, Duration),
    /// Bytes reach the client.
    Answer(LinkId, Vec<u8>),
    /// The client's socket ends, or breaks.
    Closed(LinkId, &'static str),
    /// The client must have heard of something on a connection by now, and have done something.
    Heard(LinkId, Heard),
    /// One of the phase's misfortunes.
    Trouble(usize),
    Restart(i32),
    /// A topic that was deleted is back.
    Remake(usize),
    /// Trouble begins, if it did not when a record was accepted.
    TroubleBegins,
    Heal,
    /// Nothing is wrong any more and the next phase begins.
    Phase,
    Abort,
}

/// What a client hears of a connection and has to do something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is open: the client says something first.
    Open,
    /// It has ended, so the client closes it.
    End,
}

/// The broker's end of a connection and what is on its way.
#[derive(Debug, Default)]
pub(crate) struct Link {
    pub(crate) node: i32,
    pub(crate) connected: bool,
    /// The client has not closed its end, nor was it told of an end.
    pub(crate) client_open: bool,
    /// The client has sent something on it.
    pub(crate) is_used: bool,
    pub(crate) server_open: bool,
    /// Requests are lost on the way.
    pub(crate) deaf: bool,
    /// Answers are lost on the way.
    pub(crate) mute: bool,
    /// Bytes of a request that is not whole.
    pub(crate) arrived: Vec<u8>,
    /// When the last bytes arrive, so that none overtake them.
    pub(crate) last_there: Duration,
    pub(crate) last_back: Duration,
    pub(crate) inbox: VecDeque<Vec<u8>>,
    /// A request is being served.
    pub(crate) busy: bool,
    pub(crate) hung: bool,
}

/// A run.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) rng: Rng,
    pub(crate) now: Duration,
    /// What the wall clock shows more than the virtual one, in milliseconds.
    pub(crate) wall_ahead: i64,
    pub(crate) clocks: Clocks,
    pub(crate) events: BTreeMap<(Duration, u64), Event>,
    pub(crate) next_event: u64,
    pub(crate) cluster: Cluster,
    /// `None` once its handle was dropped.
    pub(crate) producer: Option<Producer>,
    pub(crate) io: IoThread<Wires>,
    pub(crate) io_ended: bool,
    /// Something wants the I/O thread to end its sleep.
    pub(crate) woken: Arc<AtomicBool>,
    /// When it gets up next, and which of the events says so.
    pub(crate) gets_up_at: Option<Duration>,
    pub(crate) get_up: u64,
    /// It sleeps until then, whatever happens.
    pub(crate) pauses_until: Duration,
    /// The process stands still until then.
    pub(crate) suspended_until: Duration,
    pub(crate) rounds: u64,
    pub(crate) rounds_at_once: u64,
    pub(crate) last_round: Duration,
    pub(crate) wires: Wires,
    pub(crate) names: Arc<Names>,
    pub(crate) pool: Arc<Jobs>,
    pub(crate) jobs: BTreeMap<u64, Job>,
    pub(crate) next_job: u64,
    pub(crate) tasks: Tasks,
    /// Tasks that are scheduled already.
    pub(crate) scheduled: BTreeSet<TaskId>,
    pub(crate) sleeps: Sleeps,
    pub(crate) desk: Rc<RefCell<Desk>>,
    pub(crate) senders: Vec<TaskId>,
    pub(crate) next_id: u32,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) phase: usize,
    /// The phase has begun and is not over.
    pub(crate) running: bool,
    pub(crate) troubled: bool,
    pub(crate) healed: bool,
    /// When trouble ended last.
    pub(crate) healed_at: Option<Duration>,
    /// The producer was closed, and the closing is over.
    pub(crate) client_over: bool,
    /// When the deadline for closing is over, once it was closed in a hurry.
    pub(crate) closed_at: Option<Duration>,
    /// What the closing handed back.
    pub(crate) left: Unfinished,
    pub(crate) ledger: Ledger,
    pub(crate) company: Company,
    pub(crate) past: Past,
    pub(crate) load: Load,
    /// Topics that were deleted at any time.
    pub(crate) remade: BTreeSet<u32>,
    /// Those that are not back, with how many partitions they will be.
    pub(crate) away: BTreeMap<usize, i32>,
    /// What lay in them when they were deleted.
    pub(crate) former: Vec<Vec<(Place, Vec<FakeRecord>)>>,
    /// Partitions of which a broker said that it may have appended a batch.
    pub(crate) said: BTreeSet<Place>,
    pub(crate) trace: Trace,
    pub(crate) tally: Tally,
    pub(crate) violation: Option<String>,
}

/// 2026-11-21, in milliseconds since 1970.
pub(crate) const TODAY: i64 = 1_795_219_200_000;

impl World {
    pub(crate) fn new(plan: Plan, mut rng: Rng, trace: Trace) -> Self {
        let mut cluster = Cluster::new(plan.brokers, plan.releases[0]);
        for (id, release) in (1..).zip(&plan.releases) {
            cluster.set_kafka(id, *release);
        }
        cluster.set_default_partitions(AUTO_PARTITIONS);
        cluster.set_auto_create(true);
        cluster.set_epoch_ms(TODAY);
        // A 2.1 that refuses a batch in doubt with UNKNOWN_PRODUCER_ID ends it unknown, rightly, and
        // the judge does not know that yet.
        cluster.set_any_first_sequence(true);
        for topic in &plan.topics {
            if let Some(spec) = &topic.spec {
                cluster.create_topic(&topic.name, spec.clone());
            }
        }
        let clocks = Clocks::new();
        clocks.set(Duration::ZERO, TODAY);
        let wires = Wires::new(rng.next(), plan.net.piecemeal, plan.extras.interrupted);
        let names = Arc::new(Names::default());
        let pool = Jobs::new(rng.next(), plan.net.no_thread);
        let woken = Arc::new(AtomicBool::new(false));
        let (own, resolver) = (woken.clone(), names.clone());
        let surroundings = Surroundings {
            clocks: clocks.clone(),
            sockets: wires.clone(),
            pool: pool.clone(),
            resolve: Arc::new(move |host, port| resolver.resolve(host, port)),
            wake: Arc::new(move || own.store(true, Ordering::Relaxed)),
            seed: rng.next(),
        };
        let past = Past::new(plan.config.retry_backoff);
        let load = Load::new(Limits {
            topics: plan.topics.len() as u64,
            retry_backoff: plan.config.retry_backoff.0,
            reconnect_backoff: plan.config.reconnect_backoff.0,
            metadata_max_age: plan.config.metadata_max_age,
            metadata_max_idle: plan.config.metadata_max_idle,
            topic_wanted_for: plan.config.topic_wanted_for,
        });
        let mut builder = ProducerBuilder::new()
            .bootstrap("unused:1")
            .max_block(plan.max_block);
        if plan.extras.own_partitioner {
            builder = builder.partitioner(ByLastByte);
        }
        let (producer, io) =
            simulation::build(builder, plan.config.clone(), plan.memory, surroundings)
                .expect("the time is within bounds");
        Self {
            plan,
            rng,
            now: Duration::ZERO,
            wall_ahead: 0,
            clocks,
            events: BTreeMap::new(),
            next_event: 0,
            cluster,
            producer: Some(producer),
            io,
            io_ended: false,
            woken,
            gets_up_at: None,
            get_up: 0,
            pauses_until: Duration::ZERO,
            suspended_until: Duration::ZERO,
            rounds: 0,
            rounds_at_once: 0,
            last_round: Duration::ZERO,
            wires,
            names,
            pool,
            jobs: BTreeMap::new(),
            next_job: 0,
            tasks: Tasks::default(),
            scheduled: BTreeSet::new(),
            sleeps: Sleeps::default(),
            desk: Rc::default(),
            senders: Vec::new(),
            next_id: 0,
            links: BTreeMap::new(),
            phase: 0,
            running: false,
            troubled: false,
            healed: false,
            healed_at: None,
            client_over: false,
            closed_at: None,
            left: Unfinished::default(),
            ledger: Ledger::default(),
            company: Company::default(),
            past,
            load,
            remade: BTreeSet::new(),
            away: BTreeMap::new(),
            former: Vec::new(),
            said: BTreeSet::new(),
            trace,
            tally: Tally::default(),
            violation: None,
        }
    }

    /// Sets the clocks, which the producer reads.
    pub(crate) fn show_time(&self) {
        self.clocks.set(self.now, self.unix_ms());
        self.desk.borrow_mut().now = self.now;
    }

    pub(crate) fn unix_ms(&self) -> i64 {
        let now = i64::try_from(self.now.as_millis()).unwrap_or(i64::MAX);
        (TODAY + now).saturating_add(self.wall_ahead)
    }

    pub(crate) fn at(&mut self, at: Duration, event: Event) {
        let key = (at.max(self.now), self.next_event);
        self.next_event += 1;
        self.events.insert(key, event);
    }

    pub(crate) fn after(&mut self, pause: Duration, event: Event) {
        self.at(self.now.saturating_add(pause), event);
    }

    /// How long it takes a thread to see to something.
    pub(crate) fn jitter(&mut self) -> Duration {
        self.rng.time(Duration::ZERO, self.plan.net.jitter)
    }

    /// Records that were accepted and have no verdict that somebody waits for.
    pub(crate) fn open(&self) -> usize {
        self.desk.borrow().open
    }

    pub(crate) fn history(&self) -> std::cell::Ref<'_, History> {
        std::cell::Ref::map(self.desk.borrow(), |desk| &desk.history)
    }

    /// Notes what is broken; only the first counts.
    pub(crate) fn fail(&mut self, what: String) {
        self.trace.note(self.now, || format!("VIOLATION {what}"));
        if self.violation.is_none() {
            self.violation = Some(what);
        }
    }
}
