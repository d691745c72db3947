//! The I/O thread: passes on what happened, carries out what the engine says, sleeps until it
//! wants to be woken.

use std::collections::BTreeMap;
use std::time::Duration;

use downpour_core::errors;
use downpour_core::event::Event as Seen;
use downpour_core::ids::{MemoryLine, PartitionId};
use downpour_core::produce::{Output, TopicUpdate};
use downpour_core::queue::Turn;
use downpour_core::seal::SealJob;
use downpour_wire::codec::Compressor;
use downpour_wire::error_code::ErrorCode;

use crate::world::state::{Event, World};

/// Rounds that one turn may need; each but the last brought a sealed batch back.
const ROUNDS_MAX: usize = 1_000;

/// Turns at one instant before that counts as spinning. Senders and answers of one instant come
/// far below it.
const POLLS_AT_ONCE_MAX: u64 = 5_000;

impl World {
    /// Lets the engine do what is due and carries out what it says.
    pub(crate) fn turn(&mut self) {
        if self.client_over || self.aborting {
            return;
        }
        for round in 0.. {
            if round == ROUNDS_MAX {
                self.fail("the engine does not come to rest".to_owned());
                return;
            }
            self.count_poll();
            let now = self.instant();
            let mut pressed = Vec::new();
            self.budget.list_pressed(&mut pressed);
            self.engine.set_pressed(&mut pressed);
            self.engine.handle_wall_clock(now, self.unix_ms());
            self.engine.poll(now, &mut self.partitions);
            if !self.carry_out() {
                break;
            }
        }
        let now = self.instant();
        self.wake += 1;
        if let Some(at) = self.engine.next_wake(now) {
            if at <= now {
                self.fail("the engine wants to be woken in the past".to_owned());
                return;
            }
            let at = at - self.base + self.rng.time(Duration::ZERO, self.plan.net.jitter);
            let wake = self.wake;
            self.at(at, Event::Wake(wake));
        }
    }

    fn count_poll(&mut self) {
        self.polls += 1;
        if self.last_poll == self.now {
            self.polls_at_once += 1;
        } else {
            (self.last_poll, self.polls_at_once) = (self.now, 0);
        }
        if self.polls_at_once > POLLS_AT_ONCE_MAX {
            self.fail("time does not go on".to_owned());
        }
    }

    pub(crate) fn woken(&mut self, wake: u64) {
        if wake == self.wake {
            self.wakes += 1;
            self.turn();
        }
    }

    /// True if a batch was sealed on the way, so that the engine must look again.
    pub(crate) fn carry_out(&mut self) -> bool {
        self.turn_lines();
        let mut again = false;
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Connect {
                    connection_id,
                    address,
                    ..
                } => self.connect(connection_id, &address),
                Output::Disconnect { connection_id } => self.disconnect(connection_id),
                Output::Write {
                    connection_id,
                    frame,
                } => self.write(connection_id, &frame),
                Output::Topic { topic, update } => self.topic_news(topic, &update),
                Output::Seal { partition, job } => {
                    if self.rng.percent(self.plan.net.pool) {
                        self.tally.count("client: sealed by the pool");
                        self.compress(partition, *job);
                    } else {
                        self.tally.count("client: sealed by the I/O thread");
                        self.finish_seal(partition, *job);
                        again = true;
                    }
                }
                Output::Resolve {
                    ticket,
                    first,
                    count,
                    total,
                    verdict,
                } => self.resolve(ticket, (first, count), total, verdict),
                Output::Free { bytes, line, .. } => self.release(line, bytes),
                Output::Silence { broker, since, .. } => {
                    self.tally.count(match since {
                        Some(_) => "client: a broker is silent",
                        None => "client: a broker is not silent any more",
                    });
                    let mut woken = Vec::new();
                    let line = MemoryLine(Some(broker));
                    self.budget.set_silent(line, since.is_some(), &mut woken);
                    self.wake_senders(woken);
                }
                Output::Event(event) => self.observe(&event),
                _ => self.fail("an output that is not known here".to_owned()),
            }
        }
        self.check_lines();
        again
    }

    /// What a line holds is what its partitions and the callers on their way to them hold.
    fn check_lines(&mut self) {
        let mut expected = BTreeMap::new();
        let queues = self.partitions.queues.values();
        let chunks = self.senders.iter().filter_map(|s| s.chunk.as_ref());
        let chunks = chunks.map(|chunk| (chunk.line, chunk.memory.capacity()));
        for (line, held) in queues.map(|q| (q.line(), q.held())).chain(chunks) {
            *expected.entry(line).or_insert(0) += held;
        }
        expected.retain(|_, held| *held > 0);
        let told: BTreeMap<_, _> = self.budget.holders().collect();
        let granted = self.budget.granted();
        let sum = |lines: &BTreeMap<_, usize>| lines.values().sum::<usize>();
        if sum(&told) != self.budget.used() || sum(&expected) + granted != self.budget.used() {
            self.fail(format!("lines hold {told:?}, partitions {expected:?}"));
        } else if granted == 0 && told != expected {
            self.fail(format!("lines hold {told:?} instead of {expected:?}"));
        }
    }

    /// Notes that a broker said of a batch that it may be in the log.
    fn note_said(&mut self, event: &Seen) {
        let (Seen::Retry {
            topic,
            partition,
            cause,
            ..
        }
        | Seen::DeliveryFailed {
            topic,
            partition,
            cause,
            ..
        }) = event
        else {
            return;
        };
        // A leader that was deposed after the append says so with an offset, which is not seen here.
        let leaves_open = |code: ErrorCode| {
            errors::produce(code).maybe_written || code == ErrorCode::NOT_LEADER_OR_FOLLOWER
        };
        if !cause.code().is_some_and(leaves_open) {
            return;
        }
        let number = self.plan.topics.iter().position(|t| *t.name == **topic);
        if let Some(topic) = number {
            self.said.insert(PartitionId {
                topic: topic as u32,
                index: *partition,
            });
        }
    }

    fn topic_news(&mut self, topic: u32, update: &TopicUpdate) {
        let at = topic as usize;
        match update {
            TopicUpdate::Available { leaders } => {
                self.move_lines(topic, leaders);
                let partitions = self.plan.topics[at].partitions as usize;
                if leaders.len() < partitions || std::mem::replace(&mut self.topics_ready[at], true)
                {
                    return;
                }
                self.begin_trouble();
                let senders = self.senders.len();
                (0..senders).for_each(|sender| self.soon(Event::Sender(sender)));
            }
            _ => self.tally.count("client: topic not available"),
        }
    }

    /// Memory goes with the partitions to their new leaders' lines.
    fn move_lines(&mut self, topic: u32, leaders: &[Option<i32>]) {
        for (index, leader) in (0..).zip(leaders) {
            let partition = PartitionId { topic, index };
            if let Some(queue) = self.partitions.queues.get_mut(&partition) {
                queue.set_leader_line(MemoryLine(*leader));
                self.partitions.turns.extend(queue.poll_turn());
                if queue.line() != MemoryLine(*leader) {
                    self.tally
                        .count("client: memory waits for the leader before");
                }
            }
        }
        self.turn_lines();
    }

    fn turn_lines(&mut self) {
        let mut woken = Vec::new();
        for Turn { from, to, bytes } in std::mem::take(&mut self.partitions.turns) {
            self.budget.move_partition(from, to, bytes, &mut woken);
            if bytes > 0 {
                self.tally.count("client: memory went to another line");
            }
        }
        self.wake_senders(woken);
    }

    fn observe(&mut self, event: &Seen) {
        self.note_said(event);
        let word = match event {
            Seen::Retry { .. } => Some("client: retry"),
            Seen::Split { .. } => Some("client: split"),
            Seen::EpochBumped { .. } => Some("client: epoch bumped"),
            Seen::IdentityGranted { .. } => Some("client: identity granted"),
            Seen::LeaderMoved { .. } => Some("client: leader moved"),
            Seen::Throttled { .. } => Some("client: throttled"),
            Seen::Disconnected { .. } => Some("client: disconnected"),
            Seen::Rebootstrap => Some("client: rebootstrap"),
            _ => None,
        };
        if let Some(word) = word {
            self.tally.count(word);
        }
        self.trace.note(self.now, || format!("event {event:?}"));
    }

    /// A batch comes back from whoever compressed it.
    pub(crate) fn sealed(&mut self, job: u64) {
        let Some((partition, job)) = self.jobs.remove(&job) else {
            return;
        };
        self.finish_seal(partition, job);
        if self.aborting {
            self.abort_again();
        } else if !self.client_over {
            self.turn();
        }
    }

    fn finish_seal(&mut self, partition: PartitionId, job: SealJob) {
        let sealed = job.run(&mut Compressor::new());
        let Some(queue) = self.partitions.queues.get_mut(&partition) else {
            return;
        };
        let done = queue.finish_seal(sealed);
        self.release(done.line, done.freed);
        if done.became_dirty {
            self.engine.mark_dirty(partition);
        }
    }

    /// Hurries what is open and looks whether a flush would wait for everything.
    pub(crate) fn flush(&mut self) {
        self.tally.count("client: flushed");
        let partitions: Vec<PartitionId> = self.partitions.queues.keys().copied().collect();
        let mut tickets = Vec::new();
        for partition in partitions {
            if let Some(queue) = self.partitions.queues.get_mut(&partition) {
                queue.tickets(&mut tickets);
                queue.request_flush();
            }
            self.engine.mark_dirty(partition);
        }
        let forgotten = (0..self.batches.len())
            .find(|at| !self.batches[*at].completion.is_complete() && !tickets.contains(at));
        if let Some(batch) = forgotten {
            self.fail(format!("a flush does not wait for batch {batch}"));
        }
    }

    pub(crate) fn ready(&mut self, partition: PartitionId) {
        if !self.client_over && !self.aborting {
            self.engine.mark_dirty(partition);
            self.turn();
        }
    }
}
