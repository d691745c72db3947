//! The caller's path: validate, topic, partition, reserve, lock, append, handle.
//!
//! Per record nothing is allocated, no channel is used, no precise clock read and nobody
//! woken; all of that happens at most once per batch. Waiting is in `wait`.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use downpour_core::callers::partitioner::{Choice, Partitioner, murmur2};
use downpour_core::queue::Append;
use downpour_core::seal::{SealJob, Sealed};
use downpour_wire::batch::BatchBuilder;
use downpour_wire::codec::Compressor;
use downpour_wire::record::RecordRef;

use crate::accept::validate;
use crate::delivery::batch_state::BatchState;
use crate::delivery::delivery::Delivery;
use crate::error::record::{Field, InvalidRecord};
use crate::error::send::SendError;
use crate::record::part::Part;
use crate::record::record::{NO_PARTITION, NO_TIMESTAMP, Record, Target};
use crate::shared::shared::Shared;
use crate::sys::clock;
use crate::sys::wake;
use crate::topics::entry::TopicEntry;
use crate::topics::partitions::PartitionEntry;

/// Tries for a chunk before its caller queues up for one: others may fill what it brings.
const TRIES: usize = 16;

thread_local! {
    /// Contexts of codecs are large and used again.
    static COMPRESSOR: RefCell<Compressor> = RefCell::new(Compressor::new());
}

/// What a record keeps over several attempts, so that waiting changes neither.
#[derive(Debug, Default)]
pub(crate) struct AcceptProgress {
    pub(super) partition: Option<i32>,
    /// A chunk that was waited for; its credit is this record's until the next attempt.
    pub(super) chunk: Option<Vec<u8>>,
}

/// What came of an attempt to accept a record.
pub(crate) enum AcceptStep {
    Accepted(Delivery),
    /// Its topic has no metadata yet.
    NeedTopic(Arc<TopicEntry>),
    /// There is no memory for a chunk of so many bytes.
    NeedMemory(usize),
    Refused(SendError),
}

/// Accepts a record if its batch is open and has room: the path that nearly all take, all in
/// one piece so that nothing of it passes through memory. `None` if anything is in the way;
/// [`step`] finds out what and deals with it.
#[inline]
pub(crate) fn in_place(
    shared: &Shared,
    record: &Record<'_>,
    progress: &mut AcceptProgress,
) -> Option<Delivery> {
    if shared.is_forked()
        || shared.is_closing()
        || shared.memory.is_contended()
        || record.label.is_some()
        || validate::record(record, shared.settings.core.batch_max).is_err()
    {
        return None;
    }
    match record.topic.target() {
        Target::Known(topic) if topic.owner() == shared.id => {
            in_place_in(shared, topic, record, progress)
        }
        _ => in_place_named(shared, record, progress),
    }
}

#[inline(never)]
fn in_place_named(
    shared: &Shared,
    record: &Record<'_>,
    progress: &mut AcceptProgress,
) -> Option<Delivery> {
    let append = |topic: &Arc<TopicEntry>| in_place_in(shared, topic, record, progress);
    shared.topics.with(record.topic(), append)?
}

#[inline(always)]
fn in_place_in(
    shared: &Shared,
    topic: &TopicEntry,
    record: &Record<'_>,
    progress: &mut AcceptProgress,
) -> Option<Delivery> {
    let partition = choose(shared, topic, record).ok()?;
    // Chosen once: the choice counts bytes.
    progress.partition = Some(partition);
    let entry = topic.partitions.get(partition)?;
    let timestamp = timestamp(record);
    let reference = reference(record, timestamp);
    let mut inner = entry.lock();
    if inner.closed {
        return None;
    }
    let options = &shared.settings.options;
    let index = inner.queue.append_to_open(&reference, options)?;
    let ticket = inner.queue.open_ticket()?.clone();
    if inner.queue.is_full() {
        let (notify, job) = inner.queue.close_full();
        drop(inner);
        after_append(shared, entry, notify, true, job, progress);
    }
    Some(Delivery::new(ticket, index, timestamp))
}

/// Accepts a record, or says what stands in the way.
#[inline]
pub(crate) fn step(
    shared: &Arc<Shared>,
    record: &Record<'_>,
    progress: &mut AcceptProgress,
) -> AcceptStep {
    if shared.is_forked() {
        // Its locks may be held by threads that this process does not have.
        return AcceptStep::Refused(SendError::Forked);
    }
    if shared.is_closing() {
        return refuse(shared, progress, SendError::Closed);
    }
    if let Err(invalid) = validate::record(record, shared.settings.core.batch_max) {
        return AcceptStep::Refused(invalid.into());
    }
    let name = match record.topic.target() {
        Target::Known(topic) if topic.owner() == shared.id => {
            return step_in(shared, topic, record, progress);
        }
        Target::Known(topic) => &**topic.name(),
        Target::Name(name) => &**name,
    };
    match shared
        .topics
        .with(name, |topic| step_in(shared, topic, record, progress))
    {
        Some(step) => step,
        None => intern(shared, name),
    }
}

#[cold]
fn refuse(shared: &Shared, progress: &mut AcceptProgress, error: SendError) -> AcceptStep {
    if let Some(chunk) = progress.chunk.take() {
        shared.give_back(chunk);
    }
    AcceptStep::Refused(error)
}

#[cold]
fn intern(shared: &Shared, name: &str) -> AcceptStep {
    match topic(shared, name) {
        Ok(topic) => AcceptStep::NeedTopic(topic),
        Err(error) => AcceptStep::Refused(error),
    }
}

/// The topic of this name, new ones checked and added.
pub(crate) fn topic(shared: &Shared, name: &str) -> Result<Arc<TopicEntry>, SendError> {
    if let Some(known) = shared.topics.with(name, Arc::clone) {
        return Ok(known);
    }
    validate::topic_name(name)?;
    let added = shared.topics.add(name);
    added.ok_or_else(|| {
        InvalidRecord::new(
            Field::Topic,
            format!("{name:?} would be one topic too many"),
            "a producer knows 200,000 topics at most; use another one for the rest",
        )
        .into()
    })
}

fn step_in(
    shared: &Arc<Shared>,
    topic: &Arc<TopicEntry>,
    record: &Record<'_>,
    progress: &mut AcceptProgress,
) -> AcceptStep {
    let chosen = match progress.partition {
        Some(partition) => Ok(partition),
        None => choose(shared, topic, record),
    };
    let partition = match chosen {
        Ok(partition) => partition,
        Err(_) if !topic.is_ready() => return AcceptStep::NeedTopic(topic.clone()),
        Err(error) => return refuse(shared, progress, error),
    };
    let Some(entry) = topic.partitions.get(partition) else {
        if !topic.is_ready() {
            return AcceptStep::NeedTopic(topic.clone());
        }
        let error = no_such_partition(shared, topic, partition);
        return refuse(shared, progress, error);
    };
    append(shared, topic, entry, record, progress)
}

#[inline]
pub(crate) fn choose(
    shared: &Shared,
    topic: &TopicEntry,
    record: &Record<'_>,
) -> Result<i32, SendError> {
    if record.partition != NO_PARTITION {
        return Ok(record.partition);
    }
    let key = record
        .partition_key
        .as_ref()
        .or(record.key.as_ref())
        .map(Part::as_bytes);
    let count = topic.partitions.count();
    let choice = match (&shared.settings.partitioner, key) {
        _ if count == 0 => Choice::Sticky,
        (None, Some(key)) => Choice::Partition(murmur2::for_key(key, count)),
        (None, _) => Choice::Sticky,
        (Some(partitioner), key) => custom(&**partitioner, topic, key),
    };
    match choice {
        Choice::Partition(partition) => Ok(partition),
        _ => {
            let bytes = record.key_bytes().map_or(0, <[u8]>::len)
                + record.value_bytes().map_or(0, <[u8]>::len)
                + record
                    .headers
                    .iter()
                    .map(|h| h.key.len() + 8)
                    .sum::<usize>()
                + 16;
            topic
                .sticky(bytes, shared.settings.core.batch_size)
                .ok_or_else(|| {
                    InvalidRecord::new(
                        Field::Topic,
                        format!("{} has no partitions", topic.name()),
                        "create them, or wait until the cluster has",
                    )
                    .into()
                })
        }
    }
}

#[cold]
fn custom(partitioner: &dyn Partitioner, topic: &TopicEntry, key: Option<&[u8]>) -> Choice {
    partitioner.partition(
        topic.name(),
        key,
        topic.partitions.count(),
        &topic.available(),
    )
}

#[cold]
fn no_such_partition(shared: &Arc<Shared>, topic: &Arc<TopicEntry>, partition: i32) -> SendError {
    // It may have been added since: the next attempt will know.
    if let Err(error) = shared.want_topic(topic) {
        return error;
    }
    InvalidRecord::new(
        Field::Partition,
        format!(
            "is {partition}, but {} has {} partitions",
            topic.name(),
            topic.partitions.count()
        ),
        "name one that exists, or leave it out",
    )
    .into()
}

#[inline(always)]
fn timestamp(record: &Record<'_>) -> i64 {
    if record.timestamp == NO_TIMESTAMP {
        clock::unix_millis()
    } else {
        record.timestamp
    }
}

#[inline(always)]
pub(crate) fn reference<'a>(record: &'a Record<'_>, timestamp: i64) -> RecordRef<'a> {
    RecordRef {
        key: record.key_bytes(),
        value: record.value_bytes(),
        headers: &record.headers,
        timestamp,
    }
}

fn append(
    shared: &Shared,
    topic: &TopicEntry,
    entry: &PartitionEntry,
    record: &Record<'_>,
    progress: &mut AcceptProgress,
) -> AcceptStep {
    let timestamp = timestamp(record);
    let reference = reference(record, timestamp);
    let options = &shared.settings.options;
    let partition = entry.id.index;
    if shared.memory.is_contended() && progress.chunk.is_none() {
        // Whoever came later would live on in the open batch's room and keep it from leaving.
        progress.partition = Some(partition);
        return AcceptStep::NeedMemory(BatchBuilder::new().record_len(&reference));
    }
    let mut wanted = 0;
    for _ in 0..TRIES {
        let mut inner = entry.lock();
        if inner.closed {
            drop(inner);
            return refuse(shared, progress, SendError::Closed);
        }
        let appended = inner.queue.append(
            &reference,
            options,
            &mut progress.chunk,
            Instant::now,
            || BatchState::new(topic.name().clone(), partition),
        );
        match appended {
            Append::Added(added) => {
                if let Some(label) = &record.label {
                    added.ticket.add_label(added.index, label.clone());
                }
                drop(inner);
                if added.became_dirty || added.closed || progress.chunk.is_some() {
                    let (closed, job) = (added.closed, added.job);
                    after_append(shared, entry, added.became_dirty, closed, job, progress);
                }
                return AcceptStep::Accepted(Delivery::new(added.ticket, added.index, timestamp));
            }
            Append::NeedChunk { bytes } => {
                drop(inner);
                if let Err(error) = bring_chunk(shared, bytes, progress) {
                    return AcceptStep::Refused(error);
                }
                wanted = bytes;
                if progress.chunk.is_none() {
                    break;
                }
            }
            _ => return refuse(shared, progress, SendError::Closed),
        }
    }
    if let Some(chunk) = progress.chunk.take() {
        shared.give_back(chunk);
    }
    progress.partition = Some(partition);
    AcceptStep::NeedMemory(wanted)
}

/// Takes a chunk of at least so many bytes, if there is one to be had now.
fn bring_chunk(
    shared: &Shared,
    bytes: usize,
    progress: &mut AcceptProgress,
) -> Result<(), SendError> {
    if let Some(small) = progress.chunk.take() {
        shared.give_back(small);
    }
    if bytes > shared.memory.capacity() && bytes > shared.settings.core.batch_size {
        return Err(InvalidRecord::new(
            Field::Record,
            format!(
                "takes {bytes} bytes, buffer_memory has {}",
                shared.memory.capacity()
            ),
            "raise buffer_memory, or send less",
        )
        .into());
    }
    progress.chunk = shared.memory.try_chunk(bytes);
    Ok(())
}

/// Compresses with this thread's contexts, or with new ones where those are in use or gone.
fn seal(job: SealJob) -> Sealed {
    let mut job = Some(job);
    let sealed = COMPRESSOR.try_with(|compressor| {
        let mut compressor = compressor.try_borrow_mut().ok()?;
        Some(job.take()?.run(&mut compressor))
    });
    match (sealed, job) {
        (Ok(Some(sealed)), _) => sealed,
        (_, Some(job)) => job.run(&mut Compressor::new()),
        _ => unreachable!("a job that was taken was run"),
    }
}

/// What is left to do without the lock, about once per batch: the chunk that was not needed goes
/// back, a batch that was closed is compressed, and the I/O thread hears of what is new.
#[cold]
pub(crate) fn after_append(
    shared: &Shared,
    entry: &PartitionEntry,
    mut notify: bool,
    closed: bool,
    job: Option<Box<SealJob>>,
    progress: &mut AcceptProgress,
) {
    let mut woken: Vec<Waker> = Vec::new();
    if let Some(chunk) = progress.chunk.take() {
        shared.memory.give_back(chunk, &mut woken);
    }
    if let Some(job) = job {
        // Its notification may not wait for the compression: the open batch is ready.
        if std::mem::take(&mut notify) {
            shared.mailbox.post(entry.id);
        }
        let sealed = seal(*job);
        let mut done = entry.lock().queue.finish_seal(sealed);
        let memory = &shared.memory;
        memory.give_back_all(&mut done.recycled, done.freed, &mut woken);
        notify = done.became_dirty;
    }
    if notify && !closed {
        shared.post_opened(entry.id);
    } else if notify {
        // A full batch takes a while to write: that is the I/O thread's work.
        shared.mailbox.post(entry.id);
    }
    wake::wake_all(&mut woken);
}
