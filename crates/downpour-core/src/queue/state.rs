//! What a queue holds, and the few moves that all its operations share. Its batches' types are in
//! `batch`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::event::Event;
use crate::identity::{Identity, advance};
use crate::outcome::{Cause, Failure, Verdict, Written};
use crate::output::{Output, Outputs};
use crate::queue::batch::{Batch, InFlight, Open, Waiting, free, resolve};
use crate::rng::Rng;

/// The part of the configuration that a queue needs.
#[derive(Debug, Clone, Copy)]
pub struct QueueSettings {
    /// Batches in flight at once while the partition is proven.
    pub(super) max_in_flight: usize,
    pub(super) idempotent: bool,
    pub(super) resend_unknown: bool,
    pub(super) linger: Duration,
    pub(super) batch_size: usize,
    pub(super) batch_max: usize,
    pub(super) retry_backoff: (Duration, Duration),
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

/// One partition's records, from append to verdict. `T` is a batch's ticket: its completion
/// handle, which core clones and looks no further into.
#[derive(Debug)]
pub struct Queue<T> {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    pub(super) settings: QueueSettings,
    pub(super) open: Option<Open<T>>,
    /// Closed batches in the order in which they were closed: those that come back for a retry
    /// are before those that were never sent.
    pub(super) waiting: VecDeque<Waiting<T>>,
    /// In the order in which they were sent; five at most.
    pub(super) in_flight: VecDeque<InFlight<T>>,
    /// What its sequences count under; kept until they break. A broker keeps a producer's state
    /// per partition, so that one partition's trouble leaves the others as they are.
    pub(super) identity: Option<Identity>,
    pub(super) next_sequence: i32,
    /// Set by an acknowledgement under this identity, cleared by any failure that leaves a batch
    /// to be sent again, by a new identity and by a lull. Without it one batch is in flight, not
    /// five, because a broker that has no state for a producer accepts any first sequence:
    ///
    /// Batches 1 and 2 are sent to a leader that has just taken over and knows nothing of this
    /// producer. 1 is refused (NOT_ENOUGH_REPLICAS). 2 has sequence 10, and is appended, since
    /// there is nothing to compare it with. 1 is sent again with sequence 0, which is lower than
    /// what was appended: it can never be written again, or it is written behind 2.
    pub(super) proven: bool,
    /// When the last batch was acknowledged.
    pub(super) proven_at: Option<Instant>,
    /// Set when a stamped batch ended without an acknowledgement and left a gap, or when the
    /// broker does not know the sequence any more; cleared by a new identity. While it is set
    /// nothing leaves: a batch behind a gap is refused (OUT_OF_ORDER_SEQUENCE_NUMBER) for good.
    pub(super) needs_bump: bool,
    /// Set when the engine is told that there is something to look at, cleared when it looks.
    /// Without it the engine would be told of each batch of a flood.
    pub(super) is_dirty: bool,
    pub(super) next_order: u64,
    pub(super) next_send_id: u64,
    /// Size of the next batch's first chunk, learnt from the last batch.
    pub(super) chunk_hint: usize,
    pub(super) rng: Rng,
}

/// A proof is worth nothing once brokers may have forgotten this producer, which they do after a
/// day without a batch (`producer.id.expiration.ms`) or after what their operator thinks enough:
/// a lull of so long ends it.
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
        let written = if batch.maybe_written {
            Written::Unknown
        } else {
            Written::No
        };
        out.push_back(Output::Event(Event::DeliveryFailed {
            topic: self.topic.clone(),
            partition: self.partition,
            records: batch.count(),
            written,
            cause: cause.clone(),
        }));
        let failure = self.failure(batch, cause, now);
        let verdict = match written {
            Written::No => Verdict::Failed(failure),
            Written::Unknown => Verdict::Unknown(failure),
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

    /// Ends those of the waiting batches that `ends` names: none of them will be sent again.
    ///
    /// A batch that somebody is compressing stays: it comes back to its place, and the next
    /// sweep or abort takes it.
    pub(crate) fn end_waiting(
        &mut self,
        ends: impl Fn(&Batch<T>) -> bool,
        cause: impl Fn(&Batch<T>) -> Cause,
        now: Instant,
        out: &mut Outputs<T>,
    ) {
        let mut ended = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Sealed(batch) if ends(&batch) => ended.push(batch),
                stays => self.waiting.push_back(stays),
            }
        }
        // From the last: each may then give its sequence back to the one before it.
        for batch in ended.iter().rev() {
            self.handle_gap(batch);
        }
        for batch in ended {
            self.give_up(&batch, cause(&batch), now, out);
            free(batch, out);
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
