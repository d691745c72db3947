//! One topic as senders see it: its number, its partitions' queues, who waits for metadata.
//!
//! Leaders and epochs are the engine's; here is only which partitions may be chosen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::Waker;
use std::time::{Duration, Instant};

use downpour_core::callers::partitioner::sticky::Sticky;
use downpour_core::ids::{MemoryLine, PartitionId};
use downpour_core::queue::{Queue, QueueSettings, Turn};
use downpour_wire::error_code::ErrorCode;

use crate::sys::lock::lock;
use crate::sys::random::random;
use crate::sys::sync::atomic::{AtomicU64, Ordering};
use crate::sys::sync::{ArcSwap, Mutex, MutexGuard};
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
    /// Only looked at when a sender turns to another partition, or waits.
    spread: ArcSwap<Spread>,
    shards: [Shard; SHARDS],
    waiting: Mutex<Waiting>,
}

/// Where records without a key may go.
#[derive(Debug, Default)]
struct Spread {
    /// Of each partition.
    leaders: Arc<[Option<i32>]>,
    /// The brokers in whose lines their memory is lent: their leaders, but for partitions with
    /// batches that are in flight elsewhere still. Those were in this state when it was looked at.
    lines: Arc<[Option<i32>]>,
    /// Partitions whose leader and line are not of a silent broker, in order; all that have a
    /// leader, if there is no such.
    available: Vec<i32>,
}

impl Spread {
    fn new(leaders: Arc<[Option<i32>]>, lines: Arc<[Option<i32>]>, silent: &BTreeSet<i32>) -> Self {
        let those = |is_silent: &dyn Fn(i32) -> bool| -> Vec<i32> {
            let brokers = leaders.iter().zip(&*lines);
            let may = brokers.map(|(leader, line)| {
                leader.is_some_and(|leader| !is_silent(leader)) && !line.is_some_and(is_silent)
            });
            let numbered = (0..).zip(may).filter(|(_, may)| *may);
            numbered.map(|(partition, _)| partition).collect()
        };
        let mut available = those(&|broker| silent.contains(&broker));
        if available.is_empty() {
            available = those(&|_| false);
        }
        Self {
            leaders,
            lines,
            available,
        }
    }
}

/// What became of a partition's line for memory.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LineChange {
    /// The partition is new, and this is its line.
    New(MemoryLine),
    /// It turned to another one.
    Turned(Turn),
}

#[derive(Debug, Default)]
struct Waiting {
    wakers: WakerSet,
    /// How often the cluster has refused the topic for good. A caller is refused only by a
    /// refusal that came after it began to wait: the right to write may have been granted since.
    refusals: u64,
    /// The latest of those refusals, and when it came.
    refused: Option<(Refusal, Instant)>,
    /// What the cluster last said against the topic, whether for good or not; cleared by
    /// metadata. It goes into the error of a caller that waited too long.
    last: Option<ErrorCode>,
}

/// Why nobody has to wait for a topic any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    /// How long brokers have been saying that there is no such topic, if that is it.
    pub(crate) missing_for: Option<Duration>,
}

/// For so long a refusal is the answer to those who would not wait for a newer one. A topic that is
/// wanted is asked for more often than this.
const REFUSAL_IS_NEW: Duration = Duration::from_secs(2);

/// What a waiter for metadata finds.
pub(crate) enum Metadata {
    /// The topic can be used.
    Ready,
    /// The cluster refused it since the waiter began.
    Refused(Refusal),
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
            spread: ArcSwap::default(),
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

    /// Whether there is metadata; not while it is idle.
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
            let available = &self.spread.load().available;
            chosen = sticky.choose(bytes, batch_size, random, count, available);
        }
        shard.store(sticky.to_bits(), Ordering::Relaxed);
        chosen
    }

    /// Calls `f` with the partitions whose leader answers, or all with a leader if none does.
    pub(crate) fn with_available<R>(&self, f: impl FnOnce(&[i32]) -> R) -> R {
        // Not a guard: foreign code is called, which may keep it for long.
        let spread = self.spread.load_full();
        f(&spread.available)
    }

    /// Whether a record that may go anywhere had better go to another partition.
    pub(crate) fn avoids(&self, partition: i32) -> bool {
        let available = &self.spread.load().available;
        !available.is_empty() && available.binary_search(&partition).is_err()
    }

    /// Makes this thread's shard choose anew if it fills that partition.
    pub(crate) fn turn_from(&self, partition: i32) {
        let shard = SHARD.with(|&shard| &self.shards[shard].0);
        turn_from(shard, |filled| filled == partition);
    }

    /// A broker became silent, or is not any more; these are. Called by the I/O thread alone.
    pub(crate) fn spread_without(&self, broker: i32, silent: &BTreeSet<i32>) {
        let before = self.spread.load_full();
        let broker = Some(broker);
        if before.leaders.contains(&broker) || before.lines.contains(&broker) {
            let lines = self.lines(&before.leaders, &before);
            self.set_spread(Spread::new(before.leaders.clone(), lines, silent));
        }
    }

    /// In whose lines the partitions' memory is lent now. Those that were with their leader are
    /// there still.
    fn lines(&self, leaders: &Arc<[Option<i32>]>, before: &Spread) -> Arc<[Option<i32>]> {
        let mut lines = None;
        for (at, leader) in leaders.iter().enumerate() {
            if before.lines.get(at) == Some(leader) {
                continue;
            }
            let entry = self.partitions.get(at as i32);
            let line = entry.map(|entry| entry.lock().queue.line().0);
            if let Some(line) = line.filter(|line| line != leader) {
                lines.get_or_insert_with(|| leaders.to_vec())[at] = line;
            }
        }
        lines.map_or_else(|| leaders.clone(), Arc::from)
    }

    fn set_spread(&self, spread: Spread) {
        let spread = Arc::new(spread);
        self.spread.store(spread.clone());
        for shard in &self.shards {
            turn_from(&shard.0, |filled| {
                spread.available.binary_search(&filled).is_err()
            });
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }

    /// Takes new metadata. Partitions that are gone stay where they are, and let no record in until
    /// they are back. Called by the I/O thread alone.
    ///
    /// Each line that changes is told to `change`: those of new partitions before anybody can append
    /// to them, those of others under their lock.
    pub(crate) fn update(
        &self,
        leaders: &Arc<[Option<i32>]>,
        (settings, closed): (QueueSettings, bool),
        silent: &BTreeSet<i32>,
        mut change: impl FnMut(LineChange),
        woken: &mut Vec<Waker>,
    ) {
        let before = self.spread.load_full();
        for (partition, leader) in (0..).zip(&**leaders) {
            if before.leaders.get(partition as usize) == Some(leader) {
                continue;
            }
            let line = MemoryLine(*leader);
            let Some(entry) = self.partitions.get(partition) else {
                change(LineChange::New(line));
                continue;
            };
            let mut inner = entry.lock();
            if std::mem::take(&mut inner.gone) {
                inner.closed = closed;
            }
            inner.queue.set_leader_line(line);
            if let Some(turn) = inner.queue.poll_turn() {
                change(LineChange::Turned(turn));
            }
        }
        let lines = self.lines(leaders, &before);
        let count = u32::try_from(leaders.len()).unwrap_or(0);
        self.partitions.grow(count, |partition| {
            let id = PartitionId {
                topic: self.index,
                index: partition,
            };
            let line = MemoryLine(leaders.get(partition as usize).copied().flatten());
            let queue = Queue::new(
                self.name.clone(),
                partition,
                line,
                settings,
                random().into(),
            );
            PartitionEntry::new(id, queue, closed)
        });
        // In this order: what a sender chooses by the spread or by the count is there.
        self.set_spread(Spread::new(leaders.clone(), lines, silent));
        self.partitions.show(count);
        // Those too that went while the topic was idle.
        for entry in self.partitions.from(count) {
            let mut inner = entry.lock();
            (inner.closed, inner.gone) = (true, true);
            inner.queue.set_leader_line(MemoryLine(None));
            if let Some(turn) = inner.queue.poll_turn() {
                change(LineChange::Turned(turn));
            }
        }
        let mut waiting = self.waiting();
        waiting.last = None;
        waiting.refused = None;
        waiting.wakers.take_all(woken);
    }

    /// Nobody has sent to it for long: whoever wants to waits for metadata as at first. Its partitions
    /// stay, and so does what comes to one of them at this moment. Called by the I/O thread alone.
    pub(crate) fn rest(&self) {
        self.partitions.show(0);
        self.set_spread(Spread::default());
        for entry in self.partitions.iter() {
            entry.lock().queue.shrink();
        }
    }

    /// The cluster cannot or will not serve the topic.
    pub(crate) fn handle_unavailable(
        &self,
        refusal: Refusal,
        fatal: bool,
        now: Instant,
        woken: &mut Vec<Waker>,
    ) {
        let mut waiting = self.waiting();
        waiting.last = Some(refusal.code);
        if fatal {
            waiting.refusals += 1;
            waiting.refused = Some((refusal, now));
            waiting.wakers.take_all(woken);
        }
    }

    /// The refusal that is the answer to a caller who does not wait: one that is new.
    pub(crate) fn refused_lately(&self, now: Instant) -> Option<Refusal> {
        let (refusal, at) = self.waiting().refused?;
        (now < at + REFUSAL_IS_NEW).then_some(refusal)
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
                if let Some((refusal, _)) = waiting.refused {
                    return Some(Metadata::Refused(refusal));
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

/// Makes a shard choose anew if it fills a partition that is `left`.
fn turn_from(shard: &AtomicU64, left: impl Fn(i32) -> bool) {
    let bits = shard.load(Ordering::Relaxed);
    let filled = Sticky::from_bits(bits).partition();
    if filled.is_some_and(left) {
        let new = Sticky::default().to_bits();
        // A sender that counts bytes at this moment is ahead, or keeps the partition for what is
        // left of a batch.
        let _ = shard.compare_exchange(bits, new, Ordering::Relaxed, Ordering::Relaxed);
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
