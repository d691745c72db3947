//! One partition's log: batches as they were appended, their offsets, and the producers' state that
//! goes with them. Who may append, and whether the bytes are sound, is decided elsewhere.

use downpour_wire::batch::BatchView;
use downpour_wire::crc::crc32c;

use super::check::{SoundBatch, UNPACKED_BYTES_MAX};
use super::producers::{Admission, ProducerStamp, Producers, add_sequence};
use crate::record::FakeRecord;

/// One batch as it lies in the log.
#[derive(Debug, Clone)]
struct StoredBatch {
    base_offset: i64,
    count: u32,
    leader_epoch: i32,
    max_timestamp: i64,
    append_time: Option<i64>,
    stamped: Option<ProducerStamp>,
    bytes: Vec<u8>,
}

impl StoredBatch {
    fn end_offset(&self) -> i64 {
        self.base_offset + i64::from(self.count)
    }
}

/// How a batch is appended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppendOptions {
    pub(crate) leader_epoch: i32,
    /// Set in a topic with log append time, in milliseconds since 1970.
    pub(crate) append_time: Option<i64>,
    /// Forget the bytes.
    pub(crate) discard: bool,
}

/// The log of one partition, which all of its replicas share.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartitionLog {
    batches: Vec<StoredBatch>,
    start_offset: i64,
    end_offset: i64,
    pub(crate) producers: Producers,
}

/// An offset and the timestamp that was found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) leader_epoch: i32,
}

impl PartitionLog {
    /// The first offset that can be read.
    pub(crate) const fn start_offset(&self) -> i64 {
        self.start_offset
    }

    /// The leader epoch of the first batch that can be read.
    pub(crate) fn first_epoch(&self) -> Option<i32> {
        self.batches.first().map(|batch| batch.leader_epoch)
    }

    /// The offset that the next record will get.
    pub(crate) const fn end_offset(&self) -> i64 {
        self.end_offset
    }

    /// Asks the producers' state about a sound batch, without changing anything.
    pub(crate) fn admit(&self, sound: &SoundBatch, strict_first: bool) -> Admission {
        sound.stamped.as_ref().map_or(Admission::Append, |stamped| {
            self.producers.admit(stamped, strict_first)
        })
    }

    /// Appends a sound and admitted batch and returns its first offset.
    pub(crate) fn append(
        &mut self,
        sound: &SoundBatch,
        mut bytes: Vec<u8>,
        terms: &AppendOptions,
    ) -> i64 {
        let base_offset = self.end_offset;
        bytes.truncate(sound.len);
        // Both fields lie before the bytes that the checksum covers, as Kafka has it.
        put(&mut bytes, 0, &base_offset.to_be_bytes());
        put(&mut bytes, 12, &terms.leader_epoch.to_be_bytes());
        if let Some(time) = terms.append_time {
            stamp_append_time(&mut bytes, time);
        } else if !sound.odd.is_empty() {
            repair(&mut bytes, sound.max_timestamp);
        }
        if let Some(stamped) = &sound.stamped {
            let timestamp = terms.append_time.unwrap_or(sound.max_timestamp);
            self.producers.remember(stamped, base_offset, timestamp);
        }
        self.end_offset = base_offset + i64::from(sound.count);
        if terms.discard {
            self.start_offset = self.end_offset;
            return base_offset;
        }
        self.batches.push(StoredBatch {
            base_offset,
            count: sound.count,
            leader_epoch: terms.leader_epoch,
            max_timestamp: terms.append_time.unwrap_or(sound.max_timestamp),
            append_time: terms.append_time,
            stamped: sound.stamped,
            bytes,
        });
        base_offset
    }

    /// The batches from the one that holds `offset` on that end before `end`, up to `max_bytes`, but
    /// the first always.
    pub(crate) fn read(&self, offset: i64, end: i64, max_bytes: usize) -> Vec<u8> {
        let mut read = Vec::new();
        let from = self
            .batches
            .partition_point(|batch| batch.end_offset() <= offset);
        for batch in &self.batches[from..] {
            if batch.end_offset() > end {
                break;
            }
            if !read.is_empty() && read.len() + batch.bytes.len() > max_bytes {
                break;
            }
            read.extend_from_slice(&batch.bytes);
        }
        read
    }

    /// The first record whose timestamp is at least `timestamp`.
    pub(crate) fn position_at(&self, timestamp: i64) -> Option<Position> {
        let late = self
            .batches
            .iter()
            .filter(|batch| batch.max_timestamp >= timestamp);
        late.flat_map(|batch| self.decode(batch))
            .find(|record| record.offset >= self.start_offset && record.timestamp >= timestamp)
            .map(|record| position(&record))
    }

    /// The record with the greatest timestamp, the first of them.
    pub(crate) fn position_of_max_timestamp(&self) -> Option<Position> {
        let records = self.records();
        let latest = records.iter().map(|record| record.timestamp).max()?;
        records
            .iter()
            .find(|record| record.timestamp == latest)
            .map(position)
    }

    /// Every record that can be read, in order.
    pub(crate) fn records(&self) -> Vec<FakeRecord> {
        self.batches
            .iter()
            .flat_map(|batch| self.decode(batch))
            .filter(|record| record.offset >= self.start_offset)
            .collect()
    }

    /// Every batch that can be read, as (first offset, bytes).
    pub(crate) fn batches(&self) -> impl Iterator<Item = (i64, &[u8])> {
        self.batches
            .iter()
            .map(|batch| (batch.base_offset, batch.bytes.as_slice()))
    }

    fn decode(&self, batch: &StoredBatch) -> Vec<FakeRecord> {
        let Ok((view, _)) = BatchView::parse(&batch.bytes) else {
            return Vec::new();
        };
        // Only batches that were decoded once before are in the log, so this does not fail.
        let records = view.records(UNPACKED_BYTES_MAX).unwrap_or_default();
        (0..)
            .zip(records)
            .map(|(index, record)| FakeRecord {
                offset: batch.base_offset + i64::from(index),
                timestamp: batch.append_time.unwrap_or(record.timestamp),
                key: record.key,
                value: record.value,
                headers: record.headers,
                producer_id: view.producer_id,
                producer_epoch: view.producer_epoch,
                sequence: match batch.stamped {
                    Some(stamped) => add_sequence(stamped.first_sequence, index),
                    None => -1,
                },
                leader_epoch: batch.leader_epoch,
            })
            .collect()
    }

    /// Drops every batch that reaches `offset` or lies beyond it, as after an unclean election,
    /// and rebuilds the producers' state from what is left.
    pub(crate) fn truncate(&mut self, offset: i64) {
        self.batches.retain(|batch| batch.end_offset() <= offset);
        self.end_offset = self
            .batches
            .last()
            .map_or(self.start_offset, StoredBatch::end_offset);
        self.producers = Producers::default();
        for batch in &self.batches {
            if let Some(stamped) = &batch.stamped {
                self.producers
                    .remember(stamped, batch.base_offset, batch.max_timestamp);
            }
        }
    }

    /// Moves the first readable offset up, as retention does. The producers' state stays.
    pub(crate) fn delete_before(&mut self, offset: i64) {
        self.start_offset = offset.clamp(self.start_offset, self.end_offset);
        let start = self.start_offset;
        self.batches.retain(|batch| batch.end_offset() > start);
    }
}

fn position(record: &FakeRecord) -> Position {
    Position {
        offset: record.offset,
        timestamp: record.timestamp,
        leader_epoch: record.leader_epoch,
    }
}

fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + field.len()) {
        place.copy_from_slice(field);
    }
}

/// Puts right what a broker does not believe: who gave the times, and which is the latest.
fn repair(bytes: &mut [u8], max_timestamp: i64) {
    if let Some(attributes) = bytes.get_mut(22) {
        *attributes &= !0x8;
    }
    put(bytes, 35, &max_timestamp.to_be_bytes());
    let crc = bytes.get(21..).map(crc32c).unwrap_or_default();
    put(bytes, 17, &crc.to_be_bytes());
}

/// Marks a batch as stamped by the broker, which changes bytes under its checksum.
fn stamp_append_time(bytes: &mut [u8], time: i64) {
    if let Some(attributes) = bytes.get_mut(22) {
        *attributes |= 0x8;
    }
    put(bytes, 35, &time.to_be_bytes());
    let crc = bytes.get(21..).map(crc32c).unwrap_or_default();
    put(bytes, 17, &crc.to_be_bytes());
}
