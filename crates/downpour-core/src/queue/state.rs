//! What a queue holds, and the few moves that all its operations share. Its batches' types are in
//! `batch`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::event::Event;
use crate::ids::MemoryLine;
use crate::mutants;
use crate::outcome::{Cause, Failure, Verdict, WaitingFor, Written};
use crate::output::{Output, Outputs};
use crate::queue::batch::{Batch, Doubt, InFlight, Open, OrderKey, Waiting, resolve};
use crate::queue::ceiling::Ceiling;
use crate::queue::counters::Counters;
use crate::queue::sequence::Sequence;
use crate::rng::Rng;

/// The part of the configuration that a queue needs.
#[derive(Debug, Clone, Copy)]
pub struct QueueSettings {
    /// Batches in flight at once while the partition is proven.
    pub(super) max_in_flight: usize,
    pub(super) idempotent: bool,
    pub(super) resend_unknown: bool,
    pub(super) fail_on_data_loss: bool,
    pub(super) order_across_options: bool,
    pub(super) linger: Duration,
    pub(super) retries: u32,
    pub(super) batch_size: usize,
    pub(super) batch_records: u32,
    pub(super) record_share: usize,
    pub(super) records_ahead: usize,
    pub(super) batch_max: usize,
    pub(super) retry_backoff: (Duration, Duration),
    /// In milliseconds, as records' timestamps are.
    pub(super) old_record_age: i64,
}

impl From<&Config> for QueueSettings {
    fn from(config: &Config) -> Self {
        Self {
            max_in_flight: config.batches_in_flight(),
            idempotent: config.idempotence,
            resend_unknown: config.resend_unknown,
            fail_on_data_loss: config.fail_on_data_loss,
            order_across_options: config.order_across_options,
            linger: config.linger.duration(),
            retries: config.retries,
            batch_size: config.batch_size,
            batch_records: config.batch_records,
            record_share: config.record_share,
            records_ahead: config.records_ahead,
            batch_max: config.batch_max,
            retry_backoff: config.retry_backoff,
            old_record_age: i64::try_from(config.old_record_age.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// A partition's memory goes to another line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "how much goes from where to where"
)]
pub struct Turn {
    /// The line before.
    pub from: MemoryLine,
    /// The line from now on.
    pub to: MemoryLine,
    /// What the partition holds.
    pub bytes: usize,
}

/// One partition's records, from append to verdict. `T` is a batch's ticket: its completion
/// handle, which core clones and looks no further into.
#[derive(Debug)]
pub struct Queue<T> {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    pub(super) settings: QueueSettings,
    /// The open batch that took the last record.
    pub(super) open: Option<Open<T>>,
    /// Open batches of other options; three at most.
    pub(super) aside: Vec<Open<T>>,
    pub(super) opened_count: u64,
    /// Closed batches in the order in which they were closed: those that come back for a retry
    /// are before those that were never sent.
    pub(super) waiting: VecDeque<Waiting<T>>,
    /// In the order in which they were sent; five at most.
    pub(super) in_flight: VecDeque<InFlight<T>>,
    pub(super) sequence: Sequence,
    /// Set once an answer showed that the topic stamps records itself, cleared only when the topic
    /// is another one: brokers then
    /// age what they know of a producer by their own clock, not by the records' timestamps.
    pub(super) log_append_time: bool,
    /// Set when the engine is told that there is something to look at, cleared when it looks.
    /// Without it the engine would be told of each batch of a flood.
    pub(super) is_dirty: bool,
    /// What the wall clock showed when a batch left last, in milliseconds since 1970; `None` until
    /// one did.
    pub(super) sent_unix_ms: Option<i64>,
    pub(super) next_order: u64,
    pub(super) next_send_id: u64,
    /// Where its memory is lent.
    line: MemoryLine,
    /// The line of the partition's leader, as the shell was told last: it turns there once no
    /// batch is in flight at another broker, which alone could give memory back until then.
    leader_line: MemoryLine,
    /// Bytes that are lent to it: chunks of its batches, wherever those are.
    held: usize,
    /// Of these, what batches took for records that did not come: the next one's, or given back.
    pub(super) excess: usize,
    /// Size of the next batch's first chunk, learnt from the last batch.
    pub(super) chunk_hint: usize,
    /// Set while batches are kept smaller than the settings say.
    pub(super) ceiling: Option<Box<Ceiling>>,
    /// The last offset that was acknowledged, or -1: what a log must have that goes on from there.
    pub(super) acknowledged: i64,
    pub(super) counters: Counters,
    /// Set with each change of the counters, cleared when they are looked at: most visits change
    /// none, and with thousands of partitions each look at them is a cache miss.
    pub(super) is_counted: bool,
    pub(super) rng: Rng,
}

/// Smallest chunk: ten thousand partitions with a record each hold 5 MiB, not 640.
pub(crate) const CHUNK_MIN: usize = 512;

impl<T: Clone> Queue<T> {
    /// An empty queue of this partition.
    ///
    /// The seed spreads its backoffs: with the partition's number for one a whole fleet of
    /// producers would come back to a broker at the same moment.
    pub fn new(
        topic: Arc<str>,
        partition: i32,
        line: MemoryLine,
        settings: QueueSettings,
        seed: u64,
    ) -> Self {
        Self {
            rng: Rng::new(seed),
            topic,
            partition,
            settings,
            open: None,
            aside: Vec::new(),
            opened_count: 0,
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            sequence: Sequence::new(),
            log_append_time: false,
            is_dirty: false,
            sent_unix_ms: None,
            next_order: 0,
            next_send_id: 0,
            line,
            leader_line: line,
            held: 0,
            excess: 0,
            chunk_hint: CHUNK_MIN.min(settings.batch_size),
            ceiling: None,
            acknowledged: -1,
            counters: Counters::default(),
            is_counted: false,
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

    /// What it has done so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The same, if it has changed since it was asked last.
    #[inline]
    pub fn poll_counters(&mut self) -> Option<&Counters> {
        std::mem::take(&mut self.is_counted).then_some(&self.counters)
    }

    /// Whether no batch is open, waiting or in flight.
    pub fn is_empty(&self) -> bool {
        !self.has_unsent() && self.in_flight.is_empty()
    }

    /// Whether every record that got in has its verdict. Batches whose time was over while they were
    /// in flight may still be there: they keep their memory and their sequence until their answer.
    pub fn is_settled(&self) -> bool {
        !self.has_unsent() && self.in_flight.iter().all(|sent| sent.batch.resolved)
    }

    /// Whether a batch is open or waiting.
    pub(super) fn has_unsent(&self) -> bool {
        self.open.is_some() || !self.aside.is_empty() || !self.waiting.is_empty()
    }

    /// Batches in requests that have no answer yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Bytes of the records in open batches.
    pub(crate) fn open_bytes(&self) -> usize {
        self.opened().map(|open| open.builder.body_len()).sum()
    }

    /// Bytes that are lent to it, those of batches that are being compressed included.
    pub fn held(&self) -> usize {
        self.held
    }

    /// The line that its memory is lent in.
    #[inline(always)]
    pub fn line(&self) -> MemoryLine {
        self.line
    }

    /// Another broker leads the partition, or nobody does any more; [`poll_turn`](Self::poll_turn)
    /// says when its memory goes there.
    pub fn set_leader_line(&mut self, line: MemoryLine) {
        self.leader_line = line;
    }

    /// Turns to its leader's line, if it is in another one and may. To be asked after every visit
    /// of the engine, and carried out before anybody else gets the queue: what it says about memory
    /// from now on names the new line.
    #[inline]
    pub fn poll_turn(&mut self) -> Option<Turn> {
        if self.line == self.leader_line {
            return None;
        }
        let elsewhere = |sent: &InFlight<T>| MemoryLine(Some(sent.broker)) != self.leader_line;
        if self.in_flight.iter().any(elsewhere) {
            return None;
        }
        Some(Turn {
            from: std::mem::replace(&mut self.line, self.leader_line),
            to: self.leader_line,
            bytes: mutants::pick(30, 0, self.held),
        })
    }

    /// Takes a chunk in.
    pub(super) fn take_credit(&mut self, bytes: usize) {
        self.held += bytes;
    }

    /// Lets go of credit; the line that it belongs to.
    pub(super) fn leave_credit(&mut self, bytes: usize) -> MemoryLine {
        debug_assert!(bytes <= self.held, "more is let go of than was lent");
        self.held = self.held.saturating_sub(bytes);
        self.line
    }

    /// Gives a batch's memory back; nobody sends it any more.
    pub(super) fn free(&mut self, batch: Batch<T>, out: &mut Outputs<T>) {
        let bytes = batch.memory + std::mem::take(&mut self.excess);
        out.push_back(Output::Free {
            bytes,
            line: self.leave_credit(bytes),
            body: Some(batch.body),
        });
    }

    /// Gives credit back that was taken for records that did not come.
    pub(super) fn free_excess(&mut self, out: &mut Outputs<T>) {
        let bytes = std::mem::take(&mut self.excess);
        if bytes > 0 {
            out.push_back(Output::Free {
                bytes,
                line: self.leave_credit(bytes),
                body: None,
            });
        }
    }

    /// The tickets of all batches without a complete verdict, for a flush to wait on.
    pub fn tickets(&self, out: &mut Vec<T>) {
        out.extend(self.in_flight.iter().map(|f| f.batch.ticket.clone()));
        out.extend(self.waiting.iter().map(|w| match w {
            Waiting::Sealing { ticket, .. } => ticket.clone(),
            Waiting::Sealed(batch) => batch.ticket.clone(),
        }));
        out.extend(self.opened().map(|open| open.ticket.clone()));
    }

    /// Gives back the room for batches that it has not: nobody has sent to it for long.
    pub fn shrink(&mut self) {
        self.aside.shrink_to_fit();
        self.waiting.shrink_to_fit();
        self.in_flight.shrink_to_fit();
    }

    /// Batches that there is room for.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.aside.capacity() + self.waiting.capacity() + self.in_flight.capacity()
    }

    /// Records that have no verdict yet.
    pub fn unresolved(&self) -> u64 {
        let open = self.opened().map(|open| open.builder.count());
        let waiting = self.waiting.iter().map(|waiting| match waiting {
            Waiting::Sealing { records, .. } => *records,
            Waiting::Sealed(batch) => batch.count(),
        });
        let in_flight = self.in_flight.iter().map(|sent| &sent.batch);
        let in_flight = in_flight.filter(|batch| !batch.resolved).map(Batch::count);
        open.chain(waiting).chain(in_flight).map(u64::from).sum()
    }

    /// Makes what is open leave without lingering.
    pub fn request_flush(&mut self) {
        for open in self.open.iter_mut().chain(&mut self.aside) {
            open.flush_requested = true;
        }
    }

    /// The topic was deleted and made anew: what is known of the former one is about nothing now.
    pub fn handle_made_anew(&mut self) {
        let (ceiling, sizes) = self.ceiling();
        Ceiling::forget(ceiling, sizes);
        self.log_append_time = false;
        self.acknowledged = -1;
    }

    /// The cluster is another one: nobody there knows of this producer. What may be in the former
    /// one's log ends unknown as the sequence begins anew, since it cannot be asked any more.
    pub fn handle_other_cluster(&mut self) {
        self.handle_made_anew();
        self.sequence.handle_broken(None);
    }

    /// Whether batches are kept smaller than the settings say.
    #[cfg(test)]
    pub(crate) fn has_ceiling(&self) -> bool {
        self.ceiling.is_some()
    }

    /// What the topic's limit taught, and the sizes that follow from it.
    pub(super) fn ceiling(&mut self) -> (&mut Option<Box<Ceiling>>, (&mut usize, &mut usize)) {
        let settings = &mut self.settings;
        let sizes = (&mut settings.batch_size, &mut settings.batch_max);
        (&mut self.ceiling, sizes)
    }

    /// Whether nothing new leaves before there is an identity, or a newer one.
    pub fn needs_identity(&self) -> bool {
        self.settings.idempotent && !self.sequence.goes_on(None)
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
        if self.settings.idempotent && !self.sequence.is_proven() && !mutants::is(4) {
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
        let written = if batch.maybe_written() {
            Written::Unknown
        } else {
            Written::No
        };
        self.fail(batch, written, cause, now, out);
    }

    /// Gives the records of a batch their verdict that is still being compressed: it was never sent.
    pub(super) fn give_up_sealing(&self, waiting: &Waiting<T>, now: Instant, out: &mut Outputs<T>) {
        let Waiting::Sealing {
            ticket,
            times,
            records,
            ..
        } = waiting
        else {
            return;
        };
        let cause = Cause::DeliveryTimeout {
            last: None,
            waiting_for: WaitingFor::Compression,
        };
        out.push_back(Output::Event(Event::DeliveryFailed {
            topic: self.topic.clone(),
            partition: self.partition,
            records: *records,
            written: Written::No,
            cause: cause.clone(),
        }));
        let mut failure = Failure::new(cause, self.topic.clone(), self.partition);
        failure.age = now.saturating_duration_since(times.created_at);
        out.push_back(Output::Resolve {
            ticket: ticket.clone(),
            first: 0,
            count: *records,
            total: *records,
            verdict: Verdict::Failed(Arc::new(failure)),
        });
    }

    fn fail(
        &self,
        batch: &Batch<T>,
        written: Written,
        cause: Cause,
        now: Instant,
        out: &mut Outputs<T>,
    ) {
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

    /// Gives the records of a batch in flight their verdict without its answer: nobody can know,
    /// unless it is behind one that is certainly absent.
    pub(super) fn give_up_in_flight(
        &self,
        batch: &Batch<T>,
        cause: Cause,
        now: Instant,
        out: &mut Outputs<T>,
    ) {
        let is_absent = batch.stamp.is_some() && self.sequence.is_absent(batch.order_key());
        let written = if is_absent && batch.doubt != Doubt::Said {
            Written::No
        } else {
            Written::Unknown
        };
        self.fail(batch, written, cause, now, out);
    }

    /// A stamped batch ended without an acknowledgement. A sequence that nobody can have seen comes
    /// back; any other belongs to its records, and the partition begins a new epoch.
    pub(super) fn handle_gap(&mut self, batch: &Batch<T>) {
        let Some(stamp) = batch
            .stamp
            .filter(|(identity, _)| self.sequence.is_current(*identity))
        else {
            return;
        };
        let is_spent = mutants::pick(27, batch.maybe_written(), batch.spent);
        if !is_spent && self.sequence.give_back(stamp, batch.count()) {
            return;
        }
        let absent = (!batch.maybe_written()).then(|| batch.order_key());
        self.handle_broken(absent);
    }

    /// The sequence cannot go on. Batches behind one that is certainly absent are absent too.
    pub(super) fn handle_broken(&mut self, absent: Option<OrderKey>) {
        self.sequence.handle_broken(absent);
        let waiting = self.waiting.iter_mut().filter_map(|waiting| match waiting {
            Waiting::Sealed(batch) => Some(batch),
            Waiting::Sealing { .. } => None,
        });
        let in_flight = self.in_flight.iter_mut().map(|sent| &mut sent.batch);
        for batch in waiting.chain(in_flight).filter(|_| !mutants::is(28)) {
            clear_doubt(&self.sequence, batch);
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
        self.break_behind_absent(&ends);
        let mut ended = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Sealed(batch) if ends(&batch) => ended.push(batch),
                stays => self.waiting.push_back(stays),
            }
        }
        // Last first, so that each can give its sequence back.
        for batch in ended.iter().rev() {
            self.handle_gap(batch);
        }
        for batch in ended {
            self.give_up(&batch, cause(&batch), now, out);
            self.free(batch, out);
        }
    }

    /// Of the waiting batches that are about to end, the first one that was sent and is certainly
    /// absent takes the doubt from all behind it, also from those that end along with it.
    pub(super) fn break_behind_absent(&mut self, ends: impl Fn(&Batch<T>) -> bool) {
        let is_absent = |waiting: &Waiting<T>| match waiting {
            Waiting::Sealed(batch) if batch.spent && !batch.maybe_written() && ends(batch) => {
                let stamp = batch.stamp.filter(|(id, _)| self.sequence.is_current(*id));
                stamp.map(|_| batch.order_key())
            }
            _ => None,
        };
        if let Some(first) = self.waiting.iter().find_map(is_absent) {
            self.handle_broken(Some(first));
        }
    }

    /// Puts a batch where it belongs among those that wait.
    pub(crate) fn put_back(&mut self, batch: Batch<T>) {
        let at = self
            .waiting
            .partition_point(|w| w.order_key() < batch.order_key() || mutants::is(3));
        self.waiting.insert(at, Waiting::Sealed(batch));
    }
}

/// A lost answer leaves no doubt about a batch behind one that is certainly absent.
pub(super) fn clear_doubt<T>(sequence: &Sequence, batch: &mut Batch<T>) {
    if batch.doubt == Doubt::Lost && batch.stamp.is_some() && sequence.is_absent(batch.order_key())
    {
        batch.doubt = Doubt::None;
    }
}
