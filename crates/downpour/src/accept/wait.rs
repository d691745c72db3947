//! What a caller can wait for: metadata, memory, verdicts of many batches, the end.
//!
//! All of them are plain futures that leave a waker and take it back when they are dropped.
//! Deadlines are kept by the I/O thread, so that no executor's timer is needed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use downpour_core::callers::budget::WaitKey;
use downpour_core::callers::completion::WaiterKey;
use downpour_core::ids::MemoryLine;
use downpour_core::queue::{Chunk, ChunkNeed};

use crate::delivery::batch_state::BatchState;
use crate::error::send::{NotSent, SendError, SendTimeout, TopicUnavailable, WaitedFor};
use crate::record::unfinished::Unfinished;
use crate::shared::shared::Shared;
use crate::shared::timers::TimerKey;
use crate::sys::wake;
use crate::sys::waker_set::WakerKey;
use crate::topics::entry::{Metadata, MetadataWait, Refusal, TopicEntry};

/// When the waits of one record are over: all of them share `max_block`, from the first one on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    started: Instant,
    ends_at: Instant,
}

impl Deadline {
    pub(crate) fn new(shared: &Shared) -> Self {
        let started = shared.clock.now();
        Self {
            started,
            // Cannot overflow: the configuration bounds it.
            ends_at: started + shared.settings.max_block,
        }
    }

    /// What is said where the cluster was asked in vain at each address, before the deadline.
    pub(super) fn nobody_there(self, shared: &Shared) -> SendError {
        let mut error = self.timeout(shared, WaitedFor::Cluster, None);
        error.early = true;
        SendError::new(NotSent::Timeout(Box::new(error)))
    }

    fn timeout(
        self,
        shared: &Shared,
        waited_for: WaitedFor,
        topic: Option<&TopicEntry>,
    ) -> SendTimeout {
        let now = shared.clock.now();
        SendTimeout {
            topic: topic.map_or_else(|| Arc::from(""), |topic| topic.name().clone()),
            waited: now - self.started,
            early: false,
            waited_for,
            topic_code: topic.and_then(TopicEntry::last_code),
            unreachable: {
                let with_untold = waited_for != WaitedFor::Memory;
                shared.unreachable(with_untold, now)
            },
            no_answer: match waited_for {
                WaitedFor::Metadata | WaitedFor::Cluster => shared.no_answer(),
                WaitedFor::Memory => None,
            },
            memory: match waited_for {
                WaitedFor::Memory => shared.memory_holders(),
                WaitedFor::Metadata | WaitedFor::Cluster => Vec::new(),
            },
            needed: 0,
            buffer_memory: shared.memory.capacity(),
            record_share: shared.settings.core.record_share,
            names: shared.settings.names,
        }
    }
}

/// Ends a wait at its deadline, or when the producer closes.
pub(super) struct DeadlineTimer<'a> {
    shared: &'a Arc<Shared>,
    deadline: Deadline,
    /// Bytes of memory that are waited for, if any are.
    needed: usize,
    key: Option<TimerKey>,
}

impl<'a> DeadlineTimer<'a> {
    pub(super) fn new(shared: &'a Arc<Shared>, deadline: Deadline) -> Self {
        Self {
            shared,
            deadline,
            needed: 0,
            key: None,
        }
    }

    pub(super) fn shared(&self) -> &'a Arc<Shared> {
        self.shared
    }

    /// Goes on waiting, with a timer set, or says why not. A topic that is waited for is named.
    pub(super) fn guard<T>(
        &mut self,
        waited_for: WaitedFor,
        topic: Option<&TopicEntry>,
        waker: &Waker,
    ) -> Poll<Result<T, SendError>> {
        if let Some(over) = over(self.shared) {
            return Poll::Ready(Err(over));
        }
        let ends_at = self.deadline.ends_at;
        if self.shared.clock.now() >= ends_at {
            let mut timeout = self.deadline.timeout(self.shared, waited_for, topic);
            timeout.needed = self.needed;
            let why = NotSent::Timeout(Box::new(timeout));
            return Poll::Ready(Err(SendError::new(why)));
        }
        if self.shared.timers.set(&mut self.key, ends_at, waker) {
            // The I/O thread keeps the timers, and sleeps longer than this one.
            self.shared.mailbox.wake();
        }
        // A close drains the timers, after it has said that it closes. It came in between: this
        // timer was set after the drain, and nobody would look at it any more.
        if self.shared.is_closing() {
            return Poll::Ready(Err(SendError::new(NotSent::Closed)));
        }
        Poll::Pending
    }
}

/// Why nobody waits any more, if the producer is closing or this process is a forked child: there
/// locks may be held by threads that it does not have, so that it is asked before each.
pub(super) fn over(shared: &Shared) -> Option<SendError> {
    if shared.is_forked() {
        return Some(SendError::new(NotSent::Forked));
    }
    shared.is_closing().then(|| SendError::new(NotSent::Closed))
}

impl Drop for DeadlineTimer<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take().filter(|_| !self.shared.is_forked()) {
            self.shared.timers.cancel(key);
        }
    }
}

/// What a caller gets whose topic was refused.
pub(crate) fn topic_refused(topic: &TopicEntry, refusal: Refusal) -> SendError {
    SendError::new(NotSent::TopicUnavailable(Box::new(TopicUnavailable {
        topic: topic.name().clone(),
        code: refusal.code,
        missing_for: refusal.missing_for,
    })))
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
            timer: DeadlineTimer::new(shared, deadline),
            topic,
            wait: None,
        }
    }
}

impl Future for WaitForTopic<'_> {
    type Output = Result<(), SendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.timer.shared.is_forked() {
            return Poll::Ready(Err(SendError::new(NotSent::Forked)));
        }
        let first = this.wait.is_none();
        match this.topic.poll_metadata(&mut this.wait, context.waker()) {
            Metadata::Ready => return Poll::Ready(Ok(())),
            Metadata::Refused(refusal) => {
                return Poll::Ready(Err(topic_refused(&this.topic, refusal)));
            }
            Metadata::Waiting => {}
        }
        if first {
            // Asked for after the waker was left, so that no answer can come before it.
            if let Err(error) = this.timer.shared.want_topic(&this.topic) {
                return Poll::Ready(Err(error));
            }
        }
        this.timer
            .guard(WaitedFor::Metadata, Some(&this.topic), context.waker())
    }
}

impl Drop for WaitForTopic<'_> {
    fn drop(&mut self) {
        let wait = self.wait.take();
        if let Some(wait) = wait.filter(|_| !self.timer.shared.is_forked()) {
            self.topic.forget(wait);
        }
    }
}

/// Waits for a chunk of `buffer_memory` in the line of its partition's leader: first come, first
/// served. `None` if it waits for the wrong thing meanwhile: the partition has another leader, or
/// its broker is silent and the record may go elsewhere.
///
/// A grant is made while its caller sleeps, and is that caller's from then on. In time:
///
/// 1. A record that needs 16 KiB waits, then one that needs 1 KiB joins the line.
/// 2. 4 KiB come back. They would do for the second; they are kept for the first, as large
///    records would starve otherwise.
/// 3. 12 KiB more come back. The first is granted its 16 KiB, and its task is woken.
/// 4. Before that task runs, its future is dropped. `drop` gives the place in line up and the
///    grant with it, which then goes on to the second. Without that, 16 KiB would be lent to
///    nobody for good.
pub(crate) struct WaitForMemory<'a> {
    timer: DeadlineTimer<'a>,
    topic: Arc<TopicEntry>,
    want: Want,
    key: Option<WaitKey>,
}

/// A chunk that a record needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Want {
    pub(super) need: ChunkNeed,
    pub(super) partition: i32,
    /// Where the partition's memory was lent when the record came to it.
    pub(super) line: MemoryLine,
    /// Any other partition would do as well.
    pub(super) is_free: bool,
}

impl<'a> WaitForMemory<'a> {
    pub(crate) fn new(
        shared: &'a Arc<Shared>,
        topic: Arc<TopicEntry>,
        want: Want,
        deadline: Deadline,
    ) -> Self {
        let mut timer = DeadlineTimer::new(shared, deadline);
        timer.needed = want.need.memory.next_power_of_two().max(want.need.credit);
        Self {
            timer,
            topic,
            want,
            key: None,
        }
    }

    fn is_wrong_here(&self) -> bool {
        let Want {
            partition, line, ..
        } = self.want;
        let entry = self.topic.partitions.get(partition);
        let has_moved = entry.is_some_and(|entry| entry.lock().queue.line() != line);
        has_moved || (self.want.is_free && self.topic.avoids(partition))
    }
}

impl Future for WaitForMemory<'_> {
    type Output = Result<Option<Chunk>, SendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let shared = this.timer.shared;
        if shared.is_forked() {
            return Poll::Ready(Err(SendError::new(NotSent::Forked)));
        }
        let first = this.key.is_none();
        let Want { line, need, .. } = this.want;
        let memory = &shared.memory;
        if let Some(chunk) = memory.poll_chunk(line, need, &mut this.key, context.waker()) {
            return Poll::Ready(Ok(Some(chunk)));
        }
        // After the waker was left, so that no change can slip in between.
        if this.is_wrong_here() {
            return Poll::Ready(Ok(None));
        }
        if first {
            // The I/O thread must hear of the want: while somebody waits, open batches leave
            // whether they are full or not.
            shared.mailbox.wake();
        }
        this.timer
            .guard(WaitedFor::Memory, Some(&this.topic), context.waker())
    }
}

impl Drop for WaitForMemory<'_> {
    fn drop(&mut self) {
        let key = self.key.take();
        if let Some(key) = key.filter(|_| !self.timer.shared.is_forked()) {
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
    key: Option<WakerKey>,
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
        if this.shared.is_forked() {
            return Poll::Ready(Unfinished::default());
        }
        this.shared.termination.poll(&mut this.key, context.waker())
    }
}

impl Drop for WaitForTermination {
    fn drop(&mut self) {
        let key = self.key.take();
        if let Some(key) = key.filter(|_| !self.shared.is_forked()) {
            self.shared.termination.forget(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::config::partial::PartialConfig;
    use crate::config::resolve;
    use crate::error::kind::ErrorKind;
    use crate::sys::clock::Clock;
    use crate::sys::lock::counted;

    /// Locks may be held there by threads that it does not have.
    #[test]
    fn in_a_forked_child_no_wait_takes_a_lock() {
        let settings = resolve::settings(PartialConfig::of("one:1")).unwrap();
        let shared = Shared::new(
            settings,
            Clock::default(),
            Box::new(|_| Ok(Box::new(|| false))),
        );
        let topic = shared.topics.add("t").unwrap();
        let line = MemoryLine(None);
        let lent = shared.memory.try_chunk(line, shared.memory.capacity());
        let need = ChunkNeed {
            memory: 1,
            credit: 1,
        };
        let want = Want {
            need,
            partition: 0,
            line,
            is_free: false,
        };
        let deadline = Deadline::new(&shared);
        let mut context = Context::from_waker(Waker::noop());
        let mut begun = || {
            let mut for_topic = WaitForTopic::new(&shared, topic.clone(), deadline);
            let mut for_memory = WaitForMemory::new(&shared, topic.clone(), want, deadline);
            let mut for_end = WaitForTermination::new(shared.clone());
            assert!(Pin::new(&mut for_topic).poll(&mut context).is_pending());
            assert!(Pin::new(&mut for_memory).poll(&mut context).is_pending());
            assert!(Pin::new(&mut for_end).poll(&mut context).is_pending());
            (for_topic, for_memory, for_end)
        };
        let dropped = begun();
        let (mut for_topic, mut for_memory, mut for_end) = begun();
        shared.unusual.pretend_fork();
        let taken = counted::taken(|| {
            drop(dropped);
            let ended = Pin::new(&mut for_topic).poll(&mut context);
            assert!(matches!(ended, Poll::Ready(Err(e)) if e.kind() == ErrorKind::Forked));
            let ended = Pin::new(&mut for_memory).poll(&mut context);
            assert!(matches!(ended, Poll::Ready(Err(e)) if e.kind() == ErrorKind::Forked));
            assert!(Pin::new(&mut for_end).poll(&mut context).is_ready());
            drop((for_topic, for_memory, for_end));
        });
        assert_eq!(taken, 0);
        drop(lent);
    }
}
