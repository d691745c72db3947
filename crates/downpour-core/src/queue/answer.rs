//! What an answer, or its absence, makes of a batch.
//!
//! The row of the error table is joined with the batch's past here and nowhere else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::batch::Body;
use downpour_wire::codec::Compressor;
use downpour_wire::error_code::ErrorCode;

use crate::errors::{self, Reaction};
use crate::event::Event;
use crate::mutants;
use crate::outcome::{Cause, Verdict, WaitingFor, Written};
use crate::output::{Output, Outputs};
use crate::queue::batch::{Batch, Doubt, InFlight, Left, Unexplained, resolve};
use crate::queue::ceiling::Ceiling;
use crate::queue::state::{CHUNK_MIN, Queue, clear_doubt};

/// A broker's word on one batch.
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built by the engine and by tests"
)]
pub struct Answer {
    /// Kafka's code.
    pub code: ErrorCode,
    /// Offset of the first record, or -1.
    pub base_offset: i64,
    /// Time that the broker stamped, or -1.
    pub log_append_time: i64,
    /// The broker's words.
    pub message: Option<Arc<str>>,
    /// Records that were refused by name (KIP-467).
    pub refusals: Vec<RecordRefusal>,
}

/// One record that a broker refused.
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built by the engine and by tests"
)]
pub struct RecordRefusal {
    /// Its index in the batch.
    pub index: u32,
    /// The broker's words.
    pub message: Option<Arc<str>>,
}

/// What becomes of the records that a refusal does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Siblings {
    Fail,
    GoAgain,
}

impl Answer {
    /// An answer that says nothing but this code.
    pub fn of(code: ErrorCode) -> Self {
        Self {
            code,
            base_offset: -1,
            log_append_time: -1,
            message: None,
            refusals: Vec::new(),
        }
    }

    fn cause(&self) -> Cause {
        Cause::Broker {
            code: self.code,
            message: self.message.clone(),
        }
    }
}

/// With more records of a batch refused by name, the others do not go again: each run between two
/// of them is a batch of its own, and a partition has one in each request.
const NAMED_MAX: usize = 100;

/// So often a batch is sent again because of answers without an explanation.
const UNEXPLAINED_MAX: u32 = 5;

/// No more than this after the first of them.
const UNEXPLAINED_FOR: Duration = Duration::from_secs(10);

impl<T: Clone> Queue<T> {
    /// Judges an answer. A sending that is not in flight any more changes nothing.
    ///
    /// Returns whether the metadata that led to this broker is stale.
    pub fn handle_answer(
        &mut self,
        send_id: u64,
        answer: &Answer,
        now: Instant,
        out: &mut Outputs<T>,
    ) -> bool {
        let Some(InFlight {
            mut batch,
            is_aged,
            sent_at,
            ..
        }) = self.take_in_flight(send_id)
        else {
            return false;
        };
        // Whatever the answer is, the request had gone.
        batch.spent = true;
        let row = errors::produce(answer.code);
        // A leader appends, waits for its followers, and is deposed meanwhile: it answers
        // NOT_LEADER_OR_FOLLOWER, which otherwise means that it did not append. The offset in
        // the answer shows that it did.
        let is_refused = row.reaction != Reaction::Acknowledge;
        let is_appended = is_refused && answer.base_offset >= 0;
        if row.maybe_written || (is_appended && !mutants::is(14)) {
            batch.doubt = Doubt::Said;
        }
        match row.reaction {
            Reaction::Acknowledge | Reaction::AlreadyWritten => {
                // Batches 1, 2 and 3 are in flight; 1 is to be sent again, 2 is acknowledged by a
                // leader without state. As long as 1 is on its way nothing new may follow 2.
                let is_next = self.sequence.is_proven() || !self.has_predecessor(&batch);
                self.note_append_time(answer, &batch);
                if is_aged && !self.log_append_time {
                    // The broker may forget this producer at its next look.
                    self.sequence.unprove();
                } else {
                    self.sequence.handle_acknowledged(is_next, sent_at);
                }
                self.note_acknowledged(answer, &batch);
                if !batch.resolved {
                    resolve(&batch, self.delivered(answer, row.reaction, &batch), out);
                }
                self.free(batch, out);
            }
            _ if batch.resolved => self.drop_resolved(batch, out),
            Reaction::Retry => self.retry(batch, answer.cause(), now, out),
            Reaction::RetrySome if self.may_try_again(&mut batch, now) => {
                self.retry(batch, answer.cause(), now, out);
            }
            Reaction::RetrySome => self.fail_answered(batch, answer, now, out),
            Reaction::Split => self.split(batch, answer, now, out),
            Reaction::OutOfOrder | Reaction::IdentityLost if !self.settings.idempotent => {
                self.fail_answered(batch, answer, now, out);
            }
            Reaction::OutOfOrder if self.has_predecessor(&batch) => {
                // A gap that we know of: its predecessor was refused or lost and comes back first.
                // The sending did not count, since it could not have succeeded.
                batch.attempts = batch.attempts.saturating_sub(1);
                self.sequence.unprove();
                self.put_back(batch);
            }
            Reaction::OutOfOrder
                if !batch.maybe_written() && self.sequence.is_absent(batch.order_key()) =>
            {
                // Its predecessor failed for good, and a new epoch begins as soon as all answers
                // are here. There is nothing to wait for besides: the sending did not count.
                batch.attempts = batch.attempts.saturating_sub(1);
                self.put_back(batch);
            }
            Reaction::OutOfOrder | Reaction::IdentityLost => {
                let is_lost =
                    row.reaction == Reaction::OutOfOrder && self.tell_of_lost_data(&batch, out);
                let absent = (!batch.maybe_written()).then(|| batch.order_key());
                self.handle_broken(absent);
                if is_lost && self.settings.fail_on_data_loss {
                    let acknowledged = self.acknowledged;
                    self.give_up(&batch, Cause::DataLost { acknowledged }, now, out);
                    self.free(batch, out);
                } else {
                    self.retry(batch, answer.cause(), now, out);
                }
            }
            Reaction::Fail => self.fail_answered(batch, answer, now, out),
        }
        row.refresh
    }

    /// The answer will never come; `left` tells how much of the request had gone.
    pub fn handle_lost(
        &mut self,
        send_id: u64,
        left: Left,
        cause: Cause,
        now: Instant,
        out: &mut Outputs<T>,
    ) {
        let Some(InFlight { mut batch, .. }) = self.take_in_flight(send_id) else {
            return;
        };
        batch.spent |= left != Left::Nothing;
        if (left == Left::Whole || mutants::is(33)) && !mutants::is(2) {
            batch.doubt = batch.doubt.max(Doubt::Lost);
            clear_doubt(&self.sequence, &mut batch);
        }
        if batch.resolved {
            self.drop_resolved(batch, out);
        } else {
            self.retry(batch, cause, now, out);
        }
    }

    /// The whole request is on the socket and nobody will answer it (acks=0).
    pub fn handle_sent(&mut self, send_id: u64, out: &mut Outputs<T>) {
        let Some(InFlight { batch, .. }) = self.take_in_flight(send_id) else {
            return;
        };
        if !batch.resolved {
            resolve(&batch, Verdict::Sent, out);
        }
        self.free(batch, out);
    }

    fn take_in_flight(&mut self, send_id: u64) -> Option<InFlight<T>> {
        let at = self.in_flight.iter().position(|f| f.send_id == send_id)?;
        self.in_flight.remove(at)
    }

    /// Notes that the topic stamps records itself, if this acknowledgement shows it.
    fn note_append_time(&mut self, answer: &Answer, batch: &Batch<T>) {
        self.log_append_time |= self.append_time(answer, batch).is_some();
    }

    /// Notes how far the log goes, as far as the broker says.
    fn note_acknowledged(&mut self, answer: &Answer, batch: &Batch<T>) {
        self.acknowledged = last_offset(answer, batch).unwrap_or(self.acknowledged);
    }

    /// All before this batch was acknowledged, and the broker misses it: an unclean election or a
    /// lost disk took records that it had said it has. The records that come go on under a new
    /// epoch; what is gone nobody else would tell of.
    ///
    /// Returns whether that is so.
    fn tell_of_lost_data(&self, batch: &Batch<T>, out: &mut Outputs<T>) -> bool {
        if !self.sequence.is_proven() || self.acknowledged < 0 {
            return false;
        }
        out.push_back(Output::Event(Event::DataLost {
            topic: self.topic.clone(),
            partition: self.partition,
            broker: batch.broker,
            acknowledged: self.acknowledged,
        }));
        true
    }

    fn delivered(&self, answer: &Answer, reaction: Reaction, batch: &Batch<T>) -> Verdict {
        Verdict::Delivered {
            base_offset: match reaction {
                Reaction::Acknowledge => last_offset(answer, batch).and(Some(answer.base_offset)),
                _ => None,
            },
            log_append_time: self.append_time(answer, batch),
        }
    }

    /// When the broker appended the batch, where it stamps records itself.
    ///
    /// To a batch that it has already it answers with the batch's own latest timestamp, also where
    /// the topic keeps the records' times: that is nobody's append time.
    fn append_time(&self, answer: &Answer, batch: &Batch<T>) -> Option<i64> {
        let time = answer.log_append_time;
        let may_be_repeated = batch.maybe_written() && !self.log_append_time;
        (time >= 0 && !(may_be_repeated && time == batch.body.max_timestamp())).then_some(time)
    }

    fn has_predecessor(&self, batch: &Batch<T>) -> bool {
        self.in_flight
            .iter()
            .any(|f| f.batch.order_key() < batch.order_key())
            || self
                .waiting
                .iter()
                .any(|w| w.is_stamped() && w.order_key() < batch.order_key())
    }

    /// The delivery timeout gave its handles their verdict; what remains is the sequence.
    fn drop_resolved(&mut self, batch: Batch<T>, out: &mut Outputs<T>) {
        self.handle_gap(&batch);
        if !mutants::is(31) {
            self.free(batch, out);
        }
    }

    /// Whether a batch that the broker has no explanation for is sent again. A broker that sees the
    /// sequence does not write it twice, and what it stumbled over is often gone a moment later
    /// (KAFKA-15653); a defect that stays would cost each batch its whole delivery timeout.
    fn may_try_again(&self, batch: &mut Batch<T>, now: Instant) -> bool {
        let trouble = batch.unexplained.get_or_insert_with(|| {
            Box::new(Unexplained {
                answers: 0,
                since: now,
            })
        });
        trouble.answers += 1;
        let is_new = now.saturating_duration_since(trouble.since) < UNEXPLAINED_FOR;
        batch.stamp.is_some() && trouble.answers <= UNEXPLAINED_MAX && is_new
    }

    fn retry(&mut self, mut batch: Batch<T>, cause: Cause, now: Instant, out: &mut Outputs<T>) {
        let last = Arc::new(cause.clone());
        batch.last = Some(last.clone());
        // Also the batch that is retried goes alone until it is through: one that follows it
        // could be appended while it is refused.
        if !mutants::is(13) {
            self.sequence.unprove();
        }
        // Retries that were used up count those before, not the sending that failed just now.
        let is_used_up = batch.attempts > self.settings.retries;
        if is_used_up || now >= batch.deadline {
            let cause = match is_used_up {
                true => cause,
                false => Cause::DeliveryTimeout {
                    last: Some(last),
                    waiting_for: WaitingFor::Answer,
                },
            };
            self.give_up(&batch, cause, now, out);
            self.handle_gap(&batch);
            self.free(batch, out);
            return;
        }
        out.push_back(Output::Event(Event::Retry {
            topic: self.topic.clone(),
            partition: self.partition,
            records: batch.count(),
            attempts: batch.attempts,
            cause,
        }));
        let backoff = self
            .rng
            .backoff(self.settings.retry_backoff, batch.attempts);
        batch.retry_at = Some(mutants::pick(32, now, now + backoff));
        self.counters.retries += 1;
        self.is_counted = true;
        self.put_back(batch);
    }

    fn fail_answered(
        &mut self,
        batch: Batch<T>,
        answer: &Answer,
        now: Instant,
        out: &mut Outputs<T>,
    ) {
        let mut named: Vec<u32> = answer.refusals.iter().map(|r| r.index).collect();
        named.retain(|index| *index < batch.count());
        named.sort_unstable();
        named.dedup();
        if named.is_empty() || batch.maybe_written() {
            let cause = match &batch.last {
                Some(last) if mutants::is(36) => (**last).clone(),
                _ => answer.cause(),
            };
            self.give_up(&batch, cause, now, out);
        } else {
            let rest = match batch.is_rest || named.len() > NAMED_MAX {
                true => Vec::new(),
                false => batch
                    .body
                    .without(&named, &mut Compressor::new())
                    .unwrap_or_default(),
            };
            let siblings = match rest.is_empty() {
                true => Siblings::Fail,
                false => Siblings::GoAgain,
            };
            self.refuse_records(&batch, answer, (&named, siblings), now, out);
            if !rest.is_empty() {
                return self.send_rest(batch, rest);
            }
        }
        self.handle_gap(&batch);
        self.free(batch, out);
    }

    /// What the broker did not name goes again, once: it is in no log, and whoever sent it has done
    /// nothing wrong. Its sequences go with those that were named, so that it takes its place under
    /// a new epoch.
    fn send_rest(&mut self, batch: Batch<T>, rest: Vec<(u32, Body)>) {
        self.handle_gap(&batch);
        self.put_parts(&batch, rest, |part, _| {
            part.spent = false;
            part.stamp = None;
            part.is_rest = true;
        });
    }

    /// Puts parts of a batch into its place, each with the index of its first record. They were not
    /// sent yet, and share the whole's credit; what rounding leaves goes with the last.
    fn put_parts(
        &mut self,
        batch: &Batch<T>,
        parts: Vec<(u32, Body)>,
        change: impl Fn(&mut Batch<T>, u32),
    ) {
        let mut memory = batch.memory;
        let count = parts.len();
        for (at, (first, body)) in parts.into_iter().enumerate() {
            let share = if at + 1 == count && !mutants::is(6) {
                memory
            } else {
                body.len().min(memory)
            };
            memory -= share;
            let mut part = Batch {
                ticket: batch.ticket.clone(),
                first: batch.first + first,
                body: Arc::new(body),
                memory: share,
                attempts: 0,
                retry_at: None,
                doubt: Doubt::None,
                last: None,
                unexplained: None,
                ..*batch
            };
            change(&mut part, first);
            self.put_back(part);
        }
    }

    /// The records that the broker named get its words; their siblings, if they do not go again, a
    /// cause of their own.
    fn refuse_records(
        &self,
        batch: &Batch<T>,
        answer: &Answer,
        (named, siblings): (&[u32], Siblings),
        now: Instant,
        out: &mut Outputs<T>,
    ) {
        let total = batch.count();
        let sibling = Verdict::Failed(self.failure(batch, Cause::SiblingRefused, now));
        let mut push = |first: u32, count: u32, verdict: Verdict| {
            if count > 0 {
                let ticket = batch.ticket.clone();
                out.push_back(Output::Resolve {
                    ticket,
                    first: batch.first + first,
                    count,
                    total: batch.total,
                    verdict,
                });
            }
        };
        // All of a batch may be named: a search from the start for each would be a second of work.
        let mut said: Vec<&RecordRefusal> = answer.refusals.iter().collect();
        said.sort_by_key(|refusal| refusal.index);
        let words = |index: u32| {
            let at = said.partition_point(|refusal| refusal.index < index);
            said.get(at).and_then(|refusal| refusal.message.as_ref())
        };
        let mut next = 0;
        // Neighbours of whom the same is said are one run: each verdict looks at all who wait.
        for run in named.chunk_by(|a, b| a + 1 == *b && words(*a) == words(*b)) {
            let (index, count) = (run[0], run.len() as u32);
            if siblings == Siblings::Fail {
                push(next, index - next, sibling.clone());
            }
            let cause = Cause::Broker {
                code: answer.code,
                message: words(index).or(answer.message.as_ref()).cloned(),
            };
            let verdict = Verdict::Failed(self.failure(batch, cause, now));
            push(index, count, verdict);
            next = index + count;
        }
        let records = match siblings {
            Siblings::Fail => {
                push(next, total - next, sibling);
                total
            }
            Siblings::GoAgain => u32::try_from(named.len()).unwrap_or(total),
        };
        out.push_back(Output::Event(Event::DeliveryFailed {
            topic: self.topic.clone(),
            partition: self.partition,
            records,
            written: Written::No,
            cause: answer.cause(),
        }));
    }

    /// Makes smaller batches of one that the broker finds too large; they keep its sequences,
    /// its deadline and its place.
    fn split(&mut self, batch: Batch<T>, answer: &Answer, now: Instant, out: &mut Outputs<T>) {
        if batch.count() < 2 || (batch.maybe_written() && !mutants::is(8)) {
            return self.fail_answered(batch, answer, now, out);
        }
        let whole = batch.body.uncompressed_len();
        let target = if whole > 2 * self.settings.batch_size {
            self.settings.batch_size
        } else {
            whole / 2
        };
        let parts = match batch.body.split(target, &mut Compressor::new()) {
            Ok(parts) if parts.len() > 1 => parts,
            _ => return self.fail_answered(batch, answer, now, out),
        };
        out.push_back(Output::Event(Event::Split {
            topic: self.topic.clone(),
            partition: self.partition,
            parts: parts.len(),
        }));
        self.sequence.unprove();
        let (ceiling, sizes) = self.ceiling();
        Ceiling::lower(ceiling, sizes, target.max(CHUNK_MIN), now);
        let mut first = 0;
        let parts = parts.into_iter().map(|body| {
            let at = first;
            first += body.count();
            (at, body)
        });
        let parts = parts.collect();
        self.put_parts(&batch, parts, |part, first| {
            let step = mutants::pick(19, 0, first);
            let advance = |(id, sequence)| (id, crate::identity::advance(sequence, step));
            part.stamp = part.stamp.map(advance);
        });
    }
}

/// The offset of a batch's last record, if the broker tells one that can be: no log is as long as
/// numbers go, and an offset that its records are added to must not overflow.
fn last_offset<T>(answer: &Answer, batch: &Batch<T>) -> Option<i64> {
    let base = Some(answer.base_offset).filter(|base| *base >= 0)?;
    base.checked_add(i64::from(batch.count()) - 1)
}
