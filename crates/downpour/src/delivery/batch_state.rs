//! What all handles of one batch share: its verdicts, its labels and who waits.
//!
//! The verdicts' bookkeeping is `downpour-core`'s; this file adds the lock, and the way past it
//! for batches that were delivered in one piece. For the order of locks see ARCHITECTURE.md, Locks.
//!
//! No waiter is missed. In time: a handle finds nothing published, takes the lock, finds no
//! verdict, leaves its waker and unlocks; the I/O thread takes the lock, notes the verdict, takes
//! the waker out, publishes, unlocks and wakes. Had it come first, the handle would have found
//! the verdict under the lock. Published under the lock, a batch is never published while a
//! waker lies in it that nobody takes out; that is why a handle that finds it published may
//! forget its own key.

use std::ops::Range;
use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};

use downpour_core::callers::completion::{Completion, ResolvedTwice, WaiterKey};
use downpour_core::ids::PartitionId;
use downpour_core::outcome::{Cause, Failure, Verdict, Written};

use crate::delivery::report::Report;
use crate::delivery::shelf;
use crate::error::delivery::DeliveryError;
use crate::label::Label;
use crate::sys::fork;
use crate::sys::lock::lock;
use crate::sys::sync::{Mutex, MutexGuard, OnceLock};
use crate::sys::wake;

/// How a record ended that was accepted.
pub(crate) type End = Result<Report, DeliveryError>;

/// The state behind the handles of one batch.
#[derive(Debug)]
pub(crate) struct BatchState {
    topic: Arc<str>,
    id: PartitionId,
    /// Number of the process that it was made in. In a forked child the lock may be held by a
    /// thread that is not there, and no verdict will come.
    process: u32,
    inner: Mutex<Inner>,
    /// Set by `resolve`, once, when the whole batch was delivered in one piece and has no labels,
    /// which is how nearly all end. Its handles need no lock then; without it each of a thousand
    /// handles would take it.
    published: OnceLock<Published>,
}

/// Where a batch that was delivered in one piece is.
#[derive(Debug, Clone, Copy)]
struct Published {
    base_offset: Option<i64>,
    log_append_time: Option<i64>,
}

struct Inner {
    completion: Completion<Waker>,
    /// Sorted by index; most records have none.
    labels: Vec<(u32, Label)>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("segments", &self.completion.segments())
            .field("labels", &self.labels.len())
            .finish()
    }
}

impl BatchState {
    /// Of the partition of this number, whose topic has this name.
    pub(crate) fn new(topic: Arc<str>, id: PartitionId) -> Arc<Self> {
        let inner = Inner {
            completion: Completion::new(),
            labels: Vec::new(),
        };
        Arc::new(Self {
            topic,
            id,
            process: fork::generation(),
            inner: Mutex::new(inner),
            published: OnceLock::new(),
        })
    }

    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    pub(crate) fn partition(&self) -> i32 {
        self.id.index
    }

    pub(crate) fn id(&self) -> PartitionId {
        self.id
    }

    /// Whether this process is a forked child of the one that sent the batch.
    fn is_forked(&self) -> bool {
        self.process != fork::generation()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing below panics halfway through a change, so a poisoned state is still whole.
        lock(&self.inner)
    }

    /// Keeps a label. Called under the partition's lock, so before any verdict.
    pub(crate) fn add_label(&self, index: u32, label: Label) {
        self.lock().labels.push((index, label));
    }

    /// Gives the run of `count` records from `first` its verdict; the batch has `total`.
    ///
    /// # Errors
    /// [`ResolvedTwice`] is a defect of this library, to be reported.
    pub(crate) fn resolve(
        &self,
        (first, count): (u32, u32),
        total: u32,
        verdict: Verdict,
        woken: &mut Vec<Waker>,
    ) -> Result<(), ResolvedTwice> {
        let mut inner = self.lock();
        let completion = &mut inner.completion;
        completion.resolve(first, count, total, verdict, woken)?;
        self.publish(&inner);
        Ok(())
    }

    /// Notes that the whole batch is in one place, if it is.
    fn publish(&self, inner: &Inner) {
        if !inner.completion.is_complete() || !inner.labels.is_empty() {
            return;
        }
        if let [segment] = inner.completion.segments() {
            if let Verdict::Delivered {
                base_offset,
                log_append_time,
            } = segment.verdict
            {
                let _ = self.published.set(Published {
                    base_offset,
                    log_append_time,
                });
            }
        }
    }

    /// Gives every record without a verdict this one: the I/O thread is gone, and nobody is left
    /// to find out.
    pub(crate) fn abandon(&self, verdict: Verdict, woken: &mut Vec<Waker>) {
        let mut inner = self.lock();
        // How many records the batch has is not known here, so that all numbers without a verdict
        // get this one.
        let done: Vec<(u32, u32)> = inner
            .completion
            .segments()
            .iter()
            .map(|s| (s.first, s.count))
            .collect();
        let mut next = 0;
        for (first, count) in done {
            if first > next {
                let gap = first - next;
                let _ = inner
                    .completion
                    .resolve(next, gap, u32::MAX, verdict.clone(), woken);
            }
            next = first + count;
        }
        let _ = inner
            .completion
            .resolve(next, u32::MAX - next, u32::MAX, verdict, woken);
    }

    /// How one record ended; `None` while it has not.
    #[inline]
    pub(crate) fn end(&self, index: u32, timestamp: i64) -> Option<End> {
        match self.published_report(index, timestamp) {
            Some(report) => Some(Ok(report)),
            None => self.end_locked(index, timestamp),
        }
    }

    /// Where a record of a batch is that was delivered in one piece.
    #[inline]
    pub(crate) fn published_report(&self, index: u32, timestamp: i64) -> Option<Report> {
        let published = self.published.get()?;
        Some(Report {
            topic: self.topic.clone(),
            partition: self.partition(),
            offset: published.base_offset.map(|base| base + i64::from(index)),
            timestamp: published.log_append_time.unwrap_or(timestamp),
            label: None,
        })
    }

    fn end_locked(&self, index: u32, timestamp: i64) -> Option<End> {
        if self.is_forked() {
            return Some(Err(self.no_verdict(Cause::Forked)));
        }
        let inner = self.lock();
        self.end_in(&inner, index, timestamp)
    }

    fn end_in(&self, inner: &Inner, index: u32, timestamp: i64) -> Option<End> {
        let verdict = inner.completion.verdict(index)?;
        let label = if inner.labels.is_empty() {
            None
        } else {
            inner.label(index)
        };
        Some(match verdict {
            Verdict::Failed(failure) => Err(DeliveryError::new(failure, Written::No, label)),
            Verdict::Unknown(failure) => Err(DeliveryError::new(failure, Written::Unknown, label)),
            delivered => {
                let (offset, timestamp) = match delivered {
                    Verdict::Delivered {
                        base_offset,
                        log_append_time,
                    } => (base_offset, log_append_time.unwrap_or(timestamp)),
                    _ => (None, timestamp),
                };
                Ok(Report {
                    topic: self.topic.clone(),
                    partition: self.partition(),
                    offset,
                    timestamp,
                    label,
                })
            }
        })
    }

    /// The label of one record.
    pub(crate) fn label(&self, index: u32) -> Option<Label> {
        if self.is_forked() {
            return None;
        }
        self.lock().label(index)
    }

    /// The labels of so many records from the first on.
    pub(crate) fn labels(&self, first: u32, count: u32) -> Vec<Label> {
        let run = first..first.saturating_add(count);
        let inner = self.lock();
        let labels = inner.labels.iter().filter(|(index, _)| run.contains(index));
        labels.map(|(_, label)| label.clone()).collect()
    }

    /// How one record ended, or a waker is left for when it has.
    pub(crate) fn poll(
        &self,
        index: u32,
        timestamp: i64,
        waiter: &mut Option<WaiterKey>,
        waker: &Waker,
    ) -> Option<End> {
        if self.is_forked() {
            *waiter = None;
            return Some(Err(self.no_verdict(Cause::Forked)));
        }
        wake::leave(waker, waiter.is_none(), |own| {
            let mut inner = self.lock();
            let end = self.end_in(&inner, index, timestamp);
            match end {
                // Whoever resolved it took the waiter out.
                Some(_) => *waiter = None,
                None => inner.leave(Some(index), waiter, waker, own)?,
            }
            Some(end)
        })
    }

    /// Whether a run of records has its verdicts, or a waker is left for one that has none;
    /// then whether one of them was not acknowledged.
    pub(crate) fn poll_run(
        &self,
        run: Range<u32>,
        waiter: &mut Option<WaiterKey>,
        waker: &Waker,
    ) -> Poll<bool> {
        if self.published.get().is_some() {
            // Whoever published the batch took its waiters out.
            *waiter = None;
            return Poll::Ready(false);
        }
        if self.is_forked() {
            *waiter = None;
            return Poll::Ready(true);
        }
        // A waiter is for one record: an earlier one's may still be there if the run ended in
        // parts out of order, and each time it is left anew.
        wake::leave(waker, true, |own| {
            let mut inner = self.lock();
            let (next, bad) = inner.first_open(&run);
            if next >= run.end {
                *waiter = None;
                return Some(Poll::Ready(bad));
            }
            let new = own.take()?;
            if let Some(old) = waiter.take() {
                *own = inner.completion.forget(old);
            }
            inner.completion.wait(Some(next), waiter, new);
            Some(Poll::Pending)
        })
    }

    /// Whether every record has a verdict, or a waker is left for when they have.
    pub(crate) fn poll_complete(&self, waiter: &mut Option<WaiterKey>, waker: &Waker) -> bool {
        if self.is_forked() {
            *waiter = None;
            return true;
        }
        wake::leave(waker, waiter.is_none(), |own| {
            let mut inner = self.lock();
            let complete = inner.completion.is_complete();
            if complete {
                *waiter = None;
            } else {
                inner.leave(None, waiter, waker, own)?;
            }
            Some(complete)
        })
    }

    /// The error of a wait that began where nobody may wait.
    #[cold]
    pub(super) fn in_callback(&self) -> DeliveryError {
        self.no_verdict(Cause::InCallback)
    }

    /// What somebody gets who asks where no verdict can be had.
    #[cold]
    fn no_verdict(&self, cause: Cause) -> DeliveryError {
        let failure = Failure::new(cause, self.topic.clone(), self.partition());
        DeliveryError::new(Arc::new(failure), Written::Unknown, None)
    }

    /// Takes a waker back.
    pub(crate) fn forget(&self, waiter: WaiterKey) {
        if self.is_forked() {
            return;
        }
        let waker = self.lock().completion.forget(waiter);
        // Dropped after the lock: its drop is the caller's code.
        drop(waker);
    }
}

impl Drop for BatchState {
    fn drop(&mut self) {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !inner.labels.is_empty() {
            shelf::put(inner.labels.drain(..).map(|(_, label)| label));
        }
    }
}

impl Inner {
    /// Leaves a waker, unless such a one is here already; see [`wake::leave`].
    fn leave(
        &mut self,
        index: Option<u32>,
        waiter: &mut Option<WaiterKey>,
        waker: &Waker,
        own: &mut Option<Waker>,
    ) -> Option<()> {
        let known = waiter.and_then(|key| self.completion.waker(key));
        if !known.is_some_and(|old| old.will_wake(waker)) {
            *own = self.completion.wait(index, waiter, own.take()?);
        }
        Some(())
    }

    /// The first record of a run that has no verdict, or its end; and whether one before it was
    /// not acknowledged.
    fn first_open(&self, run: &Range<u32>) -> (u32, bool) {
        let (mut next, mut bad) = (run.start, false);
        for segment in self.completion.segments() {
            let end = segment.first + segment.count;
            if end <= next {
                continue;
            }
            if segment.first > next || next >= run.end {
                break;
            }
            bad |= matches!(segment.verdict, Verdict::Failed(_) | Verdict::Unknown(_));
            next = end;
        }
        (next, bad)
    }

    fn label(&self, index: u32) -> Option<Label> {
        let at = self.labels.binary_search_by_key(&index, |&(i, _)| i).ok()?;
        Some(self.labels[at].1.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::deliveries::Deliveries;
    use crate::delivery::delivery::Delivery;
    use crate::delivery::fixtures::{batch, delivered, failure};
    use crate::error::kind::ErrorKind;
    use crate::sys::lock::counted;
    use std::time::Duration;

    #[test]
    fn a_label_reaches_the_report_of_its_record_and_no_other() {
        let state = batch(3);
        state.add_label(1, Arc::new("order 7"));
        state
            .resolve((0, 3), 3, delivered(40), &mut Vec::new())
            .unwrap();
        let reports: Vec<Report> = (0..3).map(|i| state.end(i, 9).unwrap().unwrap()).collect();
        let labels = reports.iter().map(Report::label::<&str>);
        assert!(labels.eq([None, Some(&"order 7"), None]));
        assert_eq!((reports[1].offset(), reports[1].partition()), (Some(41), 3));
    }

    #[test]
    fn a_batch_in_one_piece_answers_without_its_lock() {
        let state = batch(3);
        state
            .resolve((0, 2), 2, delivered(40), &mut Vec::new())
            .unwrap();
        let held = state.lock();
        assert_eq!(state.end(1, 9).unwrap().unwrap().offset(), Some(41));
        drop(held);
    }

    #[test]
    fn a_batch_in_parts_is_looked_up_part_by_part() {
        let state = batch(3);
        state
            .resolve((1, 1), 2, delivered(90), &mut Vec::new())
            .unwrap();
        state
            .resolve((0, 1), 2, delivered(40), &mut Vec::new())
            .unwrap();
        let offsets = [0, 1].map(|i| state.end(i, 9).unwrap().unwrap().offset());
        assert_eq!(offsets, [Some(40), Some(90)]);
    }

    /// In a child the lock may be held by a thread of its parent's.
    #[test]
    fn in_a_forked_child_every_question_is_answered_without_the_lock() {
        let mut state = batch(3);
        let own = Arc::get_mut(&mut state).unwrap();
        own.process = own.process.wrapping_sub(fork::STEP);
        let mut key = None;
        let _ = batch(0).poll(0, 9, &mut key, Waker::noop());
        let taken = counted::taken(|| {
            let forked = |end: Option<End>| end.unwrap().unwrap_err().kind() == ErrorKind::Forked;
            let handle = Delivery::new(state.clone(), 0, 9);
            assert!(forked(handle.try_report()) && forked(Some(handle.wait())));
            assert!(forked(handle.wait_timeout(Duration::ZERO).ok()));
            assert!(handle.label::<u8>().is_none() && !handle.is_pending());
            let many: Deliveries = [handle.clone()].into_iter().collect();
            assert!(forked(many.get(0).unwrap().try_report()));
            assert_eq!(many.wait().unwrap_err().kind(), ErrorKind::Forked);
            // One that waited before the fork.
            state.forget(key.unwrap());
            assert!(forked(state.poll(0, 9, &mut key, Waker::noop())));
            assert!(state.poll_complete(&mut key, Waker::noop()));
        });
        assert_eq!(taken, 0);
    }

    #[test]
    fn abandoned_records_end_unknown_and_those_with_a_verdict_keep_it() {
        let state = batch(0);
        state
            .resolve((1, 1), 9, delivered(40), &mut Vec::new())
            .unwrap();
        state.abandon(Verdict::Unknown(failure()), &mut Vec::new());
        assert!(state.end(0, 0).unwrap().is_err());
        assert_eq!(state.end(1, 0).unwrap().unwrap().offset(), Some(40));
        assert!(state.end(500, 0).unwrap().is_err());
        assert!(state.poll_complete(&mut None, Waker::noop()));
    }

    #[test]
    fn a_topic_that_stamps_records_itself_decides_the_timestamp() {
        let state = batch(0);
        let verdict = Verdict::Delivered {
            base_offset: Some(0),
            log_append_time: Some(77),
        };
        state.resolve((0, 1), 1, verdict, &mut Vec::new()).unwrap();
        let report = state.end(0, 5).unwrap().unwrap();
        assert_eq!(report.timestamp_ms(), 77);
    }
}
