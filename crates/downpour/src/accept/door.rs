//! Accepting a record, waiting included: what both facades and topic handles do.
//!
//! The door itself is in `append`, the waits in `wait`, many records in `many`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::accept::append::{AcceptProgress, Obstacle, accept, choose_elsewhere, go_on, topic};
use crate::accept::wait::{Deadline, WaitForMemory, WaitForTopic};
use crate::delivery::delivery::Delivery;
use crate::error::send::{SendError, WaitedFor};
use crate::record::record::Record;
use crate::record::returned::TrySendError;
use crate::shared::shared::Shared;
use crate::sys::park;
use crate::topics::entry::TopicEntry;

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Delivery, SendError>> + Send + 'a>>;

/// Accepts a record, waiting for metadata and memory.
///
/// Written by hand because an async function would move the record twice more; only a record
/// that must wait gets a future on the heap.
pub(crate) struct Accept<'a> {
    shared: &'a Arc<Shared>,
    record: Option<Record<'a>>,
    waiting: Option<Waiting<'a>>,
}

impl<'a> Accept<'a> {
    #[inline]
    pub(crate) fn new(shared: &'a Arc<Shared>, record: Record<'a>) -> Self {
        Self {
            shared,
            record: Some(record),
            waiting: None,
        }
    }
}

impl Future for Accept<'_> {
    type Output = Result<Delivery, SendError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(record) = &this.record {
            let mut progress = AcceptProgress::new(this.shared);
            match accept(this.shared, record, &mut progress) {
                Ok(delivery) => {
                    this.record = None;
                    return Poll::Ready(Ok(delivery));
                }
                Err(Obstacle::Refused(error)) => {
                    this.record = None;
                    return Poll::Ready(Err(error));
                }
                Err(obstacle) => {
                    let Some(record) = this.record.take() else {
                        unreachable!("it was there just now")
                    };
                    let waiting = wait_and_accept(this.shared, record, progress, obstacle);
                    this.waiting = Some(Box::pin(waiting));
                }
            }
        }
        match &mut this.waiting {
            Some(waiting) => waiting.as_mut().poll(context),
            None => panic!("a send was polled after completion"),
        }
    }
}

/// The same for a thread that may block.
#[inline]
pub(crate) fn accept_blocking(
    shared: &Arc<Shared>,
    record: &Record<'_>,
) -> Result<Delivery, SendError> {
    let mut progress = AcceptProgress::new(shared);
    match accept(shared, record, &mut progress) {
        Ok(delivery) => Ok(delivery),
        Err(Obstacle::Refused(error)) => Err(error),
        Err(obstacle) => {
            let waited = park::block_on(wait_for(shared, record, progress, obstacle));
            waited.unwrap_or(Err(SendError::InCallback))
        }
    }
}

async fn wait_and_accept(
    shared: &Arc<Shared>,
    record: Record<'_>,
    progress: AcceptProgress<'_>,
    obstacle: Obstacle,
) -> Result<Delivery, SendError> {
    wait_for(shared, &record, progress, obstacle).await
}

/// Waits for what is in the way of a record, until it is accepted or refused.
pub(crate) async fn wait_for(
    shared: &Arc<Shared>,
    record: &Record<'_>,
    mut progress: AcceptProgress<'_>,
    mut obstacle: Obstacle,
) -> Result<Delivery, SendError> {
    let deadline = Deadline::new(shared);
    // Ends: each round waits for something that the deadline bounds.
    loop {
        let topic = match obstacle {
            Obstacle::Refused(error) => return Err(error),
            Obstacle::Topic(topic) => {
                WaitForTopic::new(shared, topic.clone(), deadline).await?;
                topic
            }
            Obstacle::Memory(topic, want) => {
                // Used or given back by the attempt, before anything can interrupt it.
                progress.chunk = WaitForMemory::new(shared, topic.clone(), want, deadline).await?;
                if progress.chunk.is_none() {
                    choose_elsewhere(&topic, want, &mut progress);
                }
                topic
            }
        };
        match go_on(shared, &topic, record, &mut progress) {
            Ok(delivery) => return Ok(delivery),
            Err(next) => obstacle = next,
        }
    }
}

/// Accepts a record now or gives it back.
#[expect(
    clippy::result_large_err,
    reason = "the record comes back as it was, unboxed"
)]
pub(crate) fn try_accept<'a>(
    shared: &Arc<Shared>,
    record: Record<'a>,
) -> Result<Delivery, TrySendError<'a>> {
    let mut progress = AcceptProgress::new(shared);
    let reason = match accept(shared, &record, &mut progress) {
        Ok(delivery) => return Ok(delivery),
        Err(Obstacle::Refused(error)) => error,
        Err(Obstacle::Topic(topic)) => match shared.want_topic(&topic) {
            Ok(()) => SendError::NotReady(WaitedFor::Metadata),
            Err(error) => error,
        },
        Err(Obstacle::Memory(..)) => SendError::NotReady(WaitedFor::Memory),
    };
    Err(TrySendError { record, reason })
}

/// Waits until a topic can be sent to.
pub(crate) async fn warm_up(
    shared: &Arc<Shared>,
    name: &str,
) -> Result<Arc<TopicEntry>, SendError> {
    if shared.is_closing() {
        return Err(SendError::Closed);
    }
    let topic = topic(shared, name)?;
    if !topic.has_metadata() {
        WaitForTopic::new(shared, topic.clone(), Deadline::new(shared)).await?;
    }
    Ok(topic)
}
