//! The callers' side: records that are appended, memory that is waited for.

use std::time::Duration;

use downpour_core::callers::budget::WaitKey;
use downpour_core::callers::completion::Completion;
use downpour_core::ids::{MemoryLine, PartitionId};
use downpour_core::queue::{Added, Append, Chunk};
use downpour_core::seal::SealJob;
use downpour_wire::record::RecordRef;

use crate::history::{Entry, key_of, value_of};
use crate::plan::RecordPlan;
use crate::world::state::{BatchState, Event, World};
use crate::world::verdicts::WHOLE;

/// 2026-11-21, in milliseconds since 1970.
const TODAY: i64 = 1_795_219_200_000;
/// How old an old record is, in milliseconds: older than brokers remember a producer.
const TWO_DAYS: i64 = 2 * 24 * 3_600_000;

impl World {
    /// A sender does its next step: wants a topic, waits for memory, or appends.
    pub(crate) fn step(&mut self, at: usize) {
        if self.client_over {
            return;
        }
        // A wake-up may outlive its phase.
        let Some(sender) = self.senders.get_mut(at) else {
            return;
        };
        let Some(record) = sender.records.get(sender.next).cloned() else {
            return;
        };
        if let Some(key) = sender.waits {
            let line = key.line();
            if let Some(bytes) = self.budget.collect(key) {
                sender.waits = None;
                let memory = Vec::with_capacity(bytes);
                sender.chunk = Some(Chunk { memory, line });
            } else if !self.leave_line(at, key, &record) {
                return;
            }
        }
        let topic = record.topic as usize;
        if !self.topics_ready[topic] {
            self.block(at);
            if !std::mem::replace(&mut self.topics_wanted[topic], true) {
                let name = std::sync::Arc::from(self.plan.topics[topic].name.as_str());
                let now = self.instant();
                self.engine.handle_topic_wanted(record.topic, &name, now);
                self.turn();
            }
            return;
        }
        self.append(at, &record);
    }

    /// Whether the partition's memory is lent in another line by now: then its sender goes there.
    fn leave_line(&mut self, at: usize, key: WaitKey, record: &RecordPlan) -> bool {
        if let Some(waker) = self.budget.waker_mut(key) {
            *waker = Some(at);
        }
        let partition = PartitionId {
            topic: record.topic,
            index: record.partition,
        };
        let line = self.partitions.queues.get(&partition).map(|q| q.line());
        if line == Some(key.line()) {
            return false;
        }
        self.tally.count("senders: went to another line");
        self.senders[at].waits = None;
        let mut woken = Vec::new();
        self.budget.cancel(key, &mut woken);
        self.wake_senders(woken);
        true
    }

    /// The clock of `max_block` starts, unless it runs.
    fn block(&mut self, at: usize) {
        let sender = &mut self.senders[at];
        let record = sender.next;
        if sender.blocked.replace(record) != Some(record) {
            let pause = self.plan.max_block;
            self.after(pause, Event::GiveUp { sender: at, record });
        }
    }

    /// A sender has waited for too long: the record was never accepted.
    pub(crate) fn give_up(&mut self, at: usize, record: usize) {
        let Some(sender) = self.senders.get_mut(at) else {
            return;
        };
        if self.client_over || sender.next != record || sender.blocked != Some(record) {
            return;
        }
        self.tally.count("senders: gave up waiting");
        self.trace
            .note(self.now, || format!("sender {at} gives record {record} up"));
        let topic = sender.records[record].topic as usize;
        // The next one may ask again.
        self.topics_wanted[topic] &= self.topics_ready[topic];
        let (key, chunk) = (sender.waits.take(), sender.chunk.take());
        if let Some(key) = key {
            let mut woken = Vec::new();
            self.budget.cancel(key, &mut woken);
            self.wake_senders(woken);
        }
        if let Some(chunk) = chunk {
            self.release(chunk.line, chunk.memory.capacity());
        }
        self.advance(at);
    }

    fn advance(&mut self, at: usize) {
        let sender = &mut self.senders[at];
        sender.next += 1;
        sender.blocked = None;
        let pause = sender.records.get(sender.next).map(|r| r.pause);
        if let Some(pause) = pause {
            self.after(pause, Event::Sender(at));
        }
    }

    /// What the wall clock shows.
    pub(crate) fn unix_ms(&self) -> i64 {
        TODAY + self.now.as_millis() as i64
    }

    fn timestamp(&self, id: u32) -> i64 {
        let is_old = u64::from(id.wrapping_mul(0x9e37_79b9) >> 16) % 100 < self.plan.old_records;
        self.unix_ms() - if is_old { TWO_DAYS } else { 0 }
    }

    fn append(&mut self, at: usize, record: &RecordPlan) {
        let partition = PartitionId {
            topic: record.topic,
            index: record.partition,
        };
        let sender = &self.senders[at];
        let id = sender.first_id + sender.next as u32;
        let timestamp = self.timestamp(id);
        let sender = &mut self.senders[at];
        let value = value_of(id, record.len);
        let key = key_of(id);
        let reference = RecordRef {
            key: record.keyed.then_some(&key[..]),
            value: Some(&value),
            headers: &[],
            timestamp,
        };
        let options = self.plan.options[record.options % self.plan.options.len()];
        let Some(queue) = self.partitions.queues.get_mut(&partition) else {
            self.fail(format!("no queue for {partition:?}"));
            return;
        };
        let (batches, now) = (&mut self.batches, self.now);
        let instant = self.base + now;
        let ticket = || {
            batches.push(BatchState {
                completion: Completion::new(),
                records: Vec::new(),
                partition,
                opened_at: now,
                owes_wake: false,
                delivery_timeout: options.delivery_timeout,
            });
            batches.len() - 1
        };
        let mut chunk = sender.chunk.take();
        match queue.append(&reference, &options, &mut chunk, || instant, ticket) {
            Append::Added(added) => {
                if let Some(unused) = chunk {
                    self.release(unused.line, unused.memory.capacity());
                }
                self.accepted(at, partition, id, record, added);
            }
            Append::NeedChunk { bytes, line } => {
                if let Some(unfit) = chunk {
                    self.tally.count(if unfit.line == line {
                        "senders: chunk was too small"
                    } else {
                        "senders: chunk was of another line"
                    });
                    self.release(unfit.line, unfit.memory.capacity());
                }
                self.want_memory(at, line, bytes);
            }
            _ => self.fail("an append ended in a way that is not known here".to_owned()),
        }
    }

    fn want_memory(&mut self, at: usize, line: MemoryLine, bytes: usize) {
        let bytes = if self.plan.rounded {
            bytes.next_power_of_two()
        } else {
            bytes
        };
        if self.budget.try_reserve(line, bytes) {
            let memory = Vec::with_capacity(bytes);
            self.senders[at].chunk = Some(Chunk { memory, line });
            // Others may append in between.
            let pause = self
                .rng
                .time(Duration::ZERO, self.plan.net.jitter.min(JITTER_MAX));
            self.after(pause, Event::Sender(at));
            return;
        }
        self.tally.count("senders: waited for memory");
        self.trace
            .note(self.now, || format!("sender {at} waits for {bytes} bytes"));
        self.block(at);
        let (key, _) = self.budget.wait(line, bytes, at);
        self.senders[at].waits = Some(key);
        self.after(Duration::ZERO, Event::Sender(at));
        self.soon(Event::Pressure);
    }

    fn accepted(
        &mut self,
        at: usize,
        partition: PartitionId,
        id: u32,
        record: &RecordPlan,
        added: Added<usize>,
    ) {
        let batch = &mut self.batches[added.ticket];
        if batch.records.len() != added.index as usize || batch.partition != partition {
            let what = format!("record {id} got index {} of {batch:?}", added.index);
            self.fail(what);
            return;
        }
        batch.records.push(id);
        let waits = self.rng.percent(30);
        if waits {
            let mut place = None;
            batch.completion.wait(Some(added.index), &mut place, id);
        }
        if added.index == 0 && waits {
            batch.completion.wait(None, &mut None, WHOLE);
            batch.owes_wake = true;
        }
        self.tally.count("records: accepted");
        self.open += 1;
        self.trace.note(self.now, || {
            format!(
                "record {id} is in batch {} of {}-{}",
                added.ticket, partition.topic, partition.index
            )
        });
        let line = if self.plan.config.order_across_options {
            0
        } else {
            record.options % self.plan.options.len()
        };
        self.history.accept(
            id,
            Entry {
                place: (record.topic, record.partition),
                line,
                keyed: record.keyed,
                len: record.len,
                fate: None,
                waits,
                woken: false,
                returned: false,
            },
        );
        if let Some(job) = added.job {
            self.compress(partition, *job);
        }
        if added.became_dirty {
            self.soon(Event::Ready(partition));
        }
        self.advance(at);
    }

    /// Somebody compresses a batch, without any lock.
    pub(crate) fn compress(&mut self, partition: PartitionId, job: SealJob) {
        let id = self.next_job;
        self.next_job += 1;
        self.jobs.insert(id, (partition, job));
        let pause = self.rng.time(Duration::ZERO, self.plan.net.sealing);
        self.after(pause, Event::Sealed(id));
    }

    pub(crate) fn release(&mut self, line: MemoryLine, bytes: usize) {
        let held = self.budget.holders().find(|(holder, _)| *holder == line);
        let held = held.map_or(0, |(_, held)| held);
        if bytes > held {
            self.fail(format!(
                "{bytes} bytes come back of {held} that were lent in {line:?}"
            ));
            return;
        }
        let mut woken = Vec::new();
        self.budget.release(line, bytes, &mut woken);
        self.wake_senders(woken);
    }

    pub(crate) fn wake_senders(&mut self, woken: Vec<usize>) {
        for sender in woken {
            self.soon(Event::Sender(sender));
        }
    }
}

/// A caller is not interrupted for longer between reserving and appending.
const JITTER_MAX: Duration = Duration::from_millis(1);
