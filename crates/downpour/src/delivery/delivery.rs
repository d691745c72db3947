//! The handle of one accepted record: a future, and something to wait on from any thread.
//!
//! Dropping a handle cancels nothing. The handle of many records is in `deliveries`.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use downpour_core::callers::completion::WaiterKey;

use crate::delivery::batch_state::{BatchState, End};
use crate::delivery::report::Report;
use crate::error::delivery::{DeliveryError, WaitTimeout};
use crate::sys::{park, spin};

/// The handle of an accepted record.
///
/// Awaiting it means acknowledged; any executor will do, and with [`wait`](Self::wait) none is
/// needed. However it is asked, the answer is a `Result<Report, DeliveryError>`. It may be awaited
/// or asked again after its end (`(&mut delivery).await`), cloned, and sent to other threads.
/// Dropping it cancels nothing: the record stays on its way.
///
/// # Cancel safety
/// Safe: dropping a wait leaves the record on its way, and any clone usable.
#[must_use = "a record that was accepted is not delivered yet"]
pub struct Delivery {
    state: Arc<BatchState>,
    index: u32,
    timestamp: i64,
    waiter: Option<WaiterKey>,
}

impl Delivery {
    #[inline]
    pub(crate) fn new(state: Arc<BatchState>, index: u32, timestamp: i64) -> Self {
        Self {
            state,
            index,
            timestamp,
            waiter: None,
        }
    }

    pub(crate) fn position(&self) -> (&Arc<BatchState>, u32, i64) {
        (&self.state, self.index, self.timestamp)
    }

    /// Topic of the record.
    pub fn topic(&self) -> &str {
        self.state.topic()
    }

    /// The partition that it goes to.
    pub fn partition(&self) -> i32 {
        self.state.partition()
    }

    /// The timestamp that it was given, in milliseconds since 1970.
    pub fn timestamp_ms(&self) -> i64 {
        self.timestamp
    }

    /// What the caller put beside the record; `None` if that was nothing, or something of another
    /// type.
    pub fn label<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.state.label(self.index)?.downcast().ok()
    }

    /// Whether the record has no verdict yet.
    pub fn is_pending(&self) -> bool {
        self.try_report().is_none()
    }

    /// How the record ended, without waiting; `None` if it has no verdict yet.
    pub fn try_report(&self) -> Option<Result<Report, DeliveryError>> {
        self.state.end(self.index, self.timestamp)
    }

    /// Blocks this thread until the record has its verdict, which the delivery timeout bounds.
    ///
    /// Not for use on an executor's thread; await the handle there.
    ///
    /// # Errors
    /// The [`DeliveryError`] of a record that was not acknowledged. In a waker or a log subscriber
    /// that the producer calls, where nobody may wait: [`ErrorKind::InCallback`](crate::ErrorKind::InCallback), if
    /// there is no verdict yet.
    #[inline]
    pub fn wait(&self) -> Result<Report, DeliveryError> {
        match self.state.published_report(self.index, self.timestamp) {
            Some(report) => Ok(report),
            None => self.wait_unpublished(),
        }
    }

    #[cold]
    fn wait_unpublished(&self) -> Result<Report, DeliveryError> {
        let ended = self.try_report();
        let ended = ended.or_else(|| park::block_on(self.clone()));
        ended.unwrap_or_else(|| Err(self.state.in_callback()))
    }

    /// [`wait`](Self::wait) for a record that this thread has sent just now.
    pub(crate) fn wait_at_once(&self) -> Result<Report, DeliveryError> {
        // The first of its batch has no company, so that nobody else needs this processor.
        if self.index == 0 {
            let look = || self.state.published_report(self.index, self.timestamp);
            if let Some(report) = spin::spin(look) {
                return Ok(report);
            }
        }
        self.wait()
    }

    /// Blocks this thread until the record has its verdict or the time is over. May be called
    /// again after a timeout, and from several threads at once.
    ///
    /// # Errors
    /// [`WaitTimeout`] if there is no verdict yet, at once in a waker that the producer calls;
    /// inside, as with [`wait`](Self::wait).
    pub fn wait_timeout(
        &self,
        time: Duration,
    ) -> Result<Result<Report, DeliveryError>, WaitTimeout> {
        let deadline = Instant::now().checked_add(time);
        park::block_on_until(self.clone(), deadline).map_err(|why| WaitTimeout::new(time, why))
    }

    fn poll_unpublished(&mut self, context: &Context<'_>) -> Poll<End> {
        match self.state.poll(
            self.index,
            self.timestamp,
            &mut self.waiter,
            context.waker(),
        ) {
            Some(end) => Poll::Ready(end),
            None => Poll::Pending,
        }
    }
}

impl Future for Delivery {
    type Output = Result<Report, DeliveryError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(report) = self.state.published_report(self.index, self.timestamp) {
            // Whoever published the batch took its waiters out.
            self.waiter = None;
            return Poll::Ready(Ok(report));
        }
        self.poll_unpublished(context)
    }
}

impl Clone for Delivery {
    fn clone(&self) -> Self {
        Self::new(self.state.clone(), self.index, self.timestamp)
    }
}

impl Drop for Delivery {
    #[inline]
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            self.state.forget(waiter);
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("topic", &self.topic())
            .field("partition", &self.partition())
            .field("report", &self.try_report())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::fixtures::{batch, delivered};
    use crate::sys::wake;

    fn handle() -> (Arc<BatchState>, Delivery) {
        let state = batch(0);
        (state.clone(), Delivery::new(state, 2, 0))
    }

    #[test]
    fn a_wait_may_be_repeated_after_it_timed_out() {
        let (state, delivery) = handle();
        assert!(delivery.wait_timeout(Duration::from_millis(1)).is_err());
        state
            .resolve((0, 3), 3, delivered(10), &mut Vec::new())
            .unwrap();
        for _ in 0..2 {
            let report = delivery.wait_timeout(Duration::ZERO).unwrap().unwrap();
            assert_eq!(report.offset(), Some(12));
        }
        assert!(!delivery.is_pending());
    }

    #[test]
    fn several_threads_wait_on_one_handle() {
        let (state, delivery) = handle();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let delivery = delivery.clone();
                std::thread::spawn(move || delivery.wait().unwrap().offset())
            })
            .collect();
        // Nothing tells that a thread is asleep; one that comes late finds its verdict there.
        std::thread::sleep(Duration::from_millis(5));
        let mut woken = Vec::new();
        state.resolve((0, 3), 3, delivered(10), &mut woken).unwrap();
        wake::wake_all(&mut woken);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Some(12));
        }
    }

    #[test]
    fn a_dropped_wait_takes_its_waker_back() {
        let (state, mut delivery) = handle();
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut delivery).poll(&mut context).is_pending());
        drop(delivery);
        let mut woken = Vec::new();
        state.resolve((0, 3), 3, delivered(10), &mut woken).unwrap();
        assert!(woken.is_empty());
    }
}
