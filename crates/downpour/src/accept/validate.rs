//! What makes a record valid without knowing the cluster, each rule with its remedy.
//!
//! The rules that need metadata (does the partition exist) are in `append`.

use downpour_wire::batch::{BatchBuilder, HEADER_LEN};
use downpour_wire::record::RecordRef;

use crate::error::record::{Field, InvalidRecord};
use crate::record::message::{Message, NO_PARTITION, NO_TIMESTAMP};
use crate::shared::shared::Shared;

/// Kafka's limit on the length of a topic's name.
const TOPIC_NAME_MAX: usize = 249;

/// More than lengths, deltas and attributes of a record without headers can take.
const RECORD_OVERHEAD_MAX: usize = 64;
/// The same for each header.
const HEADER_OVERHEAD_MAX: usize = 10;

type Check = Result<(), Box<InvalidRecord>>;

/// Checks a name before it is asked for; names in the topic table were checked already.
pub(crate) fn topic_name(name: &str) -> Check {
    let fail = |trouble: String, remedy| Err(InvalidRecord::new(Field::Topic, trouble, remedy));
    if name.is_empty() {
        return fail("is empty".into(), "name the topic that the record goes to");
    }
    if name.len() > TOPIC_NAME_MAX {
        return fail(
            format!(
                "has {} characters, Kafka allows {TOPIC_NAME_MAX}",
                name.len()
            ),
            "use a shorter name",
        );
    }
    if name == "." || name == ".." {
        return fail(
            format!("is {name:?}, which Kafka reserves"),
            "use another name",
        );
    }
    if let Some(bad) = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
    {
        return fail(
            format!("{name:?} contains {bad:?}"),
            "use only ASCII letters, digits, '.', '_' and '-'",
        );
    }
    Ok(())
}

/// Checks everything but the topic.
#[inline]
pub(crate) fn message(message: &Message<'_>, shared: &Shared) -> Check {
    if message.tombstone
        || message.partition_key.is_some()
        || (message.partition < 0 && message.partition != NO_PARTITION)
        || (message.timestamp < 0 && message.timestamp != NO_TIMESTAMP)
    {
        unusual(message)?;
    }
    let rough = message.get_key().map_or(0, <[u8]>::len)
        + message.get_value().map_or(0, <[u8]>::len)
        + RECORD_OVERHEAD_MAX
        + HEADER_LEN
        + header_bytes(message);
    if rough > shared.settings.core.batch_max {
        size(message, shared)
    } else {
        Ok(())
    }
}

#[inline]
fn header_bytes(message: &Message<'_>) -> usize {
    message
        .headers
        .as_slice()
        .iter()
        .map(|h| h.key.len() + h.value.as_ref().map_or(0, |v| v.len()) + HEADER_OVERHEAD_MAX)
        .sum()
}

#[cold]
fn unusual(message: &Message<'_>) -> Check {
    if message.tombstone && message.get_key().is_none_or(<[u8]>::is_empty) {
        return Err(InvalidRecord::new(
            Field::Key,
            "is empty, but a tombstone deletes by key",
            "give the key that is to be deleted",
        ));
    }
    if message
        .partition_key
        .as_ref()
        .is_some_and(|k| k.as_slice().is_empty())
    {
        return Err(InvalidRecord::new(
            Field::PartitionKey,
            "is empty",
            "leave it out, or give the bytes that choose the partition",
        ));
    }
    if message.partition < 0 && message.partition != NO_PARTITION {
        return Err(InvalidRecord::new(
            Field::Partition,
            format!("is {}", message.partition),
            "leave it out to let the partitioner choose, or give 0 or more",
        ));
    }
    if message.timestamp < 0 && message.timestamp != NO_TIMESTAMP {
        return Err(InvalidRecord::new(
            Field::Timestamp,
            format!(
                "is {}, before 1970",
                message.get_timestamp_ms().unwrap_or_default()
            ),
            "leave it out for the time of sending, or give milliseconds since 1970",
        ));
    }
    Ok(())
}

/// The exact size, once the rough one is near the limit.
#[cold]
fn size(message: &Message<'_>, shared: &Shared) -> Check {
    let batch_max = shared.settings.core.batch_max;
    let exact = HEADER_LEN
        + BatchBuilder::new().record_len(&RecordRef {
            key: message.get_key(),
            value: message.get_value(),
            headers: message.headers.as_slice(),
            timestamp: message.timestamp.max(0),
        });
    if exact <= batch_max {
        return Ok(());
    }
    let too_large = |bytes: usize| bytes + RECORD_OVERHEAD_MAX + HEADER_LEN > batch_max;
    let value = message.get_value().map_or(0, <[u8]>::len);
    let headers = message.headers.iter();
    let headers = headers.map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len));
    let (field, make) = if too_large(value) {
        (Field::Value, "makes")
    } else if too_large(headers.sum()) {
        (Field::Headers, "make")
    } else {
        (Field::Record, "makes")
    };
    Err(InvalidRecord::new(
        field,
        format!("{make} a batch of {exact} bytes, the largest allowed is {batch_max}"),
        format!(
            "send less, or raise {} here and max.message.bytes of the topic",
            shared.settings.names.record_max
        ),
    ))
}
