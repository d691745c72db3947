//! The caller's side of a queue: append, close, seal.
//!
//! The hot path. No clock is read, nothing is allocated and nobody is woken but once a batch.

use std::time::Instant;

use downpour_wire::batch::{BatchBuilder, HEADER_LEN};
use downpour_wire::codec::CompressionType;
use downpour_wire::record::RecordRef;

use crate::config::BatchOptions;
use crate::ids::MemoryLine;
use crate::queue::batch::{Batch, Open, Times, Waiting};
use crate::queue::ceiling::Ceiling;
use crate::queue::state::{CHUNK_MIN, Queue, QueueSettings};
use crate::seal::{SealJob, Sealed, seal_plain};

/// What a queue wants to be lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "memory, and credit for it")]
pub struct ChunkNeed {
    /// Memory for records, in bytes; 0 where credit alone is short.
    pub memory: usize,
    /// Bytes of credit, never less: records may count for more than they take.
    pub credit: usize,
}

impl From<usize> for ChunkNeed {
    /// Memory that counts for what it is.
    fn from(bytes: usize) -> Self {
        Self {
            memory: bytes,
            credit: bytes,
        }
    }
}

/// Memory for a batch, and the line that it was lent in.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "memory and whose it is")]
pub struct Chunk {
    /// The memory; empty where credit alone was short.
    pub memory: Vec<u8>,
    /// The credit that comes with it, its capacity at least.
    pub credit: usize,
    /// The line.
    pub line: MemoryLine,
}

/// What came of an append.
#[derive(Debug)]
#[non_exhaustive]
pub enum Append<T> {
    /// The record is in.
    Added(Added<T>),
    /// Nothing changed; the queue wants a chunk of at least so much.
    NeedChunk {
        /// Capacity and credit of the chunk to bring along.
        need: ChunkNeed,
        /// The line that it has to be lent in.
        line: MemoryLine,
    },
}

/// An accepted record.
#[derive(Debug)]
#[non_exhaustive]
pub struct Added<T> {
    /// Its batch.
    pub ticket: T,
    /// Its index there.
    pub index: u32,
    /// Whether the engine must be told of this queue.
    pub became_dirty: bool,
    /// Whether a batch was closed on the way.
    pub closed: bool,
    /// What is to be done outside of the lock before that batch can leave, if it is to be
    /// compressed. In a box, because this is handed on for every record.
    pub job: Option<Box<SealJob>>,
}

/// What bringing a sealed batch back leaves to do.
#[derive(Debug)]
#[non_exhaustive]
pub struct SealDone {
    /// Credit that compression saved.
    pub freed: usize,
    /// The line that it was lent in.
    pub line: MemoryLine,
    /// Chunks that are free again.
    pub recycled: Vec<Vec<u8>>,
    /// Whether the engine must be told of this queue.
    pub became_dirty: bool,
}

/// Open batches of one partition: one per set of options, and no more than these. Each holds
/// memory and lingers on its own.
const OPEN_MAX: usize = 4;

/// Where the next record can go.
enum Room {
    Here {
        bytes: usize,
    },
    /// In the last chunk, but its batch holds no credit for one more record.
    Credit {
        bytes: usize,
    },
    Chunk {
        bytes: usize,
    },
    NewBatch {
        bytes: usize,
    },
}

impl<T: Clone> Queue<T> {
    /// Appends a record if the open batch has room for it, as it nearly always has, and returns
    /// its index there; the batch is [`open_ticket`](Self::open_ticket). `None` if nothing
    /// changed, which is where [`append`](Self::append) goes on. If it filled the batch,
    /// [`is_full`](Self::is_full) says so and [`close_full`](Self::close_full) has to follow.
    ///
    /// Returns no more than fits into registers: a record passes here once in 100 ns, and what
    /// is returned through memory costs a tenth of that.
    #[inline(always)]
    pub fn append_to_open(
        &mut self,
        record: &RecordRef<'_>,
        options: &BatchOptions,
    ) -> Option<u32> {
        let batch_max = self.settings.batch_max;
        let open = self.open.as_mut()?;
        // What fits into the chunk cannot make the batch too large; near the limit the record
        // is measured first.
        let reach = open.builder.body_len() + open.builder.spare() + HEADER_LEN;
        if open.options != *options || reach > batch_max {
            return None;
        }
        open.builder.try_append(record).ok()
    }

    /// The batch that takes the next record, if one is open.
    #[inline(always)]
    pub fn open_ticket(&self) -> Option<&T> {
        self.open.as_ref().map(|open| &open.ticket)
    }

    /// Whether the open batch has no room for another record like its largest: waiting for the
    /// next record to find out would make it linger.
    #[inline(always)]
    pub fn is_full(&mut self) -> bool {
        match &self.open {
            Some(open) if open.builder.is_to_be_looked_at() => self.is_full_seen_closely(),
            _ => false,
        }
    }

    #[cold]
    fn is_full_seen_closely(&mut self) -> bool {
        let settings = self.settings;
        let Some(open) = &mut self.open else {
            return false;
        };
        if open.builder.count() >= settings.batch_records {
            return true;
        }
        if !open.has_credit(&settings) {
            // The next record brings some along, so that it may not come in unseen.
            open.builder.withhold();
        }
        let Some(Open { builder, .. }) = &self.open else {
            return false;
        };
        let largest = builder.max_record_len();
        builder.room() < largest
            && builder.capacity() >= settings.batch_size
            && !self.may_grow(builder, largest)
    }

    /// Closes the open batch because it is full: whether the engine must be told of this queue,
    /// and what is to be done before the batch can leave.
    #[cold]
    pub fn close_full(&mut self) -> (bool, Option<Box<SealJob>>) {
        let job = self.close_open();
        (job.is_none() && self.mark_dirty(), job)
    }

    /// Appends a record, copying its bytes.
    ///
    /// `now` and `ticket` are called only when a batch opens. A chunk in `chunk` is taken if it
    /// is needed, large enough and of this queue's line; one that is still there afterwards is the
    /// caller's again.
    pub fn append(
        &mut self,
        record: &RecordRef<'_>,
        options: &BatchOptions,
        chunk: &mut Option<Chunk>,
        now: impl FnOnce() -> Instant,
        ticket: impl FnOnce() -> T,
    ) -> Append<T> {
        if let Some(index) = self.append_to_open(record, options) {
            return Append::Added(self.added(index, false, false, None));
        }
        if self.turn_to(options) {
            // What its last chunk still takes needs no memory, also where its batch has its size.
            if let Some(index) = self.append_to_open(record, options) {
                return Append::Added(self.added(index, false, false, None));
            }
        }
        let room = self.room_for(record, options);
        let bytes = match room {
            Room::Here { bytes } => {
                if let Some(Ok(index)) = self.open.as_mut().map(|o| o.builder.try_append(record)) {
                    return Append::Added(self.added(index, false, false, None));
                }
                bytes
            }
            Room::Credit { bytes } | Room::Chunk { bytes } | Room::NewBatch { bytes } => bytes,
        };
        // Memory that comes with a credit, since it was asked for while there was no room, is what the
        // record then goes into.
        let needs_no_memory = matches!(room, Room::Credit { .. });
        let takes = |memory: &Vec<u8>| {
            memory.capacity() >= bytes || needs_no_memory && memory.capacity() == 0
        };
        let line = self.line();
        let credit = self.credit_for(&room, 1);
        let fits = |c: &mut Chunk| takes(&c.memory) && c.credit >= credit && c.line == line;
        let Some(chunk) = chunk.take_if(fits) else {
            return Append::NeedChunk {
                need: self.need(&room, bytes),
                line,
            };
        };
        self.take_credit(chunk.credit);
        let (mut closed, mut job) = (false, None);
        let opened = matches!(room, Room::NewBatch { .. });
        if opened {
            if let Some(open) = self.make_way(options) {
                closed = true;
                job = self.close(open);
            }
            self.opened_count += 1;
            let created_at = now();
            let (ceiling, sizes) = self.ceiling();
            Ceiling::raise(ceiling, sizes, created_at);
            self.open = Some(Open {
                number: self.opened_count,
                ticket: ticket(),
                builder: BatchBuilder::new(),
                credit: std::mem::take(&mut self.excess),
                options: *options,
                created_at,
                flush_requested: false,
            });
        }
        let open = self
            .open
            .as_mut()
            .expect("opened just now, or Room::Chunk was of an open one");
        open.credit += chunk.credit;
        if chunk.memory.capacity() > 0 {
            open.builder.add_chunk(chunk.memory);
        } else {
            open.builder.release();
        }
        open.count_records_if_needed(&self.settings);
        let index = open
            .builder
            .try_append(record)
            .expect("the chunk has room for the record, measured");
        Append::Added(self.added(index, opened, closed, job))
    }

    /// Makes the open batch of these options the one that takes the next record, if there is one;
    /// whether it was another one.
    fn turn_to(&mut self, options: &BatchOptions) -> bool {
        let is_current = (self.open.as_ref()).is_some_and(|open| open.options == *options);
        if is_current {
            return false;
        }
        let aside = self.aside.iter_mut().find(|open| open.options == *options);
        match (aside, &mut self.open) {
            (Some(aside), Some(open)) => std::mem::swap(aside, open),
            (Some(_), None) => {
                let at = self.aside.iter().position(|open| open.options == *options);
                self.open = at.map(|at| self.aside.swap_remove(at));
            }
            (None, _) => return false,
        }
        true
    }

    /// Makes way for a new open batch of these options; what has to be closed for it.
    ///
    /// Records of other options need not wait for it, nor fill it: two callers that alternate
    /// between two codecs would otherwise make batches of one record each.
    fn make_way(&mut self, options: &BatchOptions) -> Option<Open<T>> {
        let open = self.open.take()?;
        if open.options == *options || self.settings.order_across_options {
            return Some(open);
        }
        self.aside.push(open);
        if self.aside.len() < OPEN_MAX {
            return None;
        }
        let oldest = (0..self.aside.len()).min_by_key(|&at| self.aside[at].number)?;
        Some(self.aside.swap_remove(oldest))
    }

    /// Takes a sealed batch back into its place.
    pub fn finish_seal(&mut self, sealed: Sealed) -> SealDone {
        let mut done = self.take_back(sealed);
        done.became_dirty = done.became_dirty && self.mark_dirty();
        done
    }

    /// The same without telling the engine: what it calls itself it need not be told.
    fn take_back(&mut self, sealed: Sealed) -> SealDone {
        let (order, held, needs) = (sealed.order(), sealed.held(), sealed.needs());
        let (body, recycled) = sealed.into_parts();
        let sealing =
            |w: &&mut Waiting<T>| matches!(w, Waiting::Sealing { order: o, .. } if *o == order);
        let Some(waiting) = self.waiting.iter_mut().find(sealing) else {
            // The queue was aborted meanwhile and its records resolved.
            return SealDone {
                freed: held,
                line: self.leave_credit(held),
                recycled,
                became_dirty: false,
            };
        };
        if let Waiting::Sealing { ticket, times, .. } = waiting {
            let batch = Batch::new(order, ticket.clone(), body, needs, *times);
            *waiting = Waiting::Sealed(batch);
        }
        SealDone {
            freed: held - needs,
            line: self.leave_credit(held - needs),
            recycled,
            became_dirty: true,
        }
    }

    fn added(
        &mut self,
        index: u32,
        opened: bool,
        mut closed: bool,
        mut job: Option<Box<SealJob>>,
    ) -> Added<T> {
        let ticket = match &self.open {
            Some(open) => open.ticket.clone(),
            None => unreachable!("a record was appended just now"),
        };
        // Looked at in any case: it may have to be withheld.
        let is_full = self.is_full();
        if is_full && !closed {
            closed = true;
            job = self.close_open();
        }
        let ready = closed && job.is_none();
        let became_dirty = (opened || ready) && self.mark_dirty();
        Added {
            ticket,
            index,
            became_dirty,
            closed,
            job,
        }
    }

    fn mark_dirty(&mut self) -> bool {
        !std::mem::replace(&mut self.is_dirty, true)
    }

    /// While as many batches as may be in flight are closed already, the open one grows past its
    /// target: it could not leave anyway, and a larger batch costs no more requests.
    fn may_grow(&self, builder: &BatchBuilder, bytes: usize) -> bool {
        self.in_flight.len() + self.waiting.len() >= self.max_in_flight()
            && builder.body_len() + bytes + HEADER_LEN <= self.settings.batch_max
    }

    fn room_for(&self, record: &RecordRef<'_>, options: &BatchOptions) -> Room {
        if let Some(open) = &self.open {
            let builder = &open.builder;
            let bytes = builder.record_len(record);
            let batch_size = self.settings.batch_size;
            // However small its chunks are: a record that is larger than what is left of the
            // target gets the next batch.
            let small = builder.capacity() < batch_size
                && builder.body_len() + bytes + HEADER_LEN <= batch_size;
            if open.options == *options && (small || self.may_grow(builder, bytes)) {
                return if bytes > builder.room() {
                    Room::Chunk { bytes }
                } else if open.has_credit(&self.settings) {
                    Room::Here { bytes }
                } else {
                    Room::Credit { bytes }
                };
            }
        }
        Room::NewBatch {
            bytes: BatchBuilder::new().record_len(record),
        }
    }

    /// The credit that is missing for so many more records in this room.
    fn credit_for(&self, room: &Room, records: usize) -> usize {
        let (count, held) = match (room, &self.open) {
            (Room::NewBatch { .. }, _) | (_, None) => (0, self.excess),
            (_, Some(open)) => (open.builder.count() as usize, open.credit),
        };
        let shares = self.settings.record_share.saturating_mul(count + records);
        shares.saturating_sub(held)
    }

    /// What a record of so many bytes needs in this room, and those that may follow it.
    fn need(&self, room: &Room, bytes: usize) -> ChunkNeed {
        let memory = match room {
            Room::Credit { .. } => 0,
            _ => self.chunk_size(room, bytes),
        };
        // As many again: a batch that fills takes few steps, and holds little that it never uses.
        let count = self.open.as_ref().map_or(0, |open| open.builder.count());
        let ahead = match room {
            Room::NewBatch { .. } => 1,
            _ => (count as usize).clamp(1, self.settings.records_ahead),
        };
        ChunkNeed {
            memory,
            credit: memory.max(self.credit_for(room, ahead)),
        }
    }

    /// Small first, so that many partitions do not hold a full batch each; then doubling, so
    /// that a busy one gets there in few steps.
    fn chunk_size(&self, room: &Room, bytes: usize) -> usize {
        let batch_size = self.settings.batch_size;
        let planned = match (room, &self.open) {
            (Room::Chunk { .. }, Some(open)) => {
                let held = open.builder.capacity();
                if held < batch_size {
                    held.min(batch_size - held)
                } else {
                    batch_size
                }
            }
            _ => self.chunk_hint,
        };
        planned.max(CHUNK_MIN.min(batch_size)).max(bytes)
    }

    /// Closes those of the open batches that `ends` names, the oldest first; they will not be sent.
    pub(super) fn close_unsent(&mut self, ends: impl Fn(&Open<T>) -> bool) {
        while let Some(open) = self.take_open(&ends) {
            if let Some(job) = self.close(open) {
                // Compressing it would be for nothing.
                self.take_back(job.run_plain());
            }
        }
    }

    /// Takes the oldest of the open batches that `wanted` names.
    pub(super) fn take_open(&mut self, wanted: impl Fn(&Open<T>) -> bool) -> Option<Open<T>> {
        let oldest = self.opened().filter(|open| wanted(open));
        let oldest = oldest.map(|open| open.number).min()?;
        if let Some(open) = self.open.take_if(|open| open.number == oldest) {
            return Some(open);
        }
        let at = self.aside.iter().position(|open| open.number == oldest)?;
        Some(self.aside.swap_remove(at))
    }

    /// All open batches, that of the last record first.
    pub(super) fn opened(&self) -> impl Iterator<Item = &Open<T>> {
        self.open.iter().chain(&self.aside)
    }

    /// Closes the batch that took the last record, if it is open still.
    fn close_open(&mut self) -> Option<Box<SealJob>> {
        let open = self.open.take()?;
        self.close(open)
    }

    /// Closes an open batch; it joins those that wait. The job is what must be done to it first.
    pub(super) fn close(&mut self, open: Open<T>) -> Option<Box<SealJob>> {
        let Open {
            ticket,
            builder,
            options,
            created_at,
            credit,
            ..
        } = open;
        self.is_counted = true;
        self.counters
            .handle_closed(builder.count(), builder.body_len());
        let size = builder.body_len().next_power_of_two();
        self.chunk_hint = size.clamp(
            CHUNK_MIN.min(self.settings.batch_size),
            self.settings.batch_size,
        );
        let times = Times {
            created_at,
            deadline: created_at + options.delivery_timeout,
        };
        let order = self.next_order;
        self.next_order += 1;
        let shares = self.settings.record_share * builder.count() as usize;
        let held = builder.capacity().max(shares);
        self.excess += credit - held;
        if options.compression.codec() == CompressionType::None {
            let batch = Batch::new(order, ticket, seal_plain(builder), held, times);
            self.waiting.push_back(Waiting::Sealed(batch));
            return None;
        }
        let sealing = Waiting::Sealing {
            order,
            ticket,
            times,
            records: builder.count(),
        };
        self.waiting.push_back(sealing);
        let job = SealJob::new(order, builder, options.compression, (held, shares));
        Some(Box::new(job))
    }
}

/// The bytes of a record without key, value and headers: what seven fields take.
const RECORD_LEN_MIN: usize = 7;

impl<T> Open<T> {
    /// Whether it holds credit for one more record.
    fn has_credit(&self, settings: &QueueSettings) -> bool {
        let records = self.builder.count() as usize + 1;
        settings.record_share.saturating_mul(records) <= self.credit
    }

    /// Records are looked at one by one only where one of the bounds may be met before the last
    /// chunk is full.
    fn count_records_if_needed(&mut self, settings: &QueueSettings) {
        let most = self.builder.count() as usize + self.builder.room() / RECORD_LEN_MIN;
        let by_number = most >= settings.batch_records as usize;
        if by_number || settings.record_share.saturating_mul(most) > self.credit {
            self.builder.count_records();
        }
    }
}
