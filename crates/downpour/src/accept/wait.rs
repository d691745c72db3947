//! What a caller can wait for: metadata, memory, verdicts of many batches, the end.
//!
//! All of them are plain futures that leave a waker and take it back when they are dropped.
//! Deadlines are kept by the I/O thread, so that no executor's timer is needed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use downpour_core::callers::budget::WaitKey;
use downpour_core::callers::completion::WaiterKey;

use crate::delivery::batch_state::BatchState;
use crate::error::send::{SendError, SendTimeout, WaitedFor};
use crate::record::unfinished::Unfinished;
use crate::shared::shared::Shared;
use crate::shared::timers::TimerKey;
use crate::sys::wake;
use crate::topics::entry::{Metadata, MetadataWait, TopicEntry};

const MAX_BLOCK_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// `max_block` of one record, from its first wait on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    started: Instant,
    ends_at: Instant,
}

impl Deadline {
    pub(crate) fn new(shared: &Shared) -> Self {
        let started = Instant::now();
        Self {
            started,
            // Longer than that is for ever, and an instant has its limits, too.
            ends_at: started + shared.settings.max_block.min(MAX_BLOCK_MAX),
        }
    }
}

/// The deadline of one wait, with its timer.
struct DeadlineTimer<'a> {
    shared: &'a Arc<Shared>,
    deadline: Deadline,
    key: Option<TimerKey>,
}

impl DeadlineTimer<'_> {
    /// Whether to go on waiting; the timer is set if so.
    fn poll(
        &mut self,
        waited_for: WaitedFor,
        topic: &TopicEntry,
        waker: &Waker,
    ) -> Result<(), SendError> {
        if self.shared.is_closing() {
            return Err(SendError::Closed);
        }
        let ends_at = self.deadline.ends_at;
        let now = Instant::now();
        if now >= ends_at {
            return Err(SendError::Timeout(Box::new(SendTimeout {
                topic: topic.name().clone(),
                waited: now - self.deadline.started,
                waited_for,
                topic_code: topic.last_code(),
                unreachable: self.shared.unreachable(),
            })));
        }
        if self.shared.timers.set(&mut self.key, ends_at, waker) {
            self.shared.mailbox.wake();
        }
        // A close that came in between has drained the timers before this one was set.
        if self.shared.is_closing() {
            Err(SendError::Closed)
        } else {
            Ok(())
        }
    }
}

impl Drop for DeadlineTimer<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.shared.timers.cancel(key);
        }
    }
}

/// Waits for a topic's first metadata.
pub(crate) struct WaitForTopic<'a> {
    timer: DeadlineTimer<'a>,
    topic: Arc<TopicEntry>,
    wait: Option<MetadataWait>,
}

impl<'a> WaitForTopic<'a> {
    pub(crate) fn new(shared: &'a Arc<Shared>, topic: Arc<TopicEntry>, deadline: Deadline) -> Self {
        Self {
            timer: DeadlineTimer {
                shared,
                deadline,
                key: None,
            },
            topic,
            wait: None,
        }
    }
}

impl Future for WaitForTopic<'_> {
    type Output = Result<(), SendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let first = this.wait.is_none();
        match this.topic.poll_metadata(&mut this.wait, context.waker()) {
            Metadata::Ready => return Poll::Ready(Ok(())),
            Metadata::Refused(code) => {
                let topic = this.topic.name().clone();
                return Poll::Ready(Err(SendError::TopicUnavailable { topic, code }));
            }
            Metadata::Waiting => {}
        }
        if first {
            // After the waker was left, so that an answer cannot be missed.
            if let Err(error) = this.timer.shared.want_topic(&this.topic) {
                return Poll::Ready(Err(error));
            }
        }
        match this
            .timer
            .poll(WaitedFor::Metadata, &this.topic, context.waker())
        {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for WaitForTopic<'_> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait.take() {
            self.topic.forget(wait);
        }
    }
}

/// Waits in line for a chunk.
pub(crate) struct WaitForMemory<'a> {
    timer: DeadlineTimer<'a>,
    topic: Arc<TopicEntry>,
    bytes: usize,
    key: Option<WaitKey>,
}

impl<'a> WaitForMemory<'a> {
    pub(crate) fn new(
        shared: &'a Arc<Shared>,
        topic: Arc<TopicEntry>,
        bytes: usize,
        deadline: Deadline,
    ) -> Self {
        Self {
            timer: DeadlineTimer {
                shared,
                deadline,
                key: None,
            },
            topic,
            bytes,
            key: None,
        }
    }
}

impl Future for WaitForMemory<'_> {
    type Output = Result<Vec<u8>, SendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let shared = this.timer.shared;
        let first = this.key.is_none();
        if let Some(chunk) = shared
            .memory
            .poll_chunk(this.bytes, &mut this.key, context.waker())
        {
            return Poll::Ready(Ok(chunk));
        }
        if first {
            // Open batches count as ready while somebody waits.
            shared.mailbox.wake();
        }
        match this
            .timer
            .poll(WaitedFor::Memory, &this.topic, context.waker())
        {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for WaitForMemory<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let mut woken = Vec::new();
            self.timer.shared.memory.cancel(key, &mut woken);
            wake::wake_all(&mut woken);
        }
    }
}

/// Waits until every record of these batches has its verdict.
pub(crate) struct WaitForBatches {
    batches: Vec<Arc<BatchState>>,
    waiter: Option<WaiterKey>,
}

impl WaitForBatches {
    pub(crate) fn new(batches: Vec<Arc<BatchState>>) -> Self {
        Self {
            batches,
            waiter: None,
        }
    }
}

impl Future for WaitForBatches {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        while let Some(last) = this.batches.last() {
            if !last.poll_complete(&mut this.waiter, context.waker()) {
                return Poll::Pending;
            }
            this.batches.pop();
        }
        Poll::Ready(())
    }
}

impl Drop for WaitForBatches {
    fn drop(&mut self) {
        if let (Some(waiter), Some(last)) = (self.waiter.take(), self.batches.last()) {
            last.forget(waiter);
        }
    }
}

/// Waits for the producer's end.
pub(crate) struct WaitForTermination {
    shared: Arc<Shared>,
    key: Option<u64>,
}

impl WaitForTermination {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, key: None }
    }
}

impl Future for WaitForTermination {
    type Output = Unfinished;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Unfinished> {
        let this = self.get_mut();
        this.shared.termination.poll(&mut this.key, context.waker())
    }
}

impl Drop for WaitForTermination {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.shared.termination.forget(key);
        }
    }
}
