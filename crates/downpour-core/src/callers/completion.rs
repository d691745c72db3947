//! The state behind all handles of one batch: which of its records have which verdict.
//!
//! Verdicts come in segments, because a split batch finishes in parts and a refused record
//! takes its own cause (KIP-467). A plain state machine: the shell adds the lock and calls
//! the wakers. *Invariant:* segments are sorted and disjoint; no record gets a second verdict.

use std::num::NonZeroU32;

use crate::callers::waiters::Waiters;
use crate::outcome::Verdict;

/// A run of records that share a verdict.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Segment {
    /// Index of the first record.
    pub first: u32,
    /// Records in the run.
    pub count: u32,
    /// How the run ended; an offset in it is the first record's.
    pub verdict: Verdict,
}

/// A record was about to get a second verdict: a defect of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the run is all there is to say")]
pub struct ResolvedTwice {
    /// First record of the run that came second.
    pub first: u32,
    /// Its length.
    pub count: u32,
}

/// Names one registered waiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaiterKey(NonZeroU32);

impl WaiterKey {
    fn number(self) -> u64 {
        self.0.get().into()
    }
}

#[derive(Debug)]
struct Waiter<W> {
    /// `None` waits for the whole batch.
    index: Option<u32>,
    waker: W,
}

/// The verdicts of one batch and who waits for them.
#[derive(Debug)]
pub struct Completion<W> {
    segments: Vec<Segment>,
    resolved: u32,
    /// Known with the first verdict.
    total: Option<u32>,
    waiters: Waiters<Waiter<W>>,
    next_key: NonZeroU32,
}

impl<W> Default for Completion<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W> Completion<W> {
    /// Of a batch that has just been opened.
    pub fn new() -> Self {
        Self {
            segments: Vec::new(),
            resolved: 0,
            total: None,
            waiters: Waiters::default(),
            next_key: NonZeroU32::MIN,
        }
    }

    /// Gives the run from `first` its verdict; whoever waited for it lands in `woken`. The whole
    /// batch has `total` records.
    ///
    /// # Errors
    /// [`ResolvedTwice`] if any record of the run has a verdict already; nothing changes then.
    pub fn resolve(
        &mut self,
        first: u32,
        count: u32,
        total: u32,
        verdict: Verdict,
        woken: &mut Vec<W>,
    ) -> Result<(), ResolvedTwice> {
        let at = self.segments.partition_point(|s| s.first < first);
        let after_previous = at
            .checked_sub(1)
            .is_none_or(|i| self.segments[i].first + self.segments[i].count <= first);
        let before_next = self
            .segments
            .get(at)
            .is_none_or(|next| first + count <= next.first);
        if !after_previous || !before_next {
            return Err(ResolvedTwice { first, count });
        }
        self.segments.insert(
            at,
            Segment {
                first,
                count,
                verdict,
            },
        );
        self.resolved += count;
        self.total = Some(total);
        let complete = self.is_complete();
        self.wake(woken, |index| match index {
            Some(index) => (first..first + count).contains(&index),
            None => complete,
        });
        Ok(())
    }

    /// Whether every record has its verdict.
    pub fn is_complete(&self) -> bool {
        self.total == Some(self.resolved)
    }

    /// Records that have a verdict.
    pub fn resolved(&self) -> u32 {
        self.resolved
    }

    /// All verdicts so far, in the order of the records.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The verdict of one record, its offset moved to that record; `None` while undecided.
    pub fn verdict(&self, index: u32) -> Option<Verdict> {
        let at = self
            .segments
            .partition_point(|s| s.first <= index)
            .checked_sub(1)?;
        let segment = &self.segments[at];
        if index >= segment.first + segment.count {
            return None;
        }
        Some(match &segment.verdict {
            Verdict::Delivered {
                base_offset: Some(base),
                log_append_time,
            } => Verdict::Delivered {
                base_offset: Some(base + i64::from(index - segment.first)),
                log_append_time: *log_append_time,
            },
            other => other.clone(),
        })
    }

    /// Leaves a waker for one record, or for the whole batch; `waiter` keeps its place for the
    /// next call and for [`forget`](Self::forget). The waker that it replaces comes back, to be
    /// dropped without the lock.
    pub fn wait(
        &mut self,
        index: Option<u32>,
        waiter: &mut Option<WaiterKey>,
        waker: W,
    ) -> Option<W> {
        if let Some(known) = waiter.and_then(|key| self.waiters.get_mut(key.number())) {
            return Some(std::mem::replace(&mut known.waker, waker));
        }
        let key = self.next_key;
        // Around the end after four billion waits; nobody has waited since the first of them.
        self.next_key = key.checked_add(1).unwrap_or(NonZeroU32::MIN);
        let key = WaiterKey(key);
        self.waiters.add(key.number(), Waiter { index, waker });
        *waiter = Some(key);
        None
    }

    /// The waker that was left under this key, unless it was taken out.
    pub fn waker(&self, key: WaiterKey) -> Option<&W> {
        let waiter = self.waiters.get(key.number())?;
        Some(&waiter.waker)
    }

    /// Takes a waker back, to be dropped without the lock.
    pub fn forget(&mut self, key: WaiterKey) -> Option<W> {
        let waiter = self.waiters.remove(key.number())?;
        Some(waiter.waker)
    }

    fn wake(&mut self, woken: &mut Vec<W>, due: impl Fn(Option<u32>) -> bool) {
        let is_due = |waiter: &Waiter<W>| due(waiter.index);
        self.waiters
            .take_if(is_due, |waiter| woken.push(waiter.waker));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(base: i64) -> Verdict {
        Verdict::Delivered {
            base_offset: Some(base),
            log_append_time: None,
        }
    }

    fn offset(completion: &Completion<u8>, index: u32) -> Option<i64> {
        match completion.verdict(index)? {
            Verdict::Delivered { base_offset, .. } => base_offset,
            _ => None,
        }
    }

    #[test]
    fn a_split_batch_finishes_in_parts_each_with_its_offsets() {
        let mut completion = Completion::new();
        completion
            .resolve(3, 2, 5, delivered(900), &mut Vec::new())
            .unwrap();
        assert_eq!(offset(&completion, 0), None);
        assert!(!completion.is_complete());
        completion
            .resolve(0, 3, 5, delivered(100), &mut Vec::new())
            .unwrap();
        let offsets: Vec<_> = (0..5).map(|i| offset(&completion, i).unwrap()).collect();
        assert_eq!(offsets, [100, 101, 102, 900, 901]);
        assert!(completion.is_complete());
    }

    #[test]
    fn no_record_gets_a_second_verdict() {
        let mut completion = Completion::<u8>::new();
        completion
            .resolve(2, 3, 9, delivered(0), &mut Vec::new())
            .unwrap();
        for (first, count) in [(2, 3), (0, 3), (4, 1), (1, 9)] {
            assert_eq!(
                completion.resolve(first, count, 9, delivered(0), &mut Vec::new()),
                Err(ResolvedTwice { first, count })
            );
        }
        completion
            .resolve(0, 2, 9, delivered(0), &mut Vec::new())
            .unwrap();
        completion
            .resolve(5, 1, 9, delivered(0), &mut Vec::new())
            .unwrap();
        assert_eq!(completion.resolved(), 6);
    }

    #[test]
    fn only_those_who_wait_for_the_run_are_woken() {
        let mut completion = Completion::new();
        let (mut one, mut two, mut all) = (None, None, None);
        completion.wait(Some(0), &mut one, "zero");
        completion.wait(Some(1), &mut two, "one");
        completion.wait(None, &mut all, "all");
        let mut woken = Vec::new();
        completion
            .resolve(1, 1, 2, delivered(0), &mut woken)
            .unwrap();
        assert_eq!(woken, ["one"]);
        completion
            .resolve(0, 1, 2, delivered(0), &mut woken)
            .unwrap();
        assert_eq!(woken, ["one", "zero", "all"]);
    }

    #[test]
    fn a_waiter_replaces_its_own_waker_and_can_leave() {
        let mut completion = Completion::new();
        let mut key = None;
        assert_eq!(completion.wait(Some(0), &mut key, "old"), None);
        assert_eq!(completion.wait(Some(0), &mut key, "new"), Some("old"));
        assert_eq!(completion.waker(key.unwrap()), Some(&"new"));
        let mut other = None;
        completion.wait(Some(0), &mut other, "gone");
        assert_eq!(completion.forget(other.unwrap()), Some("gone"));
        assert_eq!(completion.forget(other.unwrap()), None);
        let mut woken = Vec::new();
        completion
            .resolve(0, 1, 1, delivered(0), &mut woken)
            .unwrap();
        assert_eq!(woken, ["new"]);
    }
}
