//! The engine's side of a queue: what may leave now, stamped for this sending.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::batch::{Body, HEADER_LEN, Stamp};

use crate::identity::{Identity, advance};
use crate::outcome::{Cause, WaitingFor};
use crate::output::Outputs;
use crate::queue::batch::{Batch, InFlight, Waiting};
use crate::queue::state::{PROOF_LASTS, Queue};
use crate::seal::SealJob;

/// How full or old an open batch must be to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// Anything leaves: its broker is idle, memory is short, or somebody flushes or closes.
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
    pub identity: Option<Identity>,
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
    /// Whether the queue has more to send.
    pub more: bool,
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
        if self.next_deadline().is_some_and(|at| at <= context.now) {
            // Sent now it could only end unknown; unsent it is known to be absent.
            self.expire(context.now, WaitingFor::Turn, out);
        }
        if self.open.is_none() && self.waiting.is_empty() {
            return Drain::Empty;
        }
        if let Some(elsewhere) = self.in_flight.back() {
            // The old leader's answers decide what the new one may get: a batch that is sent to
            // both at once would be appended by both.
            if elsewhere.broker != context.broker {
                return Drain::Blocked;
            }
        }
        if self.settings.idempotent {
            if let Some(drain) = self.check_identity(context, out) {
                return drain;
            }
            if self.open.is_none() && self.waiting.is_empty() {
                return Drain::Empty;
            }
        }
        let idle_since = self.proven_at.filter(|_| self.in_flight.is_empty());
        if idle_since.is_some_and(|at| context.now.saturating_duration_since(at) >= PROOF_LASTS) {
            self.proven = false;
        }
        if self.in_flight.len() >= self.max_in_flight() || self.is_held_back() {
            return Drain::Blocked;
        }
        if self.waiting.is_empty() {
            if let Err(at) = self.check_ready(context) {
                return Drain::Until(at);
            }
            if let Some(job) = self.close_open() {
                return Drain::Seal(job);
            }
        }
        match self.waiting.front() {
            Some(Waiting::Sealed(batch)) => match batch.retry_at {
                Some(at) if at > context.now => Drain::Until(at),
                _ => self.send(context),
            },
            Some(Waiting::Sealing { .. }) | None => Drain::Blocked,
        }
    }

    /// Makes sure that there is an identity to send under, or says what is missing.
    fn check_identity(&mut self, context: &DrainContext, out: &mut Outputs<T>) -> Option<Drain> {
        if self.needs_bump {
            if !self.in_flight.is_empty() {
                return Some(Drain::Blocked);
            }
            match (context.identity, self.identity) {
                (Some(newest), Some(stale)) if newest == stale => {
                    return Some(Drain::NeedBump(stale));
                }
                (Some(newest), _) => self.adopt(newest, context.now, out),
                (None, _) => return Some(Drain::NeedIdentity),
            }
        } else if self.identity.is_none() {
            match context.identity {
                Some(newest) => self.adopt(newest, context.now, out),
                None => return Some(Drain::NeedIdentity),
            }
        }
        None
    }

    /// Begins anew under an identity; nothing is in flight.
    fn adopt(&mut self, identity: Identity, now: Instant, out: &mut Outputs<T>) {
        self.identity = Some(identity);
        self.next_sequence = 0;
        self.proven = false;
        self.needs_bump = false;
        if !self.settings.resend_unknown {
            // Under a new epoch the broker cannot recognise what it has already: a batch that
            // may be in the log would be written twice.
            let cause = |batch: &Batch<T>| Cause::EpochLost {
                last: batch.last.clone(),
            };
            self.end_waiting(|batch| batch.maybe_written, cause, now, out);
        }
        for waiting in &mut self.waiting {
            if let Waiting::Sealed(batch) = waiting {
                batch.stamp = None;
            }
        }
    }

    /// When the next batch to leave must have left.
    fn next_deadline(&self) -> Option<Instant> {
        match (self.waiting.front(), &self.open) {
            (Some(Waiting::Sealed(batch)), _) => Some(batch.deadline),
            (Some(Waiting::Sealing { .. }), _) => None,
            (None, Some(open)) => Some(open.created_at + open.options.delivery_timeout),
            (None, None) => None,
        }
    }

    /// Whether a batch in flight may be in the log already and the next one is not.
    ///
    /// A broker recognises the last five batches. Each new one would push the doubtful one
    /// nearer to the edge, and behind it a lost answer could never be made good.
    fn is_held_back(&self) -> bool {
        let next = self.waiting.front();
        self.settings.idempotent
            && self.in_flight.iter().any(|f| f.batch.maybe_written)
            && !matches!(next, Some(Waiting::Sealed(batch)) if batch.maybe_written)
    }

    fn check_ready(&self, context: &DrainContext) -> Result<(), Instant> {
        let Some(open) = &self.open else {
            return Ok(());
        };
        let linger = self.settings.linger;
        let (enough, age) = match context.readiness {
            Readiness::Anything => return Ok(()),
            Readiness::Half => (self.settings.batch_size / 2, linger / 2),
        };
        if open.flush_requested
            || open.builder.body_len() >= enough
            || context.now.saturating_duration_since(open.created_at) >= age
        {
            return Ok(());
        }
        Err(open.created_at + linger)
    }

    fn send(&mut self, context: &DrainContext) -> Drain {
        let Some(Waiting::Sealed(mut batch)) = self.waiting.pop_front() else {
            return Drain::Blocked;
        };
        let stamp = if self.settings.idempotent {
            let identity = self.identity.expect("check_identity let the batch pass");
            let (identity, sequence) = *batch.stamp.get_or_insert_with(|| {
                let sequence = self.next_sequence;
                self.next_sequence = advance(sequence, batch.body.count());
                (identity, sequence)
            });
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
        let outgoing = OutgoingBatch {
            send_id: self.next_send_id,
            header: batch.body.header(&stamp),
            body: batch.body.clone(),
            more: self.open.is_some() || !self.waiting.is_empty(),
        };
        self.next_send_id += 1;
        self.in_flight.push_back(InFlight {
            send_id: outgoing.send_id,
            broker: context.broker,
            batch,
        });
        Drain::Send(outgoing)
    }

    /// Looks without taking anything. The engine has seen the queue after this.
    pub fn peek(&mut self, now: Instant) -> Peek {
        self.is_dirty = false;
        if self.open.is_none() && self.waiting.is_empty() {
            return Peek::Nothing;
        }
        let broken = self.needs_bump && !self.in_flight.is_empty();
        if broken || self.in_flight.len() >= self.max_in_flight() || self.is_held_back() {
            return Peek::Blocked;
        }
        let at = match (self.waiting.front(), &self.open) {
            (Some(Waiting::Sealing { .. }), _) => return Peek::Blocked,
            (Some(Waiting::Sealed(batch)), _) => batch.retry_at,
            (None, Some(open)) if open.flush_requested => None,
            (None, Some(open)) => Some(open.created_at + self.settings.linger),
            (None, None) => None,
        };
        match at {
            Some(at) if at > now => Peek::At(at),
            _ => Peek::Now,
        }
    }
}
