//! One topic as senders see it: its number, its partitions' queues, who waits for metadata.
//!
//! Leaders and epochs are the engine's; here is only which partitions may be chosen.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use arc_swap::ArcSwap;
use downpour_core::callers::partitioner::sticky::Sticky;
use downpour_core::ids::PartitionId;
use downpour_core::queue::{Queue, QueueSettings};
use downpour_wire::error_code::ErrorCode;

use crate::sys::lock::lock;
use crate::sys::random::random;
use crate::sys::wake;
use crate::sys::waker_set::{WakerKey, WakerSet};
use crate::topics::partitions::{PartitionEntry, Partitions};

/// Sending threads that share one partition's lock pay ten times as much as apart, so each
/// shard of threads sticks to a partition of its own.
const SHARDS: usize = 8;

/// Apart by a cache line, so that threads do not wait for each other's counters.
#[derive(Debug)]
#[repr(align(64))]
struct Shard(AtomicU64);

thread_local! {
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

/// One topic.
#[derive(Debug)]
pub(crate) struct TopicEntry {
    name: Arc<str>,
    index: u32,
    /// Number of the producer that it belongs to.
    owner: u64,
    pub(crate) partitions: Partitions,
    /// Those that have a leader; only looked at when a sender turns to another partition.
    available: ArcSwap<Vec<i32>>,
    shards: [Shard; SHARDS],
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    wakers: WakerSet,
    /// How often the cluster has refused the topic for good. A caller is refused only by a
    /// refusal that came after it began to wait: the right to write may have been granted since.
    refusals: u64,
    /// The latest of those refusals.
    refused: Option<ErrorCode>,
    /// What the cluster last said against the topic, whether for good or not; cleared by
    /// metadata. It goes into the error of a caller that waited too long.
    last: Option<ErrorCode>,
}

/// What a waiter for metadata finds.
pub(crate) enum Metadata {
    /// The topic can be used.
    Ready,
    /// The cluster refused it since the waiter began.
    Refused(ErrorCode),
    /// Not here yet; the waker was left.
    Waiting,
}

/// One caller's wait for metadata, from its first look on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MetadataWait {
    key: Option<WakerKey>,
    /// How often the topic had been refused when the wait began.
    refusals: u64,
}

impl TopicEntry {
    pub(crate) fn new(name: Arc<str>, index: u32, owner: u64) -> Self {
        Self {
            name,
            index,
            owner,
            partitions: Partitions::new(),
            available: ArcSwap::default(),
            shards: std::array::from_fn(|_| Shard(AtomicU64::new(Sticky::default().to_bits()))),
            waiting: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    #[inline]
    pub(crate) fn owner(&self) -> u64 {
        self.owner
    }

    /// Whether there is metadata.
    pub(crate) fn has_metadata(&self) -> bool {
        self.partitions.count() > 0
    }

    /// The partition for a record without a key; `None` if there is none at all. It stays for as
    /// many bytes as a batch holds, whoever sends them (KIP-794).
    #[inline]
    pub(crate) fn sticky(&self, bytes: usize, batch_size: usize) -> Option<i32> {
        let shard = SHARD.with(|&shard| &self.shards[shard].0);
        // Threads of one shard may overwrite each other's count; it is a spread, not a ledger.
        let before = Sticky::from_bits(shard.load(Ordering::Relaxed));
        let count = self.partitions.count();
        let mut sticky = before;
        let mut moves = false;
        let stay = || {
            moves = true;
            0
        };
        let mut chosen = sticky.choose(bytes, batch_size, stay, count, &[]);
        if moves {
            sticky = before;
            chosen = sticky.choose(bytes, batch_size, random, count, &self.available.load());
        }
        shard.store(sticky.to_bits(), Ordering::Relaxed);
        chosen
    }

    /// The partitions that have a leader.
    pub(crate) fn available(&self) -> Arc<Vec<i32>> {
        self.available.load_full()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }

    /// Takes new metadata: partitions are added, never taken away, so that a record's number
    /// stays what it was. Called by the I/O thread alone.
    pub(crate) fn update(
        &self,
        leaders: &[Option<i32>],
        settings: QueueSettings,
        closed: bool,
        woken: &mut Vec<Waker>,
    ) {
        let leading = leaders
            .iter()
            .enumerate()
            .filter(|(_, leader)| leader.is_some());
        let leading: Vec<i32> = leading.map(|(partition, _)| partition as i32).collect();
        self.available.store(Arc::new(leading));
        let count = u32::try_from(leaders.len()).unwrap_or(0);
        self.partitions.grow(count, |partition| {
            let id = PartitionId {
                topic: self.index,
                index: partition,
            };
            let queue = Queue::new(self.name.clone(), partition, settings);
            PartitionEntry::new(id, queue, closed)
        });
        let mut waiting = self.waiting();
        waiting.last = None;
        waiting.wakers.take_all(woken);
    }

    /// The cluster cannot or will not serve the topic.
    pub(crate) fn handle_unavailable(&self, code: ErrorCode, fatal: bool, woken: &mut Vec<Waker>) {
        let mut waiting = self.waiting();
        waiting.last = Some(code);
        if fatal {
            waiting.refusals += 1;
            waiting.refused = Some(code);
            waiting.wakers.take_all(woken);
        }
    }

    /// What the cluster last said against the topic.
    pub(crate) fn last_code(&self) -> Option<ErrorCode> {
        self.waiting().last
    }

    /// Begins to wait for metadata, or goes on.
    pub(crate) fn poll_metadata(&self, wait: &mut Option<MetadataWait>, waker: &Waker) -> Metadata {
        let fresh = wait.is_none();
        wake::leave(waker, fresh, |own| {
            let mut waiting = self.waiting();
            // Looked at under the lock, so that an update cannot slip in before the waker is left.
            if self.has_metadata() {
                return Some(Metadata::Ready);
            }
            let refusals = waiting.refusals;
            let wait = wait.get_or_insert(MetadataWait {
                key: None,
                refusals,
            });
            if wait.refusals != refusals {
                if let Some(code) = waiting.refused {
                    return Some(Metadata::Refused(code));
                }
            }
            waiting.wakers.insert(&mut wait.key, waker, own)?;
            Some(Metadata::Waiting)
        })
    }

    /// Stops waiting.
    pub(crate) fn forget(&self, wait: MetadataWait) {
        let waker = wait.key.and_then(|key| self.waiting().wakers.remove(key));
        drop(waker);
    }

    /// Wakes everyone: the producer closed.
    pub(crate) fn wake_waiting(&self, woken: &mut Vec<Waker>) {
        self.waiting().wakers.take_all(woken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::sys::wake::fixtures::{at_drop, in_time};

    #[test]
    fn a_replaced_waker_is_dropped_without_the_lock() {
        let topic = Arc::new(TopicEntry::new(Arc::from("t"), 0, 0));
        let own = topic.clone();
        let waker = at_drop(move || assert!(own.last_code().is_none()));
        let mut wait = None;
        let _ = topic.poll_metadata(&mut wait, &waker);
        drop(waker);
        in_time(move || {
            let found = topic.poll_metadata(&mut wait, Waker::noop());
            assert!(matches!(found, Metadata::Waiting));
        });
    }
}
