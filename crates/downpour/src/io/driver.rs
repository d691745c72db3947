//! One round: what happened goes to the engine, what it says is carried out.
//!
//! Rounds are run by the I/O thread, and by a caller that opens a batch while that thread
//! sleeps; `thread` has the lock and the loop. Order within a round: sockets, mail, engine,
//! writes, and only then, without the lock, what is other people's code (`after`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_core::event::{Event, Question};
use downpour_core::ids::{MemoryLine, PartitionId};
use downpour_core::mutants;
use downpour_core::produce::{Engine, Output, TopicUpdate};
use downpour_core::seal::{SealJob, Sealed};
use downpour_wire::batch::Body;
use downpour_wire::codec::Compressor;

use crate::delivery::batch_state::BatchState;
use crate::io::after::After;
use crate::io::closing::{self, Closing};
use crate::io::connections::{ConnectionEvent, Connections, WAKER};
use crate::io::given::Given;
use crate::io::pool::Pool;
use crate::io::questions::Questions;
use crate::io::queues::LockedQueues;
use crate::io::sockets::{SocketEvent, Sockets};
use crate::observe::log::Line;
use crate::shared::brokers::BrokersShown;
use crate::shared::mailbox::{Command, Mail};
use crate::shared::shared::Shared;
use crate::sys::lock::lock;
use crate::sys::sync::Mutex;
use crate::topics::entry::Refusal;

/// Above this a batch is compressed on the pool, so that answers are not kept waiting.
const SEAL_INLINE_BYTES: usize = 4 << 10;
/// Rounds of engine and writes before the sockets are looked at again.
const ROUNDS_MAX: usize = 64;
/// The same for a caller, who has other things to do: its batch is compressed, written, and nothing
/// is left to say. What else there is, is the I/O thread's.
const CALLER_ROUNDS_MAX: usize = 4;
/// The longest sleep while an answer is awaited, unless linger is longer. Such a sleep is no
/// longer than what a batch that is opened meanwhile could wait for, so that opening one wakes
/// nobody.
const IN_FLIGHT_SLEEP_MAX: Duration = Duration::from_millis(5);

type Ticket = Arc<BatchState>;
type Seals = Arc<Mutex<Vec<(PartitionId, Sealed)>>>;

/// What the I/O thread does after its round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleep {
    /// Until then, or until something happens.
    Until(Instant),
    /// Until something happens.
    UntilWoken,
    /// So long, whatever happens: too short for a poll's timeout.
    Pause(Duration),
    /// The producer has ended.
    Never,
}

/// The I/O thread's state.
pub(super) struct Driver<S: Sockets> {
    shared: Arc<Shared>,
    engine: Engine<Ticket>,
    queues: LockedQueues,
    connections: Connections<S>,
    questions: Questions,
    pool: Arc<dyn Pool>,
    compressor: Compressor,
    /// Batches that the pool compressed.
    seals: Seals,
    mail: Mail,
    connection_events: Vec<ConnectionEvent>,
    /// Sockets that had more to read than their turn allowed.
    unread: Vec<usize>,
    after: After,
    /// Used again each round.
    pressed: Vec<MemoryLine>,
    brokers_shown: BrokersShown,
    closing: Closing,
    /// Until when the I/O thread sleeps, as it said before it let go of the lock; `None` is
    /// forever. A caller's round that makes something due earlier wakes it.
    sleeps_until: Option<Instant>,
    /// Set when a round panicked, never cleared: nothing in here can be relied on, so callers run
    /// no more rounds and the I/O thread gives every record its verdict and ends.
    broken: bool,
    /// What others do meanwhile.
    #[cfg(test)]
    each_round: Option<Box<dyn FnMut() + Send>>,
}

impl<S: Sockets> Driver<S> {
    pub(super) fn new(shared: Arc<Shared>, given: Given<S>) -> Self {
        let Given {
            sockets,
            pool,
            resolve,
            seed,
        } = given;
        Self {
            engine: Engine::new(shared.settings.core.clone(), seed),
            queues: LockedQueues::new(shared.clone()),
            connections: Connections::new(shared.clone(), sockets, resolve),
            questions: Questions::default(),
            pool,
            compressor: Compressor::new(),
            seals: Seals::default(),
            mail: Mail::default(),
            connection_events: Vec::new(),
            unread: Vec::new(),
            after: After::default(),
            pressed: Vec::new(),
            brokers_shown: BrokersShown::default(),
            closing: Closing::default(),
            sleeps_until: None,
            broken: false,
            #[cfg(test)]
            each_round: None,
            shared,
        }
    }

    /// The I/O thread's round, after these events: what to do without the lock, and how long to
    /// sleep then.
    pub(super) fn round(&mut self, events: impl Iterator<Item = SocketEvent>) -> (After, Sleep) {
        self.take_events(events);
        let now = self.shared.clock.now();
        self.take_mail(now);
        if !self.closing.is_due(now) {
            self.run_engine(now, ROUNDS_MAX, true);
        }
        let ended = self.closing.begun && self.has_ended(now);
        self.end_round();
        let sleep = if ended { Sleep::Never } else { self.sleep(now) };
        (std::mem::take(&mut self.after), sleep)
    }

    /// A caller's round, while the I/O thread sleeps: what to do without the lock.
    pub(super) fn run_inline(&mut self) -> After {
        let now = self.shared.clock.now();
        self.take_mail(now);
        if !self.closing.is_due(now) {
            self.run_engine(now, CALLER_ROUNDS_MAX, false);
        }
        self.end_round();
        let sleeps_too_long = match (self.wake_at(now), self.sleeps_until) {
            (Some(at), Some(until)) => at < until,
            (Some(_), None) => true,
            (None, _) => false,
        };
        // Only the I/O thread ends a producer.
        if (sleeps_too_long && !mutants::is(42)) || self.closing.begun {
            self.after.unpark(&self.shared);
        }
        self.after.take_for_caller(&self.shared)
    }

    fn end_round(&mut self) {
        self.queues.take_woken(&mut self.after.wakers);
        let statistics = self.engine.statistics();
        self.brokers_shown.publish(statistics, &self.shared.brokers);
    }

    /// Notes that a round panicked.
    pub(super) fn break_down(&mut self) {
        self.broken = true;
    }

    /// Whether a round panicked.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// The end: what to do still, and what was left. Also after a panic.
    pub(super) fn take_rest(&mut self) -> (After, Closing) {
        (
            std::mem::take(&mut self.after),
            std::mem::take(&mut self.closing),
        )
    }

    fn take_mail(&mut self, now: Instant) {
        self.shared.mailbox.take(&mut self.mail);
        for partition in self.mail.dirty.drain(..) {
            self.engine.mark_dirty(partition);
        }
        let commands = std::mem::take(&mut self.mail.commands);
        for command in commands {
            match command {
                Command::Topic(topic) => {
                    self.engine
                        .handle_topic_wanted(topic.index(), topic.name(), now);
                }
                Command::Connect(question) => {
                    self.questions.add_cluster(question);
                    let until = now + self.shared.settings.max_block;
                    self.engine.handle_cluster_wanted(until);
                }
                Command::Partitions(topic, question) => {
                    self.questions.add_partitions(topic.index(), question);
                    let until = now + self.shared.settings.max_block;
                    let engine = &mut self.engine;
                    engine.handle_partitions_wanted(topic.index(), topic.name(), until);
                }
                Command::PartitionMissed(topic, question) => {
                    self.questions.add_partitions(topic.index(), question);
                    let until = now + self.shared.settings.max_block;
                    let engine = &mut self.engine;
                    engine.handle_partition_missed(topic.index(), topic.name(), until);
                }
                Command::Close { deadline } => self.begin_closing(deadline, true),
                Command::Detach if mutants::is(51) => {}
                Command::Detach => self.begin_closing(None, false),
            }
        }
        self.connections
            .take_results(now, &mut self.connection_events);
        self.connections.poll_attempts(
            (&self.pool, &mut self.after),
            now,
            &mut self.connection_events,
        );
        let seals = std::mem::take(&mut *lock(&self.seals));
        for (partition, sealed) in seals {
            self.finish_seal(partition, sealed);
        }
        self.shared.timers.poll_due(now, &mut self.after.wakers);
        self.shared.memory.list_pressed(&mut self.pressed);
        self.engine.set_pressed(&mut self.pressed);
        let unix_ms = self.shared.clock.unix_millis();
        self.engine.handle_wall_clock(now, unix_ms);
    }

    /// Lets the engine decide and carries it out, until there is nothing more to do.
    ///
    /// `has_read` says whether all that came to the sockets has been read.
    fn run_engine(&mut self, now: Instant, rounds: usize, has_read: bool) {
        for round in 0..rounds {
            #[cfg(test)]
            self.each_round.iter_mut().for_each(|others| others());
            self.tell_connection_events(now);
            if round > 0 && self.engine.is_at_rest(now) {
                return;
            }
            if has_read {
                self.engine.poll(now, &mut self.queues);
            } else {
                self.engine.poll_unread(now, &mut self.queues);
            }
            let mut quiet = true;
            while let Some(output) = self.engine.poll_output() {
                quiet = false;
                self.carry_out(output, now);
            }
            self.connections.flush(&mut self.connection_events);
            if quiet && (self.connection_events.is_empty() || mutants::is(45)) {
                return;
            }
        }
        // Still busy: look at the sockets and come back without sleeping. What was written
        // meanwhile is told before they are read: an answer that makes the engine end its
        // connection would otherwise find a request that counts as unsent, and records that are
        // in the log would be sent again as new ones.
        self.tell_connection_events(now);
        self.shared.mailbox.signal();
        self.after.unpark(&self.shared);
    }

    fn tell_connection_events(&mut self, now: Instant) {
        for event in self.connection_events.drain(..) {
            match event {
                ConnectionEvent::Resolved(connection_id) => {
                    self.engine.handle_resolved(connection_id, now);
                }
                ConnectionEvent::Connected(connection_id) => {
                    self.engine.handle_connected(connection_id, now)
                }
                ConnectionEvent::ConnectFailed(connection_id, failure) => {
                    self.engine.handle_connect_failed(
                        connection_id,
                        failure,
                        now,
                        &mut self.queues,
                    );
                }
                ConnectionEvent::Disconnected(connection_id, reason) => {
                    self.engine
                        .handle_disconnected(connection_id, reason, now, &mut self.queues);
                }
                ConnectionEvent::Written(connection_id, total) => {
                    self.engine
                        .handle_written(connection_id, total, 0, &mut self.queues);
                }
            }
        }
    }

    fn carry_out(&mut self, output: Output<Ticket>, now: Instant) {
        match output {
            Output::Connect {
                connection_id,
                address,
                ..
            } => self.connections.connect(
                connection_id,
                &address,
                (&self.pool, &mut self.after),
                now,
                &mut self.connection_events,
            ),
            Output::Disconnect { connection_id } => self.connections.disconnect(connection_id),
            Output::Write {
                connection_id,
                frame,
            } => self.connections.write(connection_id, frame),
            Output::Topic { topic, update } => self.update_topic(topic, &update, now),
            Output::Cluster(update) => {
                let woken = &mut self.after.wakers;
                self.questions.answer_cluster(&update, woken);
            }
            Output::Partitions { topic, answer } => {
                let woken = &mut self.after.wakers;
                self.questions.answer_partitions(topic, &answer, woken);
            }
            Output::Seal { partition, job } => self.seal(partition, *job),
            Output::Resolve {
                ticket,
                first,
                count,
                total,
                verdict,
            } => {
                if self.closing.begun {
                    self.closing.note(&ticket, (first, count), &verdict);
                }
                if let Some(entry) = self.queues.partition(ticket.id()) {
                    entry.tally.count(count, &verdict);
                }
                let woken = &mut self.after.wakers;
                if ticket
                    .resolve((first, count), total, verdict, woken)
                    .is_err()
                {
                    self.after.line(Line::ResolvedTwice {
                        topic: ticket.topic().clone(),
                        partition: ticket.partition(),
                        first,
                        records: count,
                    });
                }
            }
            Output::Free { bytes, line, body } => self.free((line, bytes), body),
            Output::Silence {
                broker,
                address,
                since,
            } => {
                let woken = &mut self.after.wakers;
                self.shared.note_silence(broker, address, since, woken);
            }
            Output::Event(event) => self.observe(event, now),
            _ => {}
        }
    }

    fn update_topic(&mut self, index: u32, update: &TopicUpdate, now: Instant) {
        let Some(topic) = self.queues.topic(index) else {
            return;
        };
        match update {
            TopicUpdate::Available { leaders } => {
                self.shared.update_topic(
                    topic,
                    leaders,
                    self.closing.begun,
                    &mut self.after.wakers,
                );
            }
            TopicUpdate::Unavailable {
                code,
                missing_for,
                fatal,
            } => {
                let refusal = Refusal {
                    code: *code,
                    missing_for: *missing_for,
                };
                topic.handle_unavailable(refusal, *fatal, now, &mut self.after.wakers);
            }
            TopicUpdate::Idle => topic.rest(),
            _ => {}
        }
    }

    fn observe(&mut self, event: Event, now: Instant) {
        match &event {
            Event::Connecting { address, .. } => self.shared.note_connecting(address, now),
            Event::Unanswered {
                question: Question::Metadata,
                address,
                reason,
                ..
            } => self.shared.note_no_answer(Some((address, reason))),
            Event::MetadataUpdated { .. } => {
                self.shared.note_no_answer(None);
                let engine = &self.engine;
                self.shared
                    .forget_unreachable(|address| engine.is_known(address));
            }
            Event::ConnectFailed { error, .. } => self.shared.note_unreachable(error),
            Event::Connected { address, .. } => self.shared.note_reachable(address),
            _ => {}
        }
        let notice = self.engine.notice(&event, now);
        self.after.line(Line::Event(event, notice));
    }

    fn seal(&mut self, partition: PartitionId, job: SealJob) {
        if job.bytes() <= SEAL_INLINE_BYTES {
            let sealed = job.run(&mut self.compressor);
            self.finish_seal(partition, sealed);
            return;
        }
        let (seals, shared) = (self.seals.clone(), self.shared.clone());
        let work = Box::new(move |compressor: &mut Compressor| {
            let sealed = job.run(compressor);
            lock(&seals).push((partition, sealed));
            shared.mailbox.wake();
        });
        self.after.compress(&self.pool, work);
    }

    fn finish_seal(&mut self, partition: PartitionId, sealed: Sealed) {
        let Some(entry) = self.queues.partition(partition) else {
            return;
        };
        let mut done = entry.lock().queue.finish_seal(sealed);
        let memory = &self.shared.memory;
        let credit = (done.line, done.freed << u32::from(mutants::is(44)));
        memory.give_back_all(&mut done.recycled, credit, &mut self.after.wakers);
        self.engine.mark_dirty(partition);
    }

    fn free(&mut self, credit: (MemoryLine, usize), body: Option<Arc<Body>>) {
        // A frame that is not fully written may still hold it; then its chunks are freed with the frame
        // instead of being used again.
        let mut chunks = body
            .and_then(Arc::into_inner)
            .map_or_else(Vec::new, Body::into_chunks);
        let memory = &self.shared.memory;
        memory.give_back_all(&mut chunks, credit, &mut self.after.wakers);
    }

    fn begin_closing(&mut self, deadline: Option<Instant>, awaited: bool) {
        let first = !self.closing.begun;
        self.closing.wish(deadline, awaited);
        if first {
            let engine = &mut self.engine;
            closing::shut(&self.shared, &mut self.after.wakers, |partition| {
                engine.mark_dirty(partition)
            });
            self.engine.drain();
        }
    }

    /// Whether every record has its verdict; at the deadline they are given one, and nothing leaves
    /// that has not left.
    fn has_ended(&mut self, now: Instant) -> bool {
        if self.closing.is_due(now) {
            self.closing.aborted = true;
            // A connection that has ended may have left a request behind of which nothing had left.
            self.tell_connection_events(now);
            self.abort(now);
            if self.closing.is_overdue(now) {
                let reason = "a batch was not brought back in time";
                closing::abandon_all(&self.shared, reason, &mut self.after.wakers);
                return true;
            }
        }
        // What the engine has still to say may be the last verdicts.
        if self.engine.has_output() || !closing::is_settled(&self.shared) {
            return false;
        }
        if !self.closing.aborted {
            // Batches whose time was over while they were in flight wait for answers that would only give
            // their memory back, and a broker that is silent owes those for a whole request timeout.
            self.abort(now);
        }
        true
    }

    /// Gives up what has no verdict, and ends all connections.
    fn abort(&mut self, now: Instant) {
        let unsent = self.engine.abort(now, &mut self.queues);
        for unsent in &unsent {
            self.closing.keep(unsent, &mut self.after);
        }
        drop(unsent);
        self.run_engine(now, ROUNDS_MAX, true);
    }

    /// When something is due though nothing happens. `polled_at` is the time that the engine
    /// saw last: asked with a later one it would leave out what fell due in between.
    fn wake_at(&self, polled_at: Instant) -> Option<Instant> {
        let mut wake_at = self.engine.next_wake(polled_at);
        let others = [
            self.shared.timers.next_at(),
            self.connections.next_wake(),
            self.closing.next_wake().filter(|_| !mutants::is(46)),
        ];
        for at in others.into_iter().flatten() {
            wake_at = Some(wake_at.map_or(at, |w| w.min(at)));
        }
        wake_at
    }

    fn sleep(&mut self, polled_at: Instant) -> Sleep {
        if self.unread.is_empty() {
            if let Some(time) = self.engine.pause_left(polled_at) {
                // Still awake as far as callers know: what they post is seen after it.
                return Sleep::Pause(time);
            }
        }
        let mut until = self.wake_at(polled_at);
        if self.engine.is_in_flight() {
            // Batches that are opened from now on need no earlier wake than this, so that
            // their callers need not wake anybody.
            let linger = self.shared.settings.core.linger.duration();
            let next = polled_at + linger.max(IN_FLIGHT_SLEEP_MAX);
            until = Some(until.map_or(next, |u| u.min(next)));
        }
        if !self.unread.is_empty() || !self.shared.mailbox.may_sleep() {
            until = Some(polled_at);
        }
        self.sleeps_until = until;
        until.map_or(Sleep::UntilWoken, Sleep::Until)
    }

    fn take_events(&mut self, events: impl Iterator<Item = SocketEvent>) {
        debug_assert!(
            self.connection_events.is_empty(),
            "told before sockets are read"
        );
        let now = self.shared.clock.now();
        let unread = std::mem::take(&mut self.unread);
        let again = unread.into_iter().map(|token| SocketEvent {
            token,
            readable: true,
            writable: false,
            ending: false,
        });
        for event in again.chain(events) {
            if event.token == WAKER {
                continue;
            }
            let (engine, queues) = (&mut self.engine, &mut self.queues);
            let more = self.connections.handle_event(
                event,
                now,
                |connection_id, frame| engine.handle_received(connection_id, frame, now, queues),
                &mut self.connection_events,
            );
            if more {
                self.unread.push(event.token);
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
