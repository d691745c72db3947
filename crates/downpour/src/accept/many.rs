//! Accepting many records with one handle: all are checked, then accepted in order, and those
//! that follow each other into one partition are appended under one lock.
//!
//! Whatever is unusual for a run sends its records through `append` one by one; the waits are in
//! `door`.

use std::sync::Arc;

use crate::accept::append::{
    AcceptProgress, Obstacle, accept_valid, add, choose, leave, no_such_partition, topic,
};
use crate::accept::door::wait_for;
use crate::accept::validate;
use crate::delivery::deliveries::Deliveries;
use crate::delivery::many::{ProduceManyError, SendManyError};
use crate::error::delivery::DeliveryError;
use crate::error::send::{NotSent, SendError};
use crate::record::message::{Message, NO_TIMESTAMP};
use crate::record::record::{Addressed, Many, Target, TopicRef};
use crate::shared::shared::Shared;
use crate::sys::{callback, park};
use crate::topics::entry::TopicEntry;

/// Records that are appended under one lock: the I/O thread and other callers wait for it.
const RUN_MAX: usize = 64;

/// Records that share one reading of the clock; far less than its tick.
const CLOCK_EVERY: usize = 64;

/// Accepts records in order; all are checked before the first is accepted. In a callback that
/// `may_wait` not, the first that would have to wait is refused.
pub(crate) async fn accept_many<'r>(
    shared: &Arc<Shared>,
    records: impl Many<'r>,
    may_wait: bool,
) -> Result<Deliveries, SendManyError> {
    let mut accepted = Deliveries::default();
    if shared.is_forked() {
        // A topic that is new would be noted under a lock.
        return Err(SendManyError::new(
            accepted,
            0,
            SendError::new(NotSent::Forked),
        ));
    }
    for at in 0..records.len() {
        let checked = records
            .get(at)
            .map_or(Ok(()), |record| check(shared, record));
        if let Err(error) = checked {
            return Err(SendManyError::new(accepted, at, error));
        }
    }
    match accept_in_order(shared, records, &mut accepted, may_wait).await {
        Ok(()) => Ok(accepted),
        Err(error) => {
            let at = accepted.len();
            Err(SendManyError::new(accepted, at, error))
        }
    }
}

/// The same on a thread that may block.
pub(crate) fn accept_many_blocking<'r>(
    shared: &Arc<Shared>,
    records: impl Many<'r>,
) -> Result<Deliveries, SendManyError> {
    let may_wait = !callback::is_running();
    match park::block_on(accept_many(shared, records, may_wait)) {
        Some(accepted) => accepted,
        None => unreachable!("in a callback it refuses what would have to wait"),
    }
}

/// Accepts many by `send`, and waits for their verdicts on a thread that may block.
pub(crate) fn wait_for_many(
    send: impl FnOnce() -> Result<Deliveries, SendManyError>,
) -> Result<Deliveries, ProduceManyError> {
    if callback::is_running() {
        let refused = SendManyError::new(
            Deliveries::default(),
            0,
            SendError::new(NotSent::InCallback),
        );
        return Err(refused.into());
    }
    let sent = send();
    // Whatever was accepted has its verdict by the time of the return.
    let ended = dispatched(&sent).wait();
    judge(sent, ended)
}

/// The handles of all that were accepted.
pub(crate) fn dispatched(sent: &Result<Deliveries, SendManyError>) -> &Deliveries {
    match sent {
        Ok(deliveries) => deliveries,
        Err(error) => error.dispatched(),
    }
}

/// What is said of a call once all that was accepted has its verdict; what that was is `ended`.
pub(crate) fn judge(
    sent: Result<Deliveries, SendManyError>,
    ended: Result<(), DeliveryError>,
) -> Result<Deliveries, ProduceManyError> {
    let deliveries = sent?;
    match ended {
        Ok(()) => Ok(deliveries),
        Err(error) => Err(ProduceManyError::undelivered(deliveries, error)),
    }
}

/// What is wrong with a record, as far as it can be known without metadata.
#[inline]
fn check(shared: &Shared, record: Addressed<'_>) -> Result<(), SendError> {
    validate::message(record.message, shared).map_err(SendError::invalid)?;
    match record.topic.target() {
        Target::Known(topic) if topic.owner() == shared.id => Ok(()),
        _ => topic(shared, record.topic.name()).map(drop),
    }
}

async fn accept_in_order<'r>(
    shared: &Arc<Shared>,
    records: impl Many<'r>,
    accepted: &mut Deliveries,
    may_wait: bool,
) -> Result<(), SendError> {
    let mut progress = AcceptProgress::new(shared);
    let (mut now, mut read_at) = (0, 0);
    while let Some(record) = records.get(accepted.len()) {
        let at = accepted.len();
        if at >= read_at {
            now = shared.clock.unix_millis();
            read_at = at + CLOCK_EVERY;
        }
        append_run(shared, (records, at), now, &mut progress, accepted);
        if accepted.len() > at {
            continue;
        }
        let delivery = match accept_valid(shared, record, &mut progress) {
            Ok(delivery) => delivery,
            Err(Obstacle::Refused(error)) => return Err(error),
            Err(Obstacle::Partition(topic)) if !may_wait => {
                let (message, named) = (record.message, record.message.partition);
                return Err(no_such_partition(shared, &topic, message, named));
            }
            Err(_) if !may_wait => return Err(SendError::new(NotSent::InCallback)),
            Err(obstacle) => {
                read_at = 0;
                wait_for(shared, record, progress, obstacle).await?
            }
        };
        progress = AcceptProgress::new(shared);
        accepted.push(delivery);
    }
    Ok(())
}

/// Appends the record at this place and those that follow it into its partition, as far as its open
/// batch has room; none if anything is in the way.
fn append_run<'r>(
    shared: &Shared,
    (records, at): (impl Many<'r>, usize),
    now: i64,
    progress: &mut AcceptProgress<'_>,
    accepted: &mut Deliveries,
) {
    let Some(first) = records.get(at) else { return };
    if shared.unusual.any() {
        return;
    }
    match first.topic.target() {
        Target::Known(topic) if topic.owner() == shared.id => {
            append_run_in(shared, topic, (records, at), now, progress, accepted);
        }
        _ => {
            let run = |topic: &Arc<TopicEntry>| {
                append_run_in(shared, topic, (records, at), now, progress, accepted);
            };
            let _ = shared.topics.with(first.topic.name(), run);
        }
    }
}

fn append_run_in<'r>(
    shared: &Shared,
    topic: &Arc<TopicEntry>,
    (records, at): (impl Many<'r>, usize),
    now: i64,
    progress: &mut AcceptProgress<'_>,
    accepted: &mut Deliveries,
) {
    let Some(first) = records.get(at) else { return };
    let Some(partition) = chosen(shared, topic, first.message, progress) else {
        return;
    };
    let Some(entry) = topic.partitions.get(partition) else {
        return;
    };
    let mut inner = entry.lock();
    // A partitioner of the caller's is foreign code, which may send, too: it is asked before the
    // lock is taken, and that was for the first.
    let run_max = match shared.settings.partitioner {
        None => RUN_MAX,
        Some(_) => 1,
    };
    for record in (at..at + run_max).map_while(|at| records.get(at)) {
        let message = record.message;
        if message.label.is_some() || !goes_to(record.topic, topic) {
            break;
        }
        if chosen(shared, topic, message, progress) != Some(partition) {
            break;
        }
        let timestamp = if message.timestamp == NO_TIMESTAMP {
            now
        } else {
            message.timestamp
        };
        let Some(index) = add(&mut inner, message, timestamp, progress) else {
            break;
        };
        // The next one chooses anew.
        progress.partition = None;
        if let Some(ticket) = inner.queue.open_ticket() {
            accepted.push_position(ticket, index, timestamp);
        }
        if inner.queue.is_full() {
            break;
        }
    }
    leave(shared, entry, inner, progress);
}

/// The record's partition; chosen once, for the choice counts bytes.
#[inline(always)]
fn chosen(
    shared: &Shared,
    topic: &TopicEntry,
    message: &Message<'_>,
    progress: &mut AcceptProgress<'_>,
) -> Option<i32> {
    if progress.partition.is_none() {
        progress.partition = choose(shared, topic, message).ok();
    }
    progress.partition
}

fn goes_to(named: &TopicRef<'_>, topic: &Arc<TopicEntry>) -> bool {
    match named.target() {
        Target::Known(other) => Arc::ptr_eq(other, topic),
        Target::Name(name) => **name == **topic.name(),
    }
}
