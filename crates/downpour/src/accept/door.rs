//! Accepting a record, waiting included: what both facades and topic handles do.
//!
//! The attempt itself is in `append`, the waits in `wait`, many records in `many`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::accept::append::{Attempt, Progress, attempt, in_place, topic};
use crate::accept::wait::{ForMemory, ForTopic, Patience};
use crate::delivery::delivery::Delivery;
use crate::error::send::{SendError, WaitedFor};
use crate::record::record::Record;
use crate::record::returned::TrySendError;
use crate::shared::shared::Shared;
use crate::sys::park;
use crate::topics::entry::TopicState;

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
            let mut progress = Progress::default();
            if let Some(delivery) = in_place(this.shared, record, &mut progress) {
                this.record = None;
                return Poll::Ready(Ok(delivery));
            }
            match attempt(this.shared, record, &mut progress) {
                Attempt::Accepted(delivery) => {
                    this.record = None;
                    return Poll::Ready(Ok(delivery));
                }
                Attempt::Refused(error) => {
                    this.record = None;
                    return Poll::Ready(Err(error));
                }
                obstacle => {
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
    let mut progress = Progress::default();
    if let Some(delivery) = in_place(shared, record, &mut progress) {
        return Ok(delivery);
    }
    match attempt(shared, record, &mut progress) {
        Attempt::Accepted(delivery) => Ok(delivery),
        Attempt::Refused(error) => Err(error),
        obstacle => park::block_on(wait_for(shared, record, progress, obstacle)),
    }
}

async fn wait_and_accept(
    shared: &Arc<Shared>,
    record: Record<'_>,
    progress: Progress,
    obstacle: Attempt,
) -> Result<Delivery, SendError> {
    wait_for(shared, &record, progress, obstacle).await
}

/// Waits for what is in the way of a record, until it is accepted or refused.
pub(crate) async fn wait_for(
    shared: &Arc<Shared>,
    record: &Record<'_>,
    mut progress: Progress,
    mut obstacle: Attempt,
) -> Result<Delivery, SendError> {
    let patience = Patience::new(shared);
    // Ends: each round waits for something that the deadline bounds.
    loop {
        match obstacle {
            Attempt::Accepted(delivery) => return Ok(delivery),
            Attempt::Refused(error) => return Err(error),
            Attempt::NeedTopic(topic) => ForTopic::new(shared, topic, patience).await?,
            Attempt::NeedMemory(bytes) => {
                let topic = topic(shared, record.topic())?;
                let chunk = ForMemory::new(shared, topic, bytes, patience).await?;
                // Used or given back by the attempt, before anything can interrupt it.
                progress.chunk = Some(chunk);
            }
        }
        obstacle = attempt(shared, record, &mut progress);
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
    let mut progress = Progress::default();
    if let Some(delivery) = in_place(shared, &record, &mut progress) {
        return Ok(delivery);
    }
    let reason = match attempt(shared, &record, &mut progress) {
        Attempt::Accepted(delivery) => return Ok(delivery),
        Attempt::Refused(error) => error,
        Attempt::NeedTopic(topic) => match shared.want_topic(&topic) {
            Ok(()) => SendError::NotReady(WaitedFor::Metadata),
            Err(error) => error,
        },
        Attempt::NeedMemory(_) => SendError::NotReady(WaitedFor::Memory),
    };
    Err(TrySendError { record, reason })
}

/// Waits until a topic can be sent to.
pub(crate) async fn warm_up(
    shared: &Arc<Shared>,
    name: &str,
) -> Result<Arc<TopicState>, SendError> {
    if shared.is_closing() {
        return Err(SendError::Closed);
    }
    let topic = topic(shared, name)?;
    if !topic.is_ready() {
        ForTopic::new(shared, topic.clone(), Patience::new(shared)).await?;
    }
    Ok(topic)
}
