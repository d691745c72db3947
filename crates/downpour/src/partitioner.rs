//! Which partition a record goes to that names none: the trait, what it is told, and the default.
//!
//! The hash, and the partition that records without a key stay on, are `downpour-core`'s.

use std::fmt;

use downpour_core::callers::partitioner::{Choice, murmur2};

use crate::record::headers::Headers;
use crate::record::message::Message;
use crate::record::record::Record;

/// Chooses a partition for records that name none.
///
/// Called on the sending thread, for each such record, without a lock: it must not block. A closure
/// is one, too:
///
/// ```
/// use downpour::{Choice, DefaultPartitioner, PartitionContext, Partitioner, Producer};
///
/// // What is urgent goes to partition 0, the rest where Java's producer would put it.
/// let by_header = |context: &PartitionContext<'_>| match context.headers.last("urgent") {
///     Some(_) => Choice::Partition(0),
///     None => DefaultPartitioner.partition(context),
/// };
/// let producer = Producer::builder("localhost:9092").partitioner(by_header).build()?;
/// # Ok::<(), downpour::ConfigError>(())
/// ```
pub trait Partitioner: Send + Sync {
    /// The partition of a record. One outside `0..count` refuses the record.
    fn partition(&self, context: &PartitionContext<'_>) -> Choice;
}

/// What a [`Partitioner`] knows of a record and its topic.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PartitionContext<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// The partition key if the record has one, otherwise the key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers.
    pub headers: &'a Headers<'a>,
    /// How many partitions the topic has, one at least.
    pub count: u32,
    /// Those whose leader answers, or all that have a leader if none does.
    pub available: &'a [i32],
}

impl<'a> PartitionContext<'a> {
    /// What would be known of this record, such as in a partitioner's test.
    pub fn new(record: &'a Record<'_>, count: u32, available: &'a [i32]) -> Self {
        Self::of(record.get_topic(), &record.message, count, available)
    }

    pub(crate) fn of(
        topic: &'a str,
        message: &'a Message<'_>,
        count: u32,
        available: &'a [i32],
    ) -> Self {
        Self {
            topic,
            key: message.get_partition_key().or_else(|| message.get_key()),
            value: message.get_value(),
            headers: message.get_headers(),
            count,
            available,
        }
    }
}

impl<F> Partitioner for F
where
    F: Fn(&PartitionContext<'_>) -> Choice + Send + Sync,
{
    fn partition(&self, context: &PartitionContext<'_>) -> Choice {
        self(context)
    }
}

impl fmt::Debug for dyn Partitioner + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Partitioner")
    }
}

/// What chooses where no partitioner is set, as Java's producer does: records with a key by its
/// murmur2 hash over all partitions, others to the one that is being filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "a value that is called by name")]
pub struct DefaultPartitioner;

impl Partitioner for DefaultPartitioner {
    fn partition(&self, context: &PartitionContext<'_>) -> Choice {
        match context.key {
            Some(key) if context.count > 0 => {
                Choice::Partition(murmur2::for_key(key, context.count))
            }
            _ => Choice::Sticky,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_hashes_what_chooses_the_partition() {
        let choice = |record: &Record<'_>, count| {
            DefaultPartitioner.partition(&PartitionContext::new(record, count, &[]))
        };
        let record = Record::to("t").key("k");
        let by_k = choice(&record, 1000);
        assert_eq!(by_k, Choice::Partition(murmur2::for_key(b"k", 1000)));
        assert_ne!(choice(&record.clone().partition_key("p"), 1000), by_k);
        assert_eq!(choice(&Record::to("t").partition_key("k"), 1000), by_k);
        assert_eq!(choice(&Record::to("t"), 1000), Choice::Sticky);
        assert_eq!(choice(&record, 0), Choice::Sticky);
    }
}
