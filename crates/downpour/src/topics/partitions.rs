//! The partitions of one topic: found without a lock or an atomic write. How many count may fall.
//!
//! *Invariant:* a partition never moves in memory and never goes away, so that a reference to
//! it is as good as its number.

use std::sync::Arc;

use downpour_core::ids::PartitionId;
use downpour_core::queue::Queue;

use crate::delivery::batch_state::BatchState;
use crate::delivery::tally::Tally;
use crate::sys::lock::lock;
use crate::sys::sync::atomic::{AtomicU32, Ordering};
use crate::sys::sync::{Mutex, MutexGuard, OnceLock};
use crate::topics::figures::Figures;

/// One partition's queue and its lock.
#[derive(Debug)]
pub(crate) struct PartitionEntry {
    pub(crate) id: PartitionId,
    inner: Mutex<PartitionInner>,
    pub(crate) figures: Figures,
    pub(crate) tally: Tally,
}

/// Laid out as written: what every record reads is beside the lock, where it costs no cache miss of
/// its own.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct PartitionInner {
    /// No record gets in any more. Set under this lock by the I/O thread when it begins to close,
    /// or at birth if the producer was closing then, and while the partition is gone. A record
    /// appended after it would never leave.
    pub(crate) closed: bool,
    /// Why, if it is not the producer's end: the topic has fewer partitions now.
    pub(crate) gone: bool,
    pub(crate) queue: Queue<Arc<BatchState>>,
}

impl PartitionEntry {
    pub(crate) fn new(id: PartitionId, queue: Queue<Arc<BatchState>>, closed: bool) -> Self {
        Self {
            id,
            inner: Mutex::new(PartitionInner {
                queue,
                closed,
                gone: false,
            }),
            figures: Figures::default(),
            tally: Tally::default(),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, PartitionInner> {
        // A panic in the queue is a defect that ends the I/O thread, which then resolves what
        // the queue holds; it needs the lock for that.
        lock(&self.inner)
    }
}

/// Partitions in the first segment; each one after it has twice as many, and of the last segment there
/// is as much as is needed: with thousands of topics room for others would be most of the memory.
const FIRST: usize = 1;
/// Enough for more partitions than a number of 31 bits can name.
const SEGMENTS: usize = 32;

type Segment = Box<[OnceLock<PartitionEntry>]>;

/// All partitions that are known, from 0 on without a gap.
#[derive(Debug)]
pub(crate) struct Partitions {
    count: AtomicU32,
    /// The last count that was not zero.
    counted_last: AtomicU32,
    segments: [OnceLock<Segment>; SEGMENTS],
    /// What was missing of a segment when the topic grew within it, in full.
    rests: OnceLock<Box<[OnceLock<Segment>; SEGMENTS]>>,
}

/// Segment and place of a partition.
#[inline]
fn segment_of(partition: usize) -> (usize, usize) {
    let shifted = partition + FIRST;
    let segment = (shifted.ilog2() - FIRST.ilog2()) as usize;
    (segment, shifted - (FIRST << segment))
}

impl Partitions {
    pub(crate) const fn new() -> Self {
        Self {
            count: AtomicU32::new(0),
            counted_last: AtomicU32::new(0),
            segments: [const { OnceLock::new() }; SEGMENTS],
            rests: OnceLock::new(),
        }
    }

    /// How many there are; none before the first metadata, and none while the topic is idle.
    #[inline]
    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// How many there are, or were when the topic became idle.
    pub(crate) fn counted_last(&self) -> u32 {
        self.counted_last.load(Ordering::Acquire)
    }

    /// Those from this one on, counted or not.
    pub(crate) fn from(&self, partition: u32) -> impl Iterator<Item = &PartitionEntry> {
        (partition as i32..).map_while(|partition| self.get(partition))
    }

    /// The one of this number, if it is known.
    #[inline]
    pub(crate) fn get(&self, partition: i32) -> Option<&PartitionEntry> {
        let (segment, at) = segment_of(usize::try_from(partition).ok()?);
        let begun = self.segments.get(segment)?.get()?;
        match begun.get(at) {
            Some(slot) => slot.get(),
            None => self.rest(segment)?.get(at - begun.len())?.get(),
        }
    }

    #[cold]
    fn rest(&self, segment: usize) -> Option<&Segment> {
        self.rests.get()?[segment].get()
    }

    /// All of them, in order; those too that are not counted yet, as records may be in them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PartitionEntry> {
        self.from(0)
    }

    /// Adds those up to `count`, which must not come from two threads at once. They are found from
    /// then on, and counted after [`show`](Self::show).
    pub(crate) fn grow(&self, count: u32, make: impl Fn(i32) -> PartitionEntry) {
        for partition in self.count()..count {
            let (segment, at) = segment_of(partition as usize);
            let Some(begun) = self.segments.get(segment) else {
                return;
            };
            let (size, begins) = (FIRST << segment, partition as usize - at);
            let begun = begun.get_or_init(|| slots(size.min(count as usize - begins)));
            let slot = match begun.get(at) {
                Some(slot) => slot,
                None => {
                    let rests = self
                        .rests
                        .get_or_init(|| Box::new([const { OnceLock::new() }; SEGMENTS]));
                    let rest = rests[segment].get_or_init(|| slots(size - begun.len()));
                    &rest[at - begun.len()]
                }
            };
            slot.get_or_init(|| make(partition as i32));
        }
    }

    /// Counts them, all at once: a key's partition follows from their number, and with each number
    /// in between a record would go where its key does not belong. Those that are counted no more
    /// stay where they are. Called by the I/O thread alone.
    pub(crate) fn show(&self, count: u32) {
        if count > 0 {
            self.counted_last.store(count, Ordering::Release);
        }
        self.count.store(count, Ordering::Release);
    }
}

fn slots(count: usize) -> Segment {
    (0..count).map(|_| OnceLock::new()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use downpour_core::config::Config;
    use downpour_core::ids::MemoryLine;
    use downpour_core::queue::QueueSettings;

    fn make(partition: i32) -> PartitionEntry {
        let settings = QueueSettings::from(&Config::new(Vec::new()));
        let id = PartitionId {
            topic: 0,
            index: partition,
        };
        PartitionEntry::new(
            id,
            Queue::new(Arc::from("t"), partition, MemoryLine(None), settings, 1),
            false,
        )
    }

    #[test]
    fn places_follow_each_other_without_gap_or_overlap() {
        let mut expected = (0, 0);
        for partition in 0..10_000 {
            assert_eq!(segment_of(partition), expected);
            expected.1 += 1;
            if expected.1 == FIRST << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        assert!(segment_of(i32::MAX as usize).0 < SEGMENTS);
    }

    #[test]
    fn growth_keeps_those_that_are_there_where_they_are() {
        let partitions = Partitions::new();
        assert!(partitions.get(0).is_none() && partitions.count() == 0);
        partitions.grow(6, |partition| {
            assert_eq!(partitions.count(), 0, "counted one by one");
            make(partition)
        });
        assert_eq!((partitions.count(), partitions.iter().count()), (0, 6));
        partitions.show(6);
        let fifth: *const PartitionEntry = partitions.get(5).unwrap();
        assert!(partitions.get(6).is_none() && partitions.get(-1).is_none());
        partitions.grow(100, make);
        partitions.show(100);
        assert!(std::ptr::eq(fifth, partitions.get(5).unwrap()));
        // One by one within a segment, and over its end.
        let hundredth: *const PartitionEntry = partitions.get(99).unwrap();
        for count in 101..130 {
            partitions.grow(count, make);
            partitions.show(count);
        }
        assert!(std::ptr::eq(hundredth, partitions.get(99).unwrap()));
        assert!(partitions.get(129).is_none());
        let numbers: Vec<i32> = partitions.iter().map(|p| p.id.index).collect();
        assert_eq!(numbers, (0..129).collect::<Vec<_>>());
    }

    #[test]
    fn there_is_room_for_as_many_as_there_are() {
        let slots = |partitions: &Partitions| -> usize {
            let segments = partitions.segments.iter().filter_map(OnceLock::get);
            segments.map(|segment| segment.len()).sum()
        };
        for count in 1..130 {
            let partitions = Partitions::new();
            partitions.grow(count, make);
            assert_eq!(slots(&partitions), count as usize);
            assert!(partitions.rests.get().is_none());
        }
    }
}
