//! Accepting a record, waiting included: what both facades and topic handles do.
//!
//! The door itself is in `append`, the waits in `wait`, many records in `many`.

use std::sync::Arc;

use crate::accept::answer::ask_again;
use crate::accept::append::{
    AcceptProgress, Obstacle, accept, choose_elsewhere, go_on, no_such_partition, topic,
};
use crate::accept::wait::{Deadline, WaitForMemory, WaitForTopic, over, topic_refused};
use crate::delivery::delivery::Delivery;
use crate::error::send::{NotSent, SendError};
use crate::record::record::{Addressed, Record, Target, TopicRef};
use crate::shared::shared::Shared;
use crate::sys::park;
use crate::topics::entry::TopicEntry;

/// Accepts a record on a thread that may block.
#[inline(always)]
pub(crate) fn accept_blocking(
    shared: &Arc<Shared>,
    record: Addressed<'_>,
) -> Result<Delivery, SendError> {
    let mut progress = AcceptProgress::new(shared);
    match accept(shared, record, &mut progress) {
        Ok(delivery) => Ok(delivery),
        Err(Obstacle::Refused(error)) => Err(error),
        Err(obstacle) => {
            let waited = park::block_on(wait_for(shared, record, progress, obstacle));
            waited.unwrap_or_else(|| Err(SendError::new(NotSent::InCallback)))
        }
    }
}

/// As [`wait_for`], with the record to keep.
pub(super) async fn wait_and_accept(
    shared: &Arc<Shared>,
    record: Record<'_>,
    progress: AcceptProgress<'_>,
    obstacle: Obstacle,
) -> Result<Delivery, SendError> {
    wait_for(shared, record.addressed(), progress, obstacle).await
}

/// Waits for what is in the way of a record, until it is accepted or refused.
pub(crate) async fn wait_for(
    shared: &Arc<Shared>,
    record: Addressed<'_>,
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
            Obstacle::Partition(topic) => {
                let asked = ask_again(shared, topic.clone(), deadline).await;
                if let Some(over) = over(shared).filter(|_| asked.is_err()) {
                    return Err(over);
                }
                // Whatever came of it: if it is there now, that is known.
                progress.has_asked = true;
                topic
            }
        };
        match go_on(shared, &topic, record, &mut progress) {
            Ok(delivery) => return Ok(delivery),
            Err(next) => obstacle = next,
        }
    }
}

/// Accepts a record now or not at all.
pub(crate) fn try_accept(
    shared: &Arc<Shared>,
    record: Addressed<'_>,
) -> Result<Delivery, SendError> {
    let mut progress = AcceptProgress::new(shared);
    match accept(shared, record, &mut progress) {
        Ok(delivery) => Ok(delivery),
        Err(Obstacle::Refused(error)) => Err(error),
        Err(Obstacle::Topic(topic)) => {
            shared.want_topic(&topic)?;
            if let Some(refusal) = topic.refused_lately(shared.clock.now()) {
                return Err(topic_refused(&topic, refusal));
            }
            Err(SendError::new(NotSent::NoMetadata))
        }
        Err(Obstacle::Partition(topic)) => Err(no_such_partition(
            shared,
            &topic,
            record.message,
            record.message.partition,
        )),
        Err(Obstacle::Memory(..)) => {
            let bound = shared.settings.names.bound;
            Err(SendError::new(NotSent::BufferFull(bound)))
        }
    }
}

/// Waits until a topic can be sent to.
pub(crate) async fn warm_up(
    shared: &Arc<Shared>,
    named: &TopicRef<'_>,
    deadline: Deadline,
) -> Result<Arc<TopicEntry>, SendError> {
    if shared.is_closing() {
        return Err(SendError::new(NotSent::Closed));
    }
    if shared.is_forked() {
        // Not what the parent knew: nothing can be sent there.
        return Err(SendError::new(NotSent::Forked));
    }
    let topic = match named.target() {
        Target::Known(topic) if topic.owner() == shared.id => Arc::clone(topic),
        _ => topic(shared, named.name())?,
    };
    if !topic.has_metadata() {
        WaitForTopic::new(shared, topic.clone(), deadline).await?;
    }
    Ok(topic)
}
