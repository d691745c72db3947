//! The engine's side of a queue: what may leave now, stamped for this sending.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::batch::{Body, HEADER_LEN, Stamp};

use crate::identity::{Grant, Identity};
use crate::mutants;
use crate::outcome::{Cause, WaitingFor};
use crate::output::Outputs;
use crate::queue::batch::{Batch, InFlight, Open, Waiting};
use crate::queue::sequence::{Need, PROOF_LASTS};
use crate::queue::state::{Queue, QueueSettings};
use crate::seal::SealJob;

/// How full or old an open batch must be to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// Anything leaves: its broker is idle, memory is short, or the producer closes.
    Anything,
    /// A request leaves anyway: half a batch, or half the linger, is enough to go with it.
    Half,
}

/// The circumstances under which a queue is asked for its next batch.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built by the engine and by tests"
)]
pub struct DrainContext {
    /// The time of the poll.
    pub now: Instant,
    /// The partition's leader.
    pub broker: i32,
    /// The producer's newest identity, if it has one.
    pub identity: Option<Grant>,
    /// Milliseconds since 1970, to compare records' timestamps with; `None` compares none.
    pub unix_ms: Option<i64>,
    /// What an open batch needs to leave.
    pub readiness: Readiness,
}

/// What asking a queue for its next batch comes to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Drain {
    /// Nothing is left to send.
    Empty,
    /// An answer or a seal must come first.
    Blocked,
    /// Nothing before this time.
    Until(Instant),
    /// The open batch was closed and wants to be compressed first.
    Seal(Box<SealJob>),
    /// The producer needs an identity first.
    NeedIdentity,
    /// The sequence broke under this identity; a newer one is needed.
    NeedBump(Identity),
    /// A batch for the next request.
    Send(OutgoingBatch),
}

/// What a look finds that takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peek {
    /// Nothing is left to send.
    Nothing,
    /// A batch is full, due, or wanted by a flush.
    Now,
    /// The linger or a backoff ends then.
    At(Instant),
    /// An answer or a seal must come first.
    Blocked,
}

/// A batch as it goes into one request.
#[derive(Debug)]
#[non_exhaustive]
pub struct OutgoingBatch {
    /// Names this sending of it; [`handle_answer`](Queue::handle_answer) wants it back.
    pub send_id: u64,
    /// The batch header, stamped.
    pub header: [u8; HEADER_LEN],
    /// The records, shared with the queue.
    pub body: Arc<Body>,
    /// What a look at the queue finds after it.
    pub next: Peek,
}

impl OutgoingBatch {
    /// Bytes on the wire.
    pub fn bytes(&self) -> usize {
        HEADER_LEN + self.body.len()
    }
}

impl<T: Clone> Queue<T> {
    /// Takes the next batch that may leave under these circumstances.
    pub fn poll_drain(&mut self, context: &DrainContext, out: &mut Outputs<T>) -> Drain {
        self.is_dirty = false;
        self.free_excess(out);
        if self.next_deadline().is_some_and(|at| at <= context.now) {
            // Sent now it could only end unknown; unsent it is known to be absent.
            let is_in_flight = !self.in_flight.is_empty();
            if self.settings.idempotent
                && self.sequence.need(context.identity, is_in_flight) == Need::Identity
            {
                // The engine's sweep ends it, and knows why there is none.
                return Drain::NeedIdentity;
            }
            self.expire(context.now, WaitingFor::Turn, (None, false), out);
        }
        if !self.has_unsent() {
            return Drain::Empty;
        }
        if let Some(elsewhere) = self.in_flight.back() {
            // The old leader's answers decide what the new one may get: a batch that is sent to
            // both at once would be appended by both.
            if elsewhere.broker != context.broker {
                return Drain::Blocked;
            }
        }
        if self.settings.idempotent && !self.sequence.goes_on(context.identity) {
            if let Some(drain) = self.check_sequence(context, out) {
                return drain;
            }
            if !self.has_unsent() {
                return Drain::Empty;
            }
        }
        if self.in_flight.is_empty() {
            self.sequence.handle_lull(context.now);
        }
        if self.was_asleep(context) {
            self.sequence.unprove();
        }
        if self.in_flight.len() >= self.max_in_flight() || self.is_held_back() {
            return Drain::Blocked;
        }
        if self.waiting.is_empty() {
            let settings = self.settings;
            let Some(open) = self.take_open(|open| may_leave(open, &settings, context)) else {
                let linger = self.settings.linger;
                let ends = self.opened().map(|open| open.created_at + linger);
                return ends.min().map_or(Drain::Empty, Drain::Until);
            };
            let job = self.close(open);
            self.free_excess(out);
            if let Some(job) = job {
                return Drain::Seal(job);
            }
        }
        let Some(Waiting::Sealed(batch)) = self.waiting.front() else {
            return Drain::Blocked;
        };
        if let Some(at) = batch.retry_at.filter(|at| *at > context.now) {
            return Drain::Until(at);
        }
        let is_aged = self.is_aged(batch, context);
        if is_aged {
            if batch.maybe_written() && !self.settings.resend_unknown {
                let first = batch.order_key();
                let cause = |batch: &Batch<T>| Cause::TooOldToRetry {
                    last: batch.last.clone(),
                };
                self.end_waiting(|batch| batch.order_key() == first, cause, context.now, out);
                // What is left may need a new epoch first.
                return self.poll_drain(context, out);
            }
            if !self.in_flight.is_empty() {
                return Drain::Blocked;
            }
        }
        self.send(context, is_aged)
    }

    /// Whether a broker may forget this producer while it has this batch.
    ///
    /// Brokers age what they know of a producer by the latest timestamp of its batches, not by
    /// when they came, and look again every ten minutes and whenever they load a snapshot:
    ///
    /// A backfill sends records of last week, A and B behind it. The leader forgets the producer
    /// between them. A is refused (NOT_ENOUGH_REPLICAS), B is appended, since any first sequence
    /// is, and A is written behind it. Or A's answer is lost, and A is sent again and appended
    /// again. So such batches go alone, prove nothing, and are not sent again when in doubt.
    fn is_aged(&self, batch: &Batch<T>, context: &DrainContext) -> bool {
        let age = |now: i64| now.saturating_sub(batch.body.max_timestamp());
        self.settings.idempotent
            && !self.log_append_time
            && context
                .unix_ms
                .is_some_and(|now| age(now) > self.settings.old_record_age)
    }

    /// Whether the wall clock is further than a proof lasts from when a batch left last.
    ///
    /// While a machine sleeps, the clock of time-outs stands still: after a day a proof would look
    /// as fresh as before, and brokers would know nothing of this producer. That the wall clock may
    /// also have been set costs a round trip.
    fn was_asleep(&self, context: &DrainContext) -> bool {
        let lasts = i64::try_from(PROOF_LASTS.as_millis()).unwrap_or(i64::MAX);
        let times = context.unix_ms.zip(self.sent_unix_ms);
        times.is_some_and(|(now, sent)| now.saturating_sub(sent) >= lasts)
    }

    /// Makes sure that there is a sequence to go on with, or says what is missing.
    fn check_sequence(&mut self, context: &DrainContext, out: &mut Outputs<T>) -> Option<Drain> {
        let is_in_flight = !self.in_flight.is_empty();
        match self.sequence.need(context.identity, is_in_flight) {
            Need::Nothing => None,
            Need::Answers => Some(Drain::Blocked),
            Need::Identity => Some(Drain::NeedIdentity),
            Need::NewerThan(stale) => Some(Drain::NeedBump(stale)),
            Need::Begin(grant) => {
                self.begin(grant, context.now, out);
                None
            }
        }
    }

    /// Begins anew under an identity; nothing is in flight.
    fn begin(&mut self, grant: Grant, now: Instant, out: &mut Outputs<T>) {
        if !self.settings.resend_unknown && !mutants::is(7) {
            // Under a new epoch the broker cannot recognise what it has already: a batch that
            // may be in the log would be written twice.
            let cause = |batch: &Batch<T>| Cause::EpochLost {
                last: batch.last.clone(),
            };
            self.end_waiting(Batch::maybe_written, cause, now, out);
        }
        for waiting in &mut self.waiting {
            if let Waiting::Sealed(batch) = waiting {
                batch.stamp = None;
            }
        }
        self.sequence.begin(grant);
    }

    /// When the next batch to leave must have left.
    fn next_deadline(&self) -> Option<Instant> {
        match self.waiting.front() {
            Some(Waiting::Sealed(batch)) => Some(batch.deadline),
            Some(Waiting::Sealing { .. }) => None,
            None => self.opened().map(Open::deadline).min(),
        }
    }

    /// Whether a batch in flight has to stay alone, or may be in the log already and the next one
    /// is not.
    ///
    /// A broker recognises the last five batches. Each new one would push the doubtful one
    /// nearer to the edge, and behind it a lost answer could never be made good.
    fn is_held_back(&self) -> bool {
        let next = self.waiting.front();
        let in_doubt = matches!(next, Some(Waiting::Sealed(batch)) if batch.maybe_written());
        let yields = self.settings.idempotent && !in_doubt && !mutants::is(21);
        let holds_back =
            |sent: &InFlight<T>| sent.is_aged || (yields && sent.batch.maybe_written());
        self.in_flight.iter().any(holds_back)
    }

    fn send(&mut self, context: &DrainContext, is_aged: bool) -> Drain {
        let Some(Waiting::Sealed(mut batch)) = self.waiting.pop_front() else {
            return Drain::Blocked;
        };
        let stamp = if self.settings.idempotent {
            if batch.stamp.is_none() || mutants::is(1) {
                batch.stamp = self.sequence.take(batch.count());
            }
            let (identity, sequence) = batch
                .stamp
                .expect("check_sequence lets a batch pass under an identity only");
            Stamp {
                producer_id: identity.id,
                producer_epoch: identity.epoch,
                base_sequence: sequence,
                transactional: false,
            }
        } else {
            Stamp::NONE
        };
        batch.attempts += 1;
        batch.retry_at = None;
        batch.broker = Some(context.broker);
        self.sent_unix_ms = context.unix_ms.or(self.sent_unix_ms);
        let mut outgoing = OutgoingBatch {
            send_id: self.next_send_id,
            header: batch.body.header(&stamp),
            body: batch.body.clone(),
            next: Peek::Nothing,
        };
        self.next_send_id += 1;
        self.counters.handle_sending(outgoing.bytes());
        self.is_counted = true;
        self.in_flight.push_back(InFlight {
            send_id: outgoing.send_id,
            broker: context.broker,
            is_aged,
            sent_at: context.now,
            batch,
        });
        outgoing.next = self.peek(context.now);
        Drain::Send(outgoing)
    }

    /// Looks without taking anything. The engine has seen the queue after this.
    pub fn peek(&mut self, now: Instant) -> Peek {
        self.is_dirty = false;
        if !self.has_unsent() {
            return Peek::Nothing;
        }
        let broken = self.sequence.is_broken() && !self.in_flight.is_empty();
        if broken || self.in_flight.len() >= self.max_in_flight() || self.is_held_back() {
            return Peek::Blocked;
        }
        let at = match self.waiting.front() {
            Some(Waiting::Sealing { .. }) => return Peek::Blocked,
            Some(Waiting::Sealed(batch)) => batch.retry_at,
            None if self.opened().any(|open| open.flush_requested) => None,
            None => {
                let linger = self.settings.linger;
                self.opened().map(|open| open.created_at + linger).min()
            }
        };
        match at {
            Some(at) if at > now => Peek::At(at),
            _ => Peek::Now,
        }
    }
}

/// Whether an open batch may leave with the request that is being made.
fn may_leave<T>(open: &Open<T>, settings: &QueueSettings, context: &DrainContext) -> bool {
    let (enough, age) = match context.readiness {
        Readiness::Anything => return true,
        Readiness::Half => (settings.batch_size / 2, settings.linger / 2),
    };
    open.flush_requested
        || open.builder.body_len() >= enough
        || context.now.saturating_duration_since(open.created_at) >= age
}
