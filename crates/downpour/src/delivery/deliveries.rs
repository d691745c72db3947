//! One handle for the records of one `send_many`.
//!
//! Kept as runs within batches, so that it costs nothing per record.

use std::fmt;
use std::future::Future;
use std::iter::FusedIterator;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use downpour_core::callers::completion::WaiterKey;

use crate::delivery::batch_state::BatchState;
use crate::delivery::delivery::Delivery;
use crate::delivery::report::Report;
use crate::error::delivery::{DeliveryError, WaitTimeout};
use crate::sys::park;

/// The handle of several accepted records, in the order in which they were given.
///
/// A future that ends when every record has its verdict: `Ok` if all were acknowledged,
/// otherwise the first error in the records' order. Each record's own end is in
/// [`reports`](Self::reports) and [`get`](Self::get), before and after.
///
/// It is made by `send_many`, and by collecting the handles of single records:
///
/// ```
/// use downpour::{Deliveries, Producer, Record};
/// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
/// # let bootstrap = cluster.bootstrap_servers();
///
/// let producer = Producer::builder(bootstrap).build()?.blocking();
/// let lines = ["one", "two", "three"];
/// let sent = lines.map(|line| producer.send(Record::to("events").value(line)));
/// let deliveries = sent.into_iter().collect::<Result<Deliveries, _>>()?;
/// deliveries.wait()?;
/// for delivery in &deliveries {
///     println!("offset {:?}", delivery.wait()?.offset());
/// }
/// # producer.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "records that were accepted are not delivered yet"]
#[derive(Default)]
pub struct Deliveries {
    batches: Vec<Batch>,
    runs: Vec<Run>,
    len: usize,
    /// Batches before this one have all the verdicts that are waited for.
    resolved: usize,
    /// Whether a record of them was not acknowledged, or another one of their batches was not.
    is_bad: bool,
    waiter: Option<WaiterKey>,
}

/// A batch that holds some of the records.
#[derive(Clone)]
struct Batch {
    state: Arc<BatchState>,
    /// The first and the last of them; others may lie between.
    first: u32,
    last: u32,
}

/// Records that follow each other here and in their batch.
#[derive(Clone)]
struct Run {
    batch: usize,
    first: u32,
    count: u32,
    timestamp: i64,
    /// Place of its first record among all.
    before: usize,
}

/// Batches among which a record's is looked for. Records that alternate between more
/// partitions than this have several entries for a batch, which costs memory and no more.
const RECENT: usize = 16;

impl Deliveries {
    pub(crate) fn push(&mut self, delivery: Delivery) {
        let (state, index, timestamp) = delivery.position();
        self.push_position(state, index, timestamp);
    }

    /// Adds a record by its place. A batch's records are added in their order.
    #[inline]
    pub(crate) fn push_position(&mut self, state: &Arc<BatchState>, index: u32, timestamp: i64) {
        let batch = self.batch(state, index);
        self.len += 1;
        if let Some(run) = self.runs.last_mut() {
            let is_next = run.batch == batch && run.first + run.count == index;
            if is_next && run.timestamp == timestamp {
                run.count += 1;
                return;
            }
        }
        self.runs.push(Run {
            batch,
            first: index,
            count: 1,
            timestamp,
            before: self.len - 1,
        });
    }

    /// The entry of a batch, which reaches up to this record from now on.
    #[inline]
    fn batch(&mut self, state: &Arc<BatchState>, index: u32) -> usize {
        let recent = self.batches.iter_mut().enumerate().rev().take(RECENT);
        for (at, batch) in recent {
            if Arc::ptr_eq(&batch.state, state) {
                batch.last = index;
                return at;
            }
        }
        self.batches.push(Batch {
            state: state.clone(),
            first: index,
            last: index,
        });
        self.batches.len() - 1
    }

    fn handle(&self, run: &Run, offset: u32) -> Delivery {
        let state = self.batches[run.batch].state.clone();
        Delivery::new(state, run.first + offset, run.timestamp)
    }

    /// Records in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no record.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The handle of one record.
    pub fn get(&self, index: usize) -> Option<Delivery> {
        if index >= self.len {
            return None;
        }
        let at = self
            .runs
            .partition_point(|r| r.before <= index)
            .checked_sub(1)?;
        let run = &self.runs[at];
        Some(self.handle(run, (index - run.before) as u32))
    }

    /// The handles of all records, in order. Each is made when it is asked for, at about the cost
    /// of an `Arc`'s clone.
    pub fn iter(&self) -> DeliveriesIter<'_> {
        DeliveriesIter {
            of: self,
            at: Cursor::new(self),
        }
    }

    /// How each record ended, in order and without waiting; `None` for those that have no verdict
    /// yet.
    pub fn reports(&self) -> Reports<'_> {
        Reports {
            handles: self.iter(),
        }
    }

    /// Blocks this thread until every record has its verdict.
    ///
    /// # Errors
    /// The first [`DeliveryError`] in the records' order; in a waker that the producer calls as
    /// with [`Delivery::wait`].
    pub fn wait(&self) -> Result<(), DeliveryError> {
        let ended = park::block_on(self.clone());
        ended.unwrap_or_else(|| match self.batches.first() {
            Some(batch) => Err(batch.state.in_callback()),
            None => Ok(()),
        })
    }

    /// Blocks this thread until every record has its verdict or the time is over.
    ///
    /// # Errors
    /// [`WaitTimeout`] if a record has no verdict yet; inside, as with [`wait`](Self::wait).
    pub fn wait_timeout(&self, time: Duration) -> Result<Result<(), DeliveryError>, WaitTimeout> {
        let deadline = Instant::now().checked_add(time);
        park::block_on_until(self.clone(), deadline).map_err(|why| WaitTimeout::new(time, why))
    }

    fn forget(&mut self) {
        if let (Some(waiter), Some(batch)) = (self.waiter.take(), self.batches.get(self.resolved)) {
            batch.state.forget(waiter);
        }
    }
}

impl Future for Deliveries {
    type Output = Result<(), DeliveryError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        while let Some(batch) = this.batches.get(this.resolved) {
            let range = batch.first..batch.last + 1;
            let bad = ready!(
                batch
                    .state
                    .poll_run(range, &mut this.waiter, context.waker())
            );
            this.is_bad |= bad;
            this.resolved += 1;
        }
        if this.is_bad {
            // The first in the records' order, if one of them is among the bad.
            let mut errors = this.reports().filter_map(|ended| ended?.err());
            return Poll::Ready(errors.next().map_or(Ok(()), Err));
        }
        Poll::Ready(Ok(()))
    }
}

impl Clone for Deliveries {
    fn clone(&self) -> Self {
        Self {
            batches: self.batches.clone(),
            runs: self.runs.clone(),
            len: self.len,
            resolved: self.resolved,
            is_bad: self.is_bad,
            waiter: None,
        }
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        self.forget();
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries")
            .field("len", &self.len)
            .field("batches", &self.batches.len())
            .finish()
    }
}

impl Extend<Delivery> for Deliveries {
    fn extend<I: IntoIterator<Item = Delivery>>(&mut self, handles: I) {
        // What was waited for may be so no more.
        self.forget();
        self.resolved = 0;
        let before = self.runs.len().saturating_sub(1);
        for handle in handles {
            self.push(handle);
        }
        // Handles that a caller collects come in any order.
        for run in &self.runs[before..] {
            let batch = &mut self.batches[run.batch];
            batch.first = batch.first.min(run.first);
            batch.last = batch.last.max(run.first + run.count - 1);
        }
    }
}

impl FromIterator<Delivery> for Deliveries {
    fn from_iter<I: IntoIterator<Item = Delivery>>(handles: I) -> Self {
        let mut all = Self::default();
        all.extend(handles);
        all
    }
}

impl<'a> IntoIterator for &'a Deliveries {
    type Item = Delivery;
    type IntoIter = DeliveriesIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Deliveries {
    type Item = Delivery;
    type IntoIter = DeliveriesIntoIter;

    fn into_iter(self) -> Self::IntoIter {
        DeliveriesIntoIter {
            at: Cursor::new(&self),
            of: self,
        }
    }
}

/// Where an iterator is: which run, which record of it, and how many are left of all.
#[derive(Debug, Clone)]
struct Cursor {
    run: usize,
    offset: u32,
    left: usize,
}

impl Cursor {
    fn new(of: &Deliveries) -> Self {
        Self {
            run: 0,
            offset: 0,
            left: of.len,
        }
    }

    fn next(&mut self, of: &Deliveries) -> Option<Delivery> {
        let run = of.runs.get(self.run)?;
        let handle = of.handle(run, self.offset);
        self.left -= 1;
        self.offset += 1;
        if self.offset == run.count {
            (self.run, self.offset) = (self.run + 1, 0);
        }
        Some(handle)
    }
}

/// The handles of several records, from [`Deliveries::iter`].
#[derive(Debug, Clone)]
pub struct DeliveriesIter<'a> {
    of: &'a Deliveries,
    at: Cursor,
}

impl Iterator for DeliveriesIter<'_> {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        self.at.next(self.of)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.at.left, Some(self.at.left))
    }
}

impl ExactSizeIterator for DeliveriesIter<'_> {}
impl FusedIterator for DeliveriesIter<'_> {}

/// The handles of several records, for keeping: [`Deliveries`] turned into an iterator.
#[derive(Debug, Clone)]
pub struct DeliveriesIntoIter {
    of: Deliveries,
    at: Cursor,
}

impl Iterator for DeliveriesIntoIter {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        self.at.next(&self.of)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.at.left, Some(self.at.left))
    }
}

impl ExactSizeIterator for DeliveriesIntoIter {}
impl FusedIterator for DeliveriesIntoIter {}

/// How several records ended, from [`Deliveries::reports`].
#[derive(Debug, Clone)]
pub struct Reports<'a> {
    handles: DeliveriesIter<'a>,
}

impl Iterator for Reports<'_> {
    type Item = Option<Result<Report, DeliveryError>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.handles.next().map(|handle| handle.try_report())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.handles.size_hint()
    }
}

impl ExactSizeIterator for Reports<'_> {}
impl FusedIterator for Reports<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::fixtures::{batch, delivered, failure};
    use downpour_core::outcome::Verdict;

    fn failed() -> Verdict {
        Verdict::Failed(failure())
    }

    fn two_batches() -> (Arc<BatchState>, Arc<BatchState>, Deliveries) {
        let one = batch(0);
        let two = batch(1);
        let mut all = Deliveries::default();
        for (state, index) in [(&one, 4), (&one, 5), (&two, 0), (&one, 6), (&two, 1)] {
            all.push(Delivery::new(state.clone(), index, 0));
        }
        (one, two, all)
    }

    #[test]
    fn handles_keep_the_order_of_the_records_over_batches() {
        let (_, _, all) = two_batches();
        let places: Vec<(i32, u32)> = all
            .iter()
            .map(|d| (d.partition(), d.position().1))
            .collect();
        assert_eq!(places, [(0, 4), (0, 5), (1, 0), (0, 6), (1, 1)]);
        for (at, place) in places.iter().enumerate() {
            let one = all.get(at).unwrap();
            assert_eq!((one.partition(), one.position().1), *place);
        }
        assert!(all.get(5).is_none());
    }

    #[test]
    fn it_ends_when_all_have_their_verdict_with_the_first_error() {
        let (one, two, all) = two_batches();
        let mut waiting = all.clone();
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut waiting).poll(&mut context).is_pending());
        one.resolve((5, 10), 15, delivered(0), &mut Vec::new())
            .unwrap();
        assert!(Pin::new(&mut waiting).poll(&mut context).is_pending());
        two.resolve((0, 1), 2, delivered(0), &mut Vec::new())
            .unwrap();
        two.resolve((1, 1), 2, failed(), &mut Vec::new()).unwrap();
        assert!(Pin::new(&mut waiting).poll(&mut context).is_pending());
        one.resolve((0, 5), 15, delivered(0), &mut Vec::new())
            .unwrap();
        for _ in 0..2 {
            let Poll::Ready(Err(error)) = Pin::new(&mut waiting).poll(&mut context) else {
                panic!("one record failed")
            };
            assert_eq!(error.partition(), 1);
        }
        let good = all.reports().filter(|ended| matches!(ended, Some(Ok(_))));
        assert_eq!(good.count(), 4);
    }

    #[test]
    fn iterators_know_how_many_are_left_and_give_each_handle_once() {
        let (_, _, all) = two_batches();
        let places = |handles: Vec<Delivery>| -> Vec<(i32, u32)> {
            handles
                .iter()
                .map(|d| (d.partition(), d.position().1))
                .collect()
        };
        let expected = places(all.iter().collect());
        let mut borrowed = (&all).into_iter();
        assert_eq!(borrowed.len(), 5);
        let first = borrowed.next().unwrap();
        assert_eq!((borrowed.len(), all.reports().len()), (4, 5));
        let rest: Vec<Delivery> = [first].into_iter().chain(borrowed).collect();
        assert_eq!(places(rest), expected);
        let owned = all.into_iter();
        assert_eq!(owned.len(), 5);
        assert_eq!(places(owned.collect()), expected);
    }

    #[test]
    fn handles_that_are_collected_in_any_order_are_all_waited_for() {
        let state = batch(0);
        let handle = |index| Delivery::new(state.clone(), index, 0);
        let all: Deliveries = [handle(2), handle(0)].into_iter().collect();
        state
            .resolve((1, 2), 3, delivered(1), &mut Vec::new())
            .unwrap();
        assert!(all.wait_timeout(Duration::ZERO).is_err());
        state.resolve((0, 1), 3, failed(), &mut Vec::new()).unwrap();
        assert!(all.wait().is_err());
    }

    #[test]
    fn what_is_added_after_the_end_is_waited_for_too() {
        let (one, two) = (batch(0), batch(1));
        let mut all: Deliveries = [Delivery::new(one.clone(), 0, 0)].into_iter().collect();
        one.resolve((0, 1), 3, delivered(0), &mut Vec::new())
            .unwrap();
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut all).poll(&mut context).is_ready());
        // Of a batch that was through, and of another one.
        all.extend([
            Delivery::new(one.clone(), 2, 0),
            Delivery::new(two.clone(), 0, 0),
        ]);
        two.resolve((0, 1), 1, delivered(0), &mut Vec::new())
            .unwrap();
        assert!(Pin::new(&mut all).poll(&mut context).is_pending());
        one.resolve((1, 2), 3, delivered(1), &mut Vec::new())
            .unwrap();
        assert!(Pin::new(&mut all).poll(&mut context).is_ready());
    }

    #[test]
    fn records_of_others_in_a_batch_do_not_count() {
        let state = batch(0);
        let mut all = Deliveries::default();
        for index in [0, 2] {
            all.push(Delivery::new(state.clone(), index, 0));
        }
        state
            .resolve((0, 1), 3, delivered(0), &mut Vec::new())
            .unwrap();
        state.resolve((1, 1), 3, failed(), &mut Vec::new()).unwrap();
        state
            .resolve((2, 1), 3, delivered(1), &mut Vec::new())
            .unwrap();
        all.wait().unwrap();
    }

    #[test]
    fn a_batch_that_was_not_seen_for_long_is_found_in_all_its_entries() {
        let states: Vec<_> = (0..3 * RECENT as i32).map(batch).collect();
        let mut all = Deliveries::default();
        for index in 0..2 {
            for state in &states {
                all.push(Delivery::new(state.clone(), index, 0));
            }
        }
        for (at, one) in all.iter().enumerate() {
            let expected = (at % states.len(), at / states.len());
            assert_eq!(
                (one.partition() as usize, one.position().1 as usize),
                expected
            );
        }
        for state in &states[1..] {
            state
                .resolve((0, 2), 2, delivered(0), &mut Vec::new())
                .unwrap();
        }
        states[0]
            .resolve((0, 1), 2, delivered(0), &mut Vec::new())
            .unwrap();
        assert!(all.wait_timeout(Duration::ZERO).is_err());
        states[0]
            .resolve((1, 1), 2, failed(), &mut Vec::new())
            .unwrap();
        assert!(all.wait().is_err());
    }
}
