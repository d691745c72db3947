//! Accepting many records with one handle: all are checked, then accepted in order, and those
//! that follow each other into one partition are appended under one lock.
//!
//! Whatever is unusual for a run sends its records through `append` one by one; the waits are in
//! `door`.

use std::sync::Arc;

use crate::accept::append::{AcceptProgress, Obstacle, accept_valid, add, choose, leave, topic};
use crate::accept::door::wait_for;
use crate::accept::validate;
use crate::delivery::deliveries::Deliveries;
use crate::delivery::many::{ProduceManyError, SendManyError};
use crate::error::delivery::DeliveryError;
use crate::error::send::{NotSent, SendError};
use crate::record::record::{NO_TIMESTAMP, Record, Target};
use crate::shared::shared::Shared;
use crate::topics::entry::TopicEntry;

/// Records that are appended under one lock: the I/O thread and other callers wait for it.
const RUN_MAX: usize = 64;

/// Records that share one reading of the clock; far less than its tick.
const CLOCK_EVERY: usize = 64;

/// Accepts records in order; all are checked before the first is accepted. In a callback that
/// `may_wait` not, the first that would have to wait is refused.
pub(crate) async fn accept_many(
    shared: &Arc<Shared>,
    records: &[Record<'_>],
    may_wait: bool,
) -> Result<Deliveries, SendManyError> {
    let mut accepted = Deliveries::default();
    for (at, record) in records.iter().enumerate() {
        if let Err(error) = check(shared, record) {
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
fn check(shared: &Shared, record: &Record<'_>) -> Result<(), SendError> {
    validate::record(record, shared).map_err(SendError::invalid)?;
    match record.topic.target() {
        Target::Known(topic) if topic.owner() == shared.id => Ok(()),
        _ => topic(shared, record.get_topic()).map(drop),
    }
}

async fn accept_in_order(
    shared: &Arc<Shared>,
    records: &[Record<'_>],
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
        append_run(shared, &records[at..], now, &mut progress, accepted);
        if accepted.len() > at {
            continue;
        }
        let delivery = match accept_valid(shared, record, &mut progress) {
            Ok(delivery) => delivery,
            Err(Obstacle::Refused(error)) => return Err(error),
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

/// Appends the first of these records and those that follow it into its partition, as far as
/// its open batch has room; none if anything is in the way.
fn append_run(
    shared: &Shared,
    records: &[Record<'_>],
    now: i64,
    progress: &mut AcceptProgress<'_>,
    accepted: &mut Deliveries,
) {
    let Some(first) = records.first() else { return };
    if shared.unusual.any() {
        return;
    }
    match first.topic.target() {
        Target::Known(topic) if topic.owner() == shared.id => {
            append_run_in(shared, topic, records, now, progress, accepted);
        }
        _ => {
            let run = |topic: &Arc<TopicEntry>| {
                append_run_in(shared, topic, records, now, progress, accepted);
            };
            let _ = shared.topics.with(first.get_topic(), run);
        }
    }
}

fn append_run_in(
    shared: &Shared,
    topic: &Arc<TopicEntry>,
    records: &[Record<'_>],
    now: i64,
    progress: &mut AcceptProgress<'_>,
    accepted: &mut Deliveries,
) {
    let Some(partition) = chosen(shared, topic, &records[0], progress) else {
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
    for record in records.iter().take(run_max) {
        if record.label.is_some() || !goes_to(record, topic) {
            break;
        }
        if chosen(shared, topic, record, progress) != Some(partition) {
            break;
        }
        let timestamp = if record.timestamp == NO_TIMESTAMP {
            now
        } else {
            record.timestamp
        };
        let Some(index) = add(&mut inner, record, timestamp, progress) else {
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
    record: &Record<'_>,
    progress: &mut AcceptProgress<'_>,
) -> Option<i32> {
    if progress.partition.is_none() {
        progress.partition = choose(shared, topic, record).ok();
    }
    progress.partition
}

fn goes_to(record: &Record<'_>, topic: &Arc<TopicEntry>) -> bool {
    match record.topic.target() {
        Target::Known(other) => Arc::ptr_eq(other, topic),
        Target::Name(name) => **name == **topic.name(),
    }
}
