//! The one door: a record is validated, finds topic and partition, is appended under the
//! partition's lock, and its handle comes back.
//!
//! Per record nothing is allocated, no channel is used, no precise clock read and nobody
//! woken; all of that happens at most once per batch. Waiting is in `wait`, runs of records that
//! share a lock are in `many`.

use std::sync::Arc;
use std::task::Waker;

use downpour_core::callers::partitioner::{Choice, murmur2};
use downpour_core::config::BatchOptions;
use downpour_core::ids::MemoryLine;
use downpour_core::queue::{Append, Chunk, ChunkNeed};
use downpour_core::seal::SealJob;
use downpour_wire::batch::BatchBuilder;
use downpour_wire::record::RecordRef;

use crate::accept::validate;
use crate::accept::wait::Want;
use crate::delivery::batch_state::BatchState;
use crate::delivery::delivery::Delivery;
use crate::error::record::{Field, InvalidRecord};
use crate::error::send::{NotSent, SendError};
use crate::partitioner::{PartitionContext, Partitioner};
use crate::record::message::{Message, NO_PARTITION, NO_TIMESTAMP};
use crate::record::part::PartBytes;
use crate::record::record::{Addressed, Target};
use crate::shared::shared::Shared;
use crate::sys::sync::MutexGuard;
use crate::sys::wake;
use crate::topics::entry::TopicEntry;
use crate::topics::partitions::{PartitionEntry, PartitionInner};

/// Tries for a chunk before its caller queues up for one: others may fill what it brings.
const TRIES: usize = 16;

/// Partitions that a record without a key turns to, one after the other, before it waits where it is.
const CHOICES_MAX: u8 = 8;

/// What a record keeps on its way in, so that no wait changes it.
#[derive(Debug)]
pub(crate) struct AcceptProgress<'a> {
    /// Those that its batch must have. They are read from here and from nowhere else, so that
    /// a call may have its own.
    options: &'a BatchOptions,
    /// Chosen once: the choice counts bytes.
    pub(super) partition: Option<i32>,
    /// How often it chose another one since, because it would have waited for a silent broker.
    choices: u8,
    /// A chunk that was waited for; its credit is this record's until the next attempt.
    pub(super) chunk: Option<Chunk>,
    /// Set once brokers were asked for the partition that it names: if it is not there then, it is
    /// not there.
    pub(super) has_asked: bool,
}

impl<'a> AcceptProgress<'a> {
    /// Of a record that begins, with the producer's own options.
    #[inline(always)]
    pub(crate) fn new(shared: &'a Shared) -> Self {
        Self::with_options(&shared.settings.options)
    }

    /// The same with options of its own.
    #[inline(always)]
    pub(crate) fn with_options(options: &'a BatchOptions) -> Self {
        Self {
            options,
            partition: None,
            choices: 0,
            chunk: None,
            has_asked: false,
        }
    }
}

/// What stands in the way of a record. With its topic in hand the way goes on where it stopped.
pub(crate) enum Obstacle {
    /// Its topic has no metadata yet.
    Topic(Arc<TopicEntry>),
    /// There is no memory for the chunk that it needs.
    Memory(Arc<TopicEntry>, Want),
    /// It names a partition that is not known; it may have been added a moment ago.
    Partition(Arc<TopicEntry>),
    Refused(SendError),
}

type Accepted = Result<Delivery, Obstacle>;

/// Takes a record to its batch, or says what stands in the way: the one door of all verbs.
///
/// Nearly all records find their batch open and with room for them. Their way is all in one
/// piece, so that nothing of it passes through memory. A way that turns out to be another one goes
/// on from where it is, in [`go_on_in`]. Always inlined: where two verbs meet in it, it would become a
/// function of its own, and hand the handle on through memory.
#[inline(always)]
pub(crate) fn accept(
    shared: &Arc<Shared>,
    record: Addressed<'_>,
    progress: &mut AcceptProgress<'_>,
) -> Accepted {
    if shared.unusual.any() || record.message.label.is_some() {
        return accept_unusual(shared, record, progress);
    }
    if let Err(invalid) = validate::message(record.message, shared) {
        return Err(Obstacle::Refused(SendError::invalid(invalid)));
    }
    match record.topic.target() {
        Target::Known(topic) if topic.owner() == shared.id => {
            match accept_in(shared, topic, record.message, progress) {
                Some(delivery) => Ok(delivery),
                None => go_on_in(shared, topic, record, progress),
            }
        }
        _ => {
            let mut found = None;
            if let Some(delivery) = accept_named(shared, record, progress, &mut found) {
                return Ok(delivery);
            }
            match found {
                Some(topic) => go_on_in(shared, &topic, record, progress),
                None => Err(intern(shared, record.topic.name())),
            }
        }
    }
}

/// The usual way of a record that names its topic. Where there is more to do the topic is left in
/// `found`, if it is known.
#[inline(never)]
fn accept_named(
    shared: &Shared,
    record: Addressed<'_>,
    progress: &mut AcceptProgress<'_>,
    found: &mut Option<Arc<TopicEntry>>,
) -> Option<Delivery> {
    let accept = |topic: &Arc<TopicEntry>| {
        let delivery = accept_in(shared, topic, record.message, progress);
        if delivery.is_none() {
            *found = Some(topic.clone());
        }
        delivery
    };
    shared.topics.with(record.topic.name(), accept)?
}

/// The part of the usual way that begins with the topic; `None` is where [`go_on_in`] goes on.
#[inline(always)]
fn accept_in(
    shared: &Shared,
    topic: &TopicEntry,
    message: &Message<'_>,
    progress: &mut AcceptProgress<'_>,
) -> Option<Delivery> {
    let partition = choose(shared, topic, message).ok()?;
    progress.partition = Some(partition);
    let entry = topic.partitions.get(partition)?;
    let timestamp = timestamp(shared, message);
    let mut inner = entry.lock();
    let index = add(&mut inner, message, timestamp, progress)?;
    let ticket = inner.queue.open_ticket()?.clone();
    leave(shared, entry, inner, progress);
    Some(Delivery::new(ticket, index, timestamp))
}

/// Adds a record to the open batch if that has room, as it nearly always has.
#[inline(always)]
pub(super) fn add(
    inner: &mut PartitionInner,
    message: &Message<'_>,
    timestamp: i64,
    progress: &AcceptProgress<'_>,
) -> Option<u32> {
    if inner.closed {
        return None;
    }
    let reference = reference(message, timestamp);
    inner.queue.append_to_open(&reference, progress.options)
}

/// Lets go of a partition to whose open batch something was added.
#[inline(always)]
pub(super) fn leave(
    shared: &Shared,
    entry: &PartitionEntry,
    mut inner: MutexGuard<'_, PartitionInner>,
    progress: &mut AcceptProgress<'_>,
) {
    if inner.queue.is_full() {
        let (notify, job) = inner.queue.close_full();
        drop(inner);
        after_append(shared, entry, notify, true, job, progress);
    }
}

/// The way of a record where something is unusual: it has a label, somebody waits for memory, the
/// producer closes, or this process is a forked child.
#[cold]
fn accept_unusual(
    shared: &Arc<Shared>,
    record: Addressed<'_>,
    progress: &mut AcceptProgress<'_>,
) -> Accepted {
    refuse_all_if_over(shared, progress)?;
    if let Err(invalid) = validate::message(record.message, shared) {
        return Err(Obstacle::Refused(SendError::invalid(invalid)));
    }
    accept_valid(shared, record, progress)
}

/// The same for a record that is known to be valid.
pub(super) fn accept_valid(
    shared: &Arc<Shared>,
    record: Addressed<'_>,
    progress: &mut AcceptProgress<'_>,
) -> Accepted {
    let name = match record.topic.target() {
        Target::Known(topic) if topic.owner() == shared.id => {
            return go_on(shared, topic, record, progress);
        }
        Target::Known(topic) => &**topic.name(),
        Target::Name(name) => &**name,
    };
    let go_on = |topic: &Arc<TopicEntry>| go_on(shared, topic, record, progress);
    match shared.topics.with(name, go_on) {
        Some(accepted) => accepted,
        None => Err(intern(shared, name)),
    }
}

/// The rest of a record's way after a wait: it is valid, and its topic is known.
pub(super) fn go_on(
    shared: &Arc<Shared>,
    topic: &Arc<TopicEntry>,
    record: Addressed<'_>,
    progress: &mut AcceptProgress<'_>,
) -> Accepted {
    refuse_all_if_over(shared, progress)?;
    go_on_in(shared, topic, record, progress)
}

/// Whether no record is taken at all any more.
fn refuse_all_if_over(shared: &Shared, progress: &mut AcceptProgress<'_>) -> Result<(), Obstacle> {
    if shared.is_forked() {
        // Its locks may be held by threads that this process does not have.
        return Err(Obstacle::Refused(SendError::new(NotSent::Forked)));
    }
    if shared.is_closing() {
        return Err(refuse(shared, progress, SendError::new(NotSent::Closed)));
    }
    Ok(())
}

#[cold]
fn refuse(shared: &Shared, progress: &mut AcceptProgress<'_>, error: SendError) -> Obstacle {
    if let Some(chunk) = progress.chunk.take() {
        shared.give_back(chunk);
    }
    Obstacle::Refused(error)
}

#[cold]
fn intern(shared: &Shared, name: &str) -> Obstacle {
    match topic(shared, name) {
        Ok(topic) => Obstacle::Topic(topic),
        Err(error) => Obstacle::Refused(error),
    }
}

/// The topic of this name, new ones checked and added.
pub(crate) fn topic(shared: &Shared, name: &str) -> Result<Arc<TopicEntry>, SendError> {
    if let Some(known) = shared.topics.with(name, Arc::clone) {
        return Ok(known);
    }
    validate::topic_name(name).map_err(SendError::invalid)?;
    let added = shared.topics.add(name);
    added.ok_or_else(|| {
        SendError::invalid(InvalidRecord::new(
            Field::Topic,
            format!("{name:?} would be one topic too many"),
            format!(
                "topics_max={} is the most that this producer may know; raise it, or use another \
                 one for the rest",
                shared.settings.topics_max
            ),
        ))
    })
}

/// The rest of a record's way, with no assumption but that it is valid.
#[inline(never)]
fn go_on_in(
    shared: &Arc<Shared>,
    topic: &Arc<TopicEntry>,
    record: Addressed<'_>,
    progress: &mut AcceptProgress<'_>,
) -> Accepted {
    // Looked at before the choice: metadata that comes in between would make a refusal of it.
    let has_metadata = topic.has_metadata();
    let chosen = match progress.partition {
        Some(partition) => Ok(partition),
        None => choose(shared, topic, record.message),
    };
    let partition = match chosen {
        Ok(partition) => partition,
        // It came to rest meanwhile, or it has not come.
        Err(_) if !has_metadata || !topic.has_metadata() => {
            return Err(Obstacle::Topic(topic.clone()));
        }
        Err(error) => return Err(refuse(shared, progress, error)),
    };
    let Some(entry) = topic.partitions.get(partition) else {
        if !has_metadata {
            return Err(Obstacle::Topic(topic.clone()));
        }
        return Err(unknown_partition(
            shared, topic, record, progress, partition,
        ));
    };
    append(shared, topic, entry, record, progress)
}

/// The partition that was chosen is gone, since its topic was made anew with fewer. A record that
/// named it is refused; any other chooses anew, by what there is now.
#[cold]
fn elsewhere(
    shared: &Arc<Shared>,
    topic: &Arc<TopicEntry>,
    record: Addressed<'_>,
    progress: &mut AcceptProgress<'_>,
    gone: i32,
) -> Accepted {
    // Bounded, for a partitioner of the caller's may insist.
    if record.message.partition != NO_PARTITION || progress.choices >= CHOICES_MAX {
        return Err(unknown_partition(shared, topic, record, progress, gone));
    }
    progress.choices += 1;
    progress.partition = None;
    go_on_in(shared, topic, record, progress)
}

#[inline(always)]
pub(super) fn choose(
    shared: &Shared,
    topic: &TopicEntry,
    message: &Message<'_>,
) -> Result<i32, SendError> {
    if message.partition != NO_PARTITION {
        return Ok(message.partition);
    }
    let key = message
        .partition_key
        .as_ref()
        .or(message.key.as_ref())
        .map(PartBytes::as_slice);
    let count = topic.partitions.count();
    let choice = match (&shared.settings.partitioner, key) {
        // Nothing else to be asked: metadata that comes now would send a key anywhere.
        _ if count == 0 => return Err(no_partitions(topic)),
        (None, Some(key)) => Choice::Partition(murmur2::for_key(key, count)),
        (None, _) => Choice::Sticky,
        (Some(partitioner), _) => custom(&**partitioner, (topic, count), message),
    };
    match choice {
        Choice::Partition(partition) => Ok(partition),
        _ => {
            let bytes = message.get_key().map_or(0, <[u8]>::len)
                + message.get_value().map_or(0, <[u8]>::len)
                + message
                    .headers
                    .as_slice()
                    .iter()
                    .map(|h| h.key.len() + 8)
                    .sum::<usize>()
                + 16;
            topic
                .sticky(bytes, shared.settings.core.batch_size)
                .ok_or_else(|| no_partitions(topic))
        }
    }
}

#[cold]
fn no_partitions(topic: &TopicEntry) -> SendError {
    SendError::invalid(InvalidRecord::new(
        Field::Topic,
        format!("{} has no partitions", topic.name()),
        "create them, or wait until the cluster has",
    ))
}

#[cold]
fn custom(
    partitioner: &dyn Partitioner,
    (topic, count): (&TopicEntry, u32),
    message: &Message<'_>,
) -> Choice {
    topic.with_available(|available| {
        partitioner.partition(&PartitionContext::of(
            topic.name(),
            message,
            count,
            available,
        ))
    })
}

/// What keeps a record waiting that needs a chunk of so many bytes.
#[cold]
fn no_memory(
    topic: &Arc<TopicEntry>,
    message: &Message<'_>,
    progress: &AcceptProgress<'_>,
    (partition, line): (i32, MemoryLine),
    need: ChunkNeed,
) -> Obstacle {
    // A partitioner of the caller's may insist.
    let is_keyless = message.partition_key.is_none() && message.key.is_none();
    let may_choose = message.partition == NO_PARTITION && progress.choices < CHOICES_MAX;
    let want = Want {
        need,
        partition,
        line,
        is_free: is_keyless && may_choose,
    };
    Obstacle::Memory(topic.clone(), want)
}

/// The record waits for memory that it may not get for long: it chooses anew, if it may.
#[cold]
pub(super) fn choose_elsewhere(topic: &TopicEntry, want: Want, progress: &mut AcceptProgress<'_>) {
    if want.is_free && topic.avoids(want.partition) {
        topic.turn_from(want.partition);
        progress.choices += 1;
        progress.partition = None;
    }
}

/// A partition that a record names is asked for before the record is refused: whoever adds
/// partitions sends to them at once. A partitioner knows how many there are.
#[cold]
fn unknown_partition(
    shared: &Arc<Shared>,
    topic: &Arc<TopicEntry>,
    record: Addressed<'_>,
    progress: &mut AcceptProgress<'_>,
    partition: i32,
) -> Obstacle {
    if progress.has_asked {
        let error = is_not_there(topic, record.message, partition);
        return refuse(shared, progress, error);
    }
    if record.message.partition == NO_PARTITION {
        let error = no_such_partition(shared, topic, record.message, partition);
        return refuse(shared, progress, error);
    }
    if let Some(chunk) = progress.chunk.take() {
        shared.give_back(chunk);
    }
    progress.partition = None;
    Obstacle::Partition(topic.clone())
}

#[cold]
pub(super) fn no_such_partition(
    shared: &Arc<Shared>,
    topic: &Arc<TopicEntry>,
    message: &Message<'_>,
    partition: i32,
) -> SendError {
    // It may have been added since: the next attempt will know.
    if let Err(error) = shared.want_topic(topic) {
        return error;
    }
    is_not_there(topic, message, partition)
}

fn is_not_there(topic: &TopicEntry, message: &Message<'_>, partition: i32) -> SendError {
    let (whose, remedy) = match message.partition {
        NO_PARTITION => (
            "by the partitioner ",
            "mend the partitioner, or name a partition",
        ),
        _ => ("", "name one that exists, or leave it out"),
    };
    let (name, count) = (topic.name(), topic.partitions.count());
    let trouble = format!("{whose}is {partition}, but {name} has {count} partitions");
    SendError::invalid(InvalidRecord::new(Field::Partition, trouble, remedy))
}

#[inline(always)]
fn timestamp(shared: &Shared, message: &Message<'_>) -> i64 {
    if message.timestamp == NO_TIMESTAMP {
        shared.clock.unix_millis()
    } else {
        message.timestamp
    }
}

#[inline(always)]
fn reference<'a>(message: &'a Message<'_>, timestamp: i64) -> RecordRef<'a> {
    RecordRef {
        key: message.get_key(),
        value: message.get_value(),
        headers: message.headers.as_slice(),
        timestamp,
    }
}

fn append(
    shared: &Arc<Shared>,
    topic: &Arc<TopicEntry>,
    entry: &PartitionEntry,
    record: Addressed<'_>,
    progress: &mut AcceptProgress<'_>,
) -> Accepted {
    let message = record.message;
    let timestamp = timestamp(shared, message);
    let reference = reference(message, timestamp);
    let partition = entry.id.index;
    progress.partition = Some(partition);
    if shared.memory.is_contended() && progress.chunk.is_none() {
        let line = entry.lock().queue.line();
        if shared.memory.is_contended_in(line) {
            // Whoever came later would live on in the open batch's room and keep it from leaving.
            let memory = BatchBuilder::new().record_len(&reference);
            let credit = memory.max(shared.settings.core.record_share);
            let need = ChunkNeed { memory, credit };
            return Err(no_memory(topic, message, progress, (partition, line), need));
        }
    }
    let mut wanted = (MemoryLine(None), ChunkNeed::default());
    for _ in 0..TRIES {
        let mut inner = entry.lock();
        if inner.closed {
            let gone = inner.gone;
            drop(inner);
            if gone && !shared.is_closing() {
                return elsewhere(shared, topic, record, progress, partition);
            }
            return Err(refuse(shared, progress, SendError::new(NotSent::Closed)));
        }
        let appended = inner.queue.append(
            &reference,
            progress.options,
            &mut progress.chunk,
            || shared.clock.now(),
            || BatchState::new(topic.name().clone(), entry.id),
        );
        match appended {
            Append::Added(added) => {
                if let Some(label) = &message.label {
                    added.ticket.add_label(added.index, label.clone());
                }
                drop(inner);
                if added.became_dirty || added.closed || progress.chunk.is_some() {
                    let (closed, job) = (added.closed, added.job);
                    after_append(shared, entry, added.became_dirty, closed, job, progress);
                }
                return Ok(Delivery::new(added.ticket, added.index, timestamp));
            }
            Append::NeedChunk { need, line } => {
                drop(inner);
                bring_chunk(shared, (line, need), progress).map_err(Obstacle::Refused)?;
                wanted = (line, need);
                if progress.chunk.is_none() {
                    break;
                }
            }
            _ => return Err(refuse(shared, progress, SendError::new(NotSent::Closed))),
        }
    }
    if let Some(chunk) = progress.chunk.take() {
        shared.give_back(chunk);
    }
    let (line, need) = wanted;
    Err(no_memory(topic, message, progress, (partition, line), need))
}

/// Takes a chunk of at least so many bytes in this line, if there is one to be had now. One that is
/// too small, or was lent in a line that the partition has left, goes back.
fn bring_chunk(
    shared: &Shared,
    (line, need): (MemoryLine, ChunkNeed),
    progress: &mut AcceptProgress<'_>,
) -> Result<(), SendError> {
    if let Some(unfit) = progress.chunk.take() {
        shared.give_back(unfit);
    }
    let bytes = need.memory;
    if bytes > shared.memory.capacity() && bytes > shared.settings.core.batch_size {
        return Err(SendError::invalid(InvalidRecord::new(
            Field::Record,
            format!(
                "takes {bytes} bytes, {} has {}",
                shared.settings.names.buffer_memory,
                shared.memory.capacity()
            ),
            format!(
                "raise {}, or send less",
                shared.settings.names.buffer_memory
            ),
        )));
    }
    progress.chunk = shared.memory.try_chunk(line, need);
    Ok(())
}

/// What is left to do without the lock, about once per batch: the chunk that was not needed goes
/// back, a batch that was closed is compressed, and the I/O thread hears of what is new.
#[cold]
fn after_append(
    shared: &Shared,
    entry: &PartitionEntry,
    mut notify: bool,
    closed: bool,
    job: Option<Box<SealJob>>,
    progress: &mut AcceptProgress<'_>,
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
        let sealed = shared.compressors.with(|compressor| job.run(compressor));
        let mut done = entry.lock().queue.finish_seal(sealed);
        let memory = &shared.memory;
        memory.give_back_all(&mut done.recycled, (done.line, done.freed), &mut woken);
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
