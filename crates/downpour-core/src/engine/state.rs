//! What the engine holds, and the few moves that all its parts share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use downpour_wire::batch::Body;
use downpour_wire::error_code::ErrorCode;
use downpour_wire::frame::Frame;

use crate::cluster::{Change, Cluster, Slot};
use crate::config::{Address, Config};
use crate::connection::{Connection, LinkId};
use crate::event::Event;
use crate::identity::IdentityState;
use crate::outcome::Verdict;
use crate::queue::{Effect, Peek, Queue, SealJob};
use crate::rng::Rng;

/// Lends the partitions' queues; the shell locks one at a time.
pub trait Queues<T> {
    /// Runs `f` on a queue; `None` if there is no such queue.
    fn with<R>(&mut self, slot: Slot, f: impl FnOnce(&mut Queue<T>) -> R) -> Option<R>;
}

/// What became of a topic.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TopicUpdate {
    /// It can be used.
    Available {
        /// Each partition's leader, where it has one.
        leaders: Arc<[Option<i32>]>,
    },
    /// It cannot be used now.
    Unavailable {
        /// What the broker said.
        code: ErrorCode,
        /// Whether asking again is pointless.
        fatal: bool,
    },
}

/// What the shell must do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output<T> {
    /// Open a connection.
    Connect {
        /// Its name.
        link: LinkId,
        /// Where to.
        address: Address,
        /// The broker that advertised the address.
        broker: Option<i32>,
    },
    /// Close a connection; nothing of it is wanted any more.
    Disconnect {
        /// Its name.
        link: LinkId,
    },
    /// Write a frame, after all earlier ones of that connection.
    Write {
        /// The connection.
        link: LinkId,
        /// The request.
        frame: Frame,
    },
    /// Tell those who wait for a topic.
    Topic {
        /// Its number.
        topic: u32,
        /// What became of it.
        update: TopicUpdate,
    },
    /// Compress a batch, bring it back to its queue, then call [`Engine::handle_ready`].
    Seal {
        /// The queue.
        slot: Slot,
        /// The work.
        job: Box<SealJob>,
    },
    /// Give records their verdict.
    Resolved {
        /// Their batch.
        ticket: T,
        /// First of them.
        first: u32,
        /// How many.
        count: u32,
        /// Records in the whole batch.
        total: u32,
        /// How they ended.
        verdict: Verdict,
    },
    /// Memory is free again.
    Freed {
        /// Bytes of credit.
        bytes: usize,
        /// What lay in it.
        body: Option<Arc<Body>>,
    },
    /// Something to observe.
    Event(Event),
}

/// What a request was for.
#[derive(Debug)]
pub(crate) enum Purpose {
    ApiVersions,
    Metadata,
    InitProducerId,
    Produce(Vec<Carried>),
}

/// One batch in a Produce request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Carried {
    pub(crate) slot: Slot,
    pub(crate) attempt: u64,
}

/// In which list a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Idle,
    Active(i32),
    Orphan,
}

#[derive(Debug, Clone)]
pub(crate) struct PartitionState {
    pub(crate) place: Place,
    pub(crate) in_flight: usize,
}

/// What the engine keeps of a topic beside its metadata.
#[derive(Debug, Clone, Default)]
pub(crate) struct TopicState {
    /// Somebody asked for it and it is not there yet; until then it is asked for again.
    pub(crate) wanted_until: Option<Instant>,
    pub(crate) partitions: Vec<PartitionState>,
}

/// The outbox of one broker.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    pub(crate) link: Option<LinkId>,
    /// Attempts to connect that failed since one succeeded.
    pub(crate) failures: u32,
    pub(crate) retry_at: Option<Instant>,
    /// Slots with something to send, the next first.
    pub(crate) active: VecDeque<Slot>,
    /// Produce requests without an answer.
    pub(crate) in_flight: usize,
    /// Some queue has a batch that should leave now.
    pub(crate) ready: bool,
    /// When the next linger or backoff ends.
    pub(crate) next_at: Option<Instant>,
    /// Records of the last Produce request.
    pub(crate) last_records: u32,
    /// A Produce request was answered since the last look.
    pub(crate) has_landed: bool,
    /// When the last one was, until a breath was taken for it.
    pub(crate) landed_at: Option<Instant>,
    /// A moment's pause under load.
    pub(crate) breath: Option<Breath>,
}

impl Broker {
    /// Whether it takes a breath now. With a request in flight there is an answer to wait for.
    pub(crate) fn breathes(&self, now: Instant) -> bool {
        self.in_flight == 0 && self.breath.is_some_and(|breath| breath.until > now)
    }
}

/// A moment's pause of a broker under load; `breath` says why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Breath {
    pub(crate) until: Instant,
    /// Not to be prolonged beyond this.
    pub(crate) end: Instant,
    /// What was open when it began or went on.
    pub(crate) seen: Opened,
}

/// Open batches, as far as growth is told from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) partitions: usize,
    pub(crate) bytes: usize,
}

/// The addresses that the user gave.
#[derive(Debug, Default)]
pub(crate) struct Bootstrap {
    pub(crate) next: usize,
    pub(crate) failures: u32,
    pub(crate) retry_at: Option<Instant>,
    /// The known brokers were all out of reach when it was last looked.
    pub(crate) again: bool,
}

/// A question that is asked until it is answered, one request at a time.
#[derive(Debug, Default)]
pub(crate) struct Question {
    pub(crate) wanted: bool,
    pub(crate) asked: Option<LinkId>,
    pub(crate) retry_at: Option<Instant>,
    pub(crate) attempts: u32,
    pub(crate) answered_at: Option<Instant>,
}

impl Question {
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.wanted && self.asked.is_none() && self.retry_at.is_none_or(|at| at <= now)
    }
}

/// The decisions of the I/O thread. `T` stands for a batch's handles.
#[derive(Debug)]
pub struct Engine<T> {
    pub(crate) config: Arc<Config>,
    pub(crate) rng: Rng,
    pub(crate) cluster: Cluster,
    pub(crate) identity: IdentityState,
    pub(crate) init: Question,
    pub(crate) metadata: Question,
    pub(crate) links: BTreeMap<LinkId, Connection<Purpose>>,
    pub(crate) next_link: u64,
    pub(crate) brokers: BTreeMap<i32, Broker>,
    pub(crate) bootstrap: Bootstrap,
    pub(crate) topics: Vec<TopicState>,
    /// Slots to look at.
    pub(crate) fresh: Vec<Slot>,
    /// Slots with something to send and no leader to send it to.
    pub(crate) orphans: Vec<Slot>,
    pub(crate) pressure: bool,
    pub(crate) draining: bool,
    pub(crate) sweep_at: Option<Instant>,
    pub(crate) out: VecDeque<Output<T>>,
    pub(crate) effects: Vec<Effect<T>>,
}

impl<T: Clone> Engine<T> {
    /// An engine that has done nothing yet. It connects when a topic is first wanted.
    pub fn new(config: Arc<Config>, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let first = rng.below(config.bootstrap.len().max(1) as u64) as usize;
        Self {
            init: Question {
                wanted: config.idempotence,
                ..Question::default()
            },
            config,
            rng,
            cluster: Cluster::default(),
            identity: IdentityState::default(),
            metadata: Question::default(),
            links: BTreeMap::new(),
            next_link: 0,
            brokers: BTreeMap::new(),
            bootstrap: Bootstrap {
                next: first,
                ..Bootstrap::default()
            },
            topics: Vec::new(),
            fresh: Vec::new(),
            orphans: Vec::new(),
            pressure: false,
            draining: false,
            sweep_at: None,
            out: VecDeque::new(),
            effects: Vec::new(),
        }
    }

    /// Something to send appeared in a queue, or became ready.
    pub fn handle_ready(&mut self, slot: Slot) {
        self.fresh.push(slot);
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

    /// Passes on what queues asked for.
    pub(crate) fn carry_out_effects(&mut self) {
        for effect in self.effects.drain(..) {
            self.out.push_back(match effect {
                Effect::Resolved {
                    ticket,
                    first,
                    count,
                    total,
                    verdict,
                } => Output::Resolved {
                    ticket,
                    first,
                    count,
                    total,
                    verdict,
                },
                Effect::Freed { bytes, body } => Output::Freed { bytes, body },
                Effect::Event(event) => Output::Event(event),
            });
        }
    }

    pub(crate) fn partition(&mut self, slot: Slot) -> Option<&mut PartitionState> {
        let at = usize::try_from(slot.partition).ok()?;
        self.topics
            .get_mut(slot.topic as usize)?
            .partitions
            .get_mut(at)
    }

    /// Puts a slot that has something to send into the list where it belongs.
    pub(crate) fn place(&mut self, slot: Slot) {
        let leader = self.cluster.leader(slot).broker;
        let leader = leader.filter(|id| self.cluster.brokers().contains_key(id));
        let Some(state) = self.partition(slot) else {
            return;
        };
        let place = leader.map_or(Place::Orphan, Place::Active);
        let before = std::mem::replace(&mut state.place, place);
        if before == place {
            return;
        }
        self.take_out(slot, before);
        match leader {
            Some(id) => self.brokers.entry(id).or_default().active.push_back(slot),
            None => {
                self.orphans.push(slot);
                self.metadata.wanted = true;
            }
        }
    }

    fn take_out(&mut self, slot: Slot, place: Place) {
        match place {
            Place::Idle => {}
            Place::Active(id) => {
                if let Some(broker) = self.brokers.get_mut(&id) {
                    broker.active.retain(|&s| s != slot);
                }
            }
            Place::Orphan => self.orphans.retain(|&s| s != slot),
        }
    }

    /// Takes a slot that has nothing to send any more out of its list.
    fn unplace(&mut self, slot: Slot) {
        let Some(state) = self.partition(slot) else {
            return;
        };
        let before = std::mem::replace(&mut state.place, Place::Idle);
        self.take_out(slot, before);
    }

    /// Looks at the queues that were named since the last look.
    pub(crate) fn look_at_fresh(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        let fresh = std::mem::take(&mut self.fresh);
        for slot in fresh {
            if let Some(peek) = queues.with(slot, |queue| queue.peek(now)) {
                self.note_look(slot, peek);
            }
        }
    }

    /// Notes what a look at a queue found.
    pub(crate) fn note_look(&mut self, slot: Slot, peek: Peek) {
        if peek == Peek::Nothing {
            self.unplace(slot);
            return;
        }
        self.place(slot);
        let Some(&mut PartitionState {
            place: Place::Active(id),
            ..
        }) = self.partition(slot)
        else {
            return;
        };
        let broker = self.brokers.entry(id).or_default();
        match peek {
            Peek::Now => broker.ready = true,
            Peek::At(at) => broker.next_at = earlier(broker.next_at, Some(at)),
            Peek::Blocked | Peek::Nothing => {}
        }
    }

    /// Acts on what an answer changed in the picture of the cluster.
    pub(crate) fn handle_changes(&mut self, changes: Vec<Change>, queues: &mut impl Queues<T>) {
        for change in changes {
            match change {
                Change::Leader { slot, leader } => {
                    let known = self.partition(slot).map(|state| state.place);
                    let Some(place) = known else { continue };
                    if let Some(topic) = self.cluster.topic(slot.topic) {
                        let topic = topic.name.clone();
                        let (partition, leader_epoch) = (slot.partition, leader.epoch);
                        let leader = leader.broker;
                        self.event(Event::LeaderMoved {
                            topic,
                            partition,
                            leader,
                            leader_epoch,
                        });
                    }
                    queues.with(slot, Queue::handle_leader_moved);
                    if place != Place::Idle {
                        self.place(slot);
                        self.fresh.push(slot);
                    }
                    self.out_topic(slot.topic);
                }
                Change::Topic { topic } => {
                    let count = self.cluster.topic(topic).map_or(0, |t| t.leaders.len());
                    if let Some(state) = self.topics.get_mut(topic as usize) {
                        state.wanted_until = None;
                        let idle = PartitionState {
                            place: Place::Idle,
                            in_flight: 0,
                        };
                        state
                            .partitions
                            .resize(count.max(state.partitions.len()), idle);
                    }
                    self.out_topic(topic);
                }
                Change::Unavailable { topic, code } => self.handle_unavailable(topic, code),
            }
        }
        for slot in std::mem::take(&mut self.orphans) {
            if let Some(state) = self.partition(slot) {
                state.place = Place::Idle;
            }
            self.fresh.push(slot);
        }
    }

    fn handle_unavailable(&mut self, topic: u32, code: ErrorCode) {
        let fatal = matches!(
            code,
            ErrorCode::INVALID_TOPIC_EXCEPTION | ErrorCode::TOPIC_AUTHORIZATION_FAILED
        );
        if let Some(state) = self.topics.get_mut(topic as usize) {
            if fatal {
                state.wanted_until = None;
            }
        }
        if let Some(known) = self.cluster.topic(topic) {
            let name = known.name.clone();
            self.event(Event::TopicUnavailable { topic: name, code });
        }
        let update = TopicUpdate::Unavailable { code, fatal };
        self.out.push_back(Output::Topic { topic, update });
    }

    fn out_topic(&mut self, topic: u32) {
        if let Some(known) = self.cluster.topic(topic) {
            let leaders = known.leaders.iter().map(|l| l.broker).collect();
            let update = TopicUpdate::Available { leaders };
            self.out.push_back(Output::Topic { topic, update });
        }
    }
}

pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
