//! What a queue holds, and the few moves that all its operations share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::batch::{BatchBuilder, Body};

use crate::config::{BatchOptions, Config};
use crate::event::Event;
use crate::identity::{Identity, advance};
use crate::outcome::{Cause, Failure, Verdict};
use crate::output::{Output, Outputs};
use crate::rng::Rng;

/// The part of the configuration that a queue needs.
#[derive(Debug, Clone, Copy)]
pub struct QueueSettings {
    /// Batches in flight at once while the partition is proven.
    pub(crate) max_in_flight: usize,
    pub(crate) idempotent: bool,
    pub(crate) resend_unknown: bool,
    pub(crate) linger: Duration,
    pub(crate) batch_size: usize,
    pub(crate) batch_max: usize,
    pub(crate) retry_backoff: (Duration, Duration),
}

impl From<&Config> for QueueSettings {
    fn from(config: &Config) -> Self {
        Self {
            max_in_flight: config.batches_in_flight(),
            idempotent: config.idempotence,
            resend_unknown: config.resend_unknown,
            linger: config.linger.duration(),
            batch_size: config.batch_size,
            batch_max: config.batch_max,
            retry_backoff: config.retry_backoff,
        }
    }
}

/// The batch that takes the next record.
#[derive(Debug)]
pub(crate) struct Open<T> {
    pub(crate) ticket: T,
    pub(crate) builder: BatchBuilder,
    pub(crate) options: BatchOptions,
    pub(crate) created_at: Instant,
    /// Somebody flushes: it leaves without lingering.
    pub(crate) flush_requested: bool,
}

/// A closed batch or a part of a split one.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    /// ReadyList among the closed batches; parts of a split one share it.
    pub(crate) order: u64,
    pub(crate) ticket: T,
    /// Index of its first record among the ticket's.
    pub(crate) first: u32,
    /// How many records the ticket has, all parts together.
    pub(crate) total: u32,
    pub(crate) body: Arc<Body>,
    /// Credit that comes back with it.
    pub(crate) memory: usize,
    pub(crate) created_at: Instant,
    pub(crate) deadline: Instant,
    pub(crate) attempts: u32,
    pub(crate) retry_at: Option<Instant>,
    /// An answer was lost or left it open; only an acknowledgement clears this.
    pub(crate) maybe_written: bool,
    pub(crate) stamp: Option<(Identity, i32)>,
    pub(crate) last: Option<Arc<Cause>>,
    pub(crate) broker: Option<i32>,
    /// Its handles have their verdict (delivery timeout in flight); only its buffer and its
    /// sequence still wait for the answer.
    pub(crate) resolved: bool,
}

impl<T> Batch<T> {
    pub(crate) fn order_key(&self) -> (u64, u32) {
        (self.order, self.first)
    }

    pub(crate) fn count(&self) -> u32 {
        self.body.count()
    }
}

/// A closed batch on its way out.
#[derive(Debug)]
pub(crate) enum Waiting<T> {
    /// Somebody compresses it; its place is kept.
    Sealing {
        id: u64,
        ticket: T,
        created_at: Instant,
        deadline: Instant,
    },
    /// It can be sent.
    Sealed(Batch<T>),
}

impl<T> Waiting<T> {
    pub(crate) fn order_key(&self) -> (u64, u32) {
        match self {
            Self::Sealing { id, .. } => (*id, 0),
            Self::Sealed(batch) => batch.order_key(),
        }
    }

    pub(crate) fn is_stamped(&self) -> bool {
        matches!(self, Self::Sealed(Batch { stamp: Some(_), .. }))
    }
}

/// A batch in a request that has no answer yet.
#[derive(Debug)]
pub(crate) struct InFlight<T> {
    pub(crate) send_id: u64,
    pub(crate) broker: i32,
    pub(crate) batch: Batch<T>,
}

/// One partition's records, from append to verdict. `T` stands for a batch's handles.
#[derive(Debug)]
pub struct Queue<T> {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) settings: QueueSettings,
    pub(crate) open: Option<Open<T>>,
    pub(crate) waiting: VecDeque<Waiting<T>>,
    pub(crate) in_flight: VecDeque<InFlight<T>>,
    /// What its sequences count under; kept until they break.
    pub(crate) identity: Option<Identity>,
    pub(crate) next_sequence: i32,
    /// A batch was acknowledged under this identity since the last trouble.
    ///
    /// A broker without state for a producer accepts any first sequence, so that a lost first
    /// batch would be overtaken for good: until then one batch is in flight, not five.
    pub(crate) proven: bool,
    /// When the last batch was acknowledged.
    pub(crate) proven_at: Option<Instant>,
    /// The sequence is broken: nothing leaves before it begins anew under a newer epoch.
    pub(crate) needs_bump: bool,
    /// The engine was told and has not looked yet.
    pub(crate) is_dirty: bool,
    pub(crate) next_order: u64,
    pub(crate) next_send_id: u64,
    /// Size of the next batch's first chunk, learnt from the last batch.
    pub(crate) chunk_hint: usize,
    pub(crate) rng: Rng,
}

/// A proof is worth nothing once brokers may have forgotten this producer, which they do after a
/// day without a batch (`producer.id.expiration.ms`) or what their operator thinks enough.
pub(crate) const PROOF_LASTS: Duration = Duration::from_secs(60);

/// Smallest chunk: ten thousand partitions with a record each hold 5 MiB, not 640.
pub(crate) const CHUNK_MIN: usize = 512;

impl<T: Clone> Queue<T> {
    /// An empty queue of this partition.
    pub fn new(topic: Arc<str>, partition: i32, settings: QueueSettings) -> Self {
        Self {
            rng: Rng::new(partition as u64),
            topic,
            partition,
            settings,
            open: None,
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            identity: None,
            next_sequence: 0,
            proven: false,
            proven_at: None,
            needs_bump: false,
            is_dirty: false,
            next_order: 0,
            next_send_id: 0,
            chunk_hint: CHUNK_MIN.min(settings.batch_size),
        }
    }

    /// The partition's number.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// The topic's name.
    pub fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// Whether no batch is open, waiting or in flight.
    pub fn is_empty(&self) -> bool {
        self.open.is_none() && self.waiting.is_empty() && self.in_flight.is_empty()
    }

    /// Batches in requests that have no answer yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Bytes of the records in the open batch.
    pub(crate) fn open_bytes(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.builder.body_len())
    }

    /// Bytes of chunks that it holds.
    pub fn buffered_bytes(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |o| o.builder.capacity());
        let waiting = self.waiting.iter().map(|w| match w {
            Waiting::Sealing { .. } => 0,
            Waiting::Sealed(batch) => batch.memory,
        });
        let in_flight = self.in_flight.iter().map(|f| f.batch.memory);
        open + waiting.chain(in_flight).sum::<usize>()
    }

    /// The tickets of all batches without a complete verdict, for a flush to wait on.
    pub fn tickets(&self, out: &mut Vec<T>) {
        out.extend(self.in_flight.iter().map(|f| f.batch.ticket.clone()));
        out.extend(self.waiting.iter().map(|w| match w {
            Waiting::Sealing { ticket, .. } => ticket.clone(),
            Waiting::Sealed(batch) => batch.ticket.clone(),
        }));
        out.extend(self.open.iter().map(|o| o.ticket.clone()));
    }

    /// Makes the open batch leave without lingering.
    pub fn request_flush(&mut self) {
        if let Some(open) = &mut self.open {
            open.flush_requested = true;
        }
    }

    /// A new leader: backoffs that waited for it end (KIP-951).
    pub fn handle_leader_moved(&mut self) {
        for waiting in &mut self.waiting {
            if let Waiting::Sealed(batch) = waiting {
                batch.retry_at = None;
            }
        }
    }

    /// Batches that may be in flight at once right now.
    pub(crate) fn max_in_flight(&self) -> usize {
        if self.settings.idempotent && !self.proven {
            1
        } else {
            self.settings.max_in_flight
        }
    }

    pub(crate) fn failure(&self, batch: &Batch<T>, cause: Cause, now: Instant) -> Arc<Failure> {
        let mut failure = Failure::new(cause, self.topic.clone(), self.partition);
        failure.broker = batch.broker;
        failure.attempts = batch.attempts;
        failure.age = now.saturating_duration_since(batch.created_at);
        Arc::new(failure)
    }

    /// Gives all records of a batch a verdict that is no acknowledgement: not written, or
    /// unknown where its past leaves that open.
    pub(crate) fn give_up(
        &self,
        batch: &Batch<T>,
        cause: Cause,
        now: Instant,
        out: &mut Outputs<T>,
    ) {
        out.push_back(Output::Event(Event::Undelivered {
            topic: self.topic.clone(),
            partition: self.partition,
            records: batch.count(),
            maybe_written: batch.maybe_written,
            cause: cause.clone(),
        }));
        let failure = self.failure(batch, cause, now);
        let verdict = if batch.maybe_written {
            Verdict::Unknown(failure)
        } else {
            Verdict::Failed(failure)
        };
        resolve(batch, verdict, out);
    }

    /// A stamped batch ended without an acknowledgement: its sequence is missing or in doubt.
    pub(crate) fn handle_gap(&mut self, batch: &Batch<T>) {
        let Some((identity, sequence)) = batch.stamp else {
            return;
        };
        if self.identity != Some(identity) {
            return;
        }
        let nothing_after = advance(sequence, batch.count()) == self.next_sequence
            && self.in_flight.is_empty()
            && !self.waiting.iter().any(Waiting::is_stamped);
        if nothing_after && !batch.maybe_written {
            // Proven absent and the last one stamped: the next batch may take its sequence.
            self.next_sequence = sequence;
        } else {
            self.needs_bump = true;
        }
    }

    /// Puts a batch where it belongs among those that wait.
    pub(crate) fn put_back(&mut self, batch: Batch<T>) {
        let at = self
            .waiting
            .partition_point(|w| w.order_key() < batch.order_key());
        self.waiting.insert(at, Waiting::Sealed(batch));
    }
}

/// Hands the verdict for all of a batch out.
pub(crate) fn resolve<T: Clone>(batch: &Batch<T>, verdict: Verdict, out: &mut Outputs<T>) {
    out.push_back(Output::Resolve {
        ticket: batch.ticket.clone(),
        first: batch.first,
        count: batch.count(),
        total: batch.total,
        verdict,
    });
}

/// Gives a batch's memory back; nobody sends it any more.
pub(crate) fn free<T>(batch: Batch<T>, out: &mut Outputs<T>) {
    out.push_back(Output::Free {
        bytes: batch.memory,
        body: Some(batch.body),
    });
}
