//! Accepting records, waiting included: what both facades and topic handles do.
//!
//! The attempt itself is in `send`, the waits in `waits`.

use std::sync::Arc;

use crate::deliveries::Deliveries;
use crate::delivery::Delivery;
use crate::error::{SendError, SendManyError, TrySendError, WaitedFor};
use crate::record::Record;
use crate::send::{Attempt, Progress, attempt, topic};
use crate::shared::Shared;
use crate::topic::TopicState;
use crate::validate;
use crate::waits::{ForMemory, ForTopic, Patience};

/// Accepts a record, waiting for metadata and memory.
#[inline]
pub(crate) async fn accept(
    shared: &Arc<Shared>,
    record: &Record<'_>,
) -> Result<Delivery, SendError> {
    let mut progress = Progress::default();
    match attempt(shared, record, &mut progress) {
        Attempt::Accepted(delivery) => Ok(delivery),
        Attempt::Refused(error) => Err(error),
        obstacle => wait_and_accept(shared, record, progress, obstacle).await,
    }
}

async fn wait_and_accept(
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
    let reason = match attempt(shared, &record, &mut Progress::default()) {
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

/// What is wrong with a record, as far as it can be known without metadata.
fn check(shared: &Shared, record: &Record<'_>) -> Result<(), SendError> {
    validate::record(record, shared.settings.core.batch_max)?;
    topic(shared, record.topic()).map(drop)
}

/// Accepts records in order; all are checked before the first is accepted.
pub(crate) async fn accept_many<'a>(
    shared: &Arc<Shared>,
    mut records: Vec<Record<'a>>,
) -> Result<Deliveries, SendManyError<'a>> {
    let mut accepted = Deliveries::default();
    for (at, record) in records.iter().enumerate() {
        if let Err(reason) = check(shared, record) {
            return Err(SendManyError::new(accepted, records, at, reason));
        }
    }
    let mut refused = None;
    for record in &records {
        match accept(shared, record).await {
            Ok(delivery) => accepted.push(delivery),
            Err(reason) => {
                refused = Some(reason);
                break;
            }
        }
    }
    match refused {
        None => Ok(accepted),
        Some(reason) => {
            let rest = records.split_off(accepted.len());
            Err(SendManyError::new(accepted, rest, 0, reason))
        }
    }
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
    if topic.table().is_none() {
        ForTopic::new(shared, topic.clone(), Patience::new(shared)).await?;
    }
    Ok(topic)
}
