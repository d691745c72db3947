//! A partitioner as a caller may have one. Which runs use it is the plan's.

use downpour::{Choice, PartitionContext, Partitioner};

/// A partitioner of the caller's.
#[derive(Debug)]
pub(crate) struct ByLastByte;

/// Where it puts a key.
pub(crate) fn by_last_byte(key: &[u8], partitions: u32) -> i32 {
    (u32::from(key.last().copied().unwrap_or(0)) % partitions) as i32
}

impl Partitioner for ByLastByte {
    fn partition(&self, context: &PartitionContext<'_>) -> Choice {
        match (context.key, context.available.first()) {
            (Some(key), _) => Choice::Partition(by_last_byte(key, context.count)),
            (None, Some(first)) if context.count == 2 => Choice::Partition(*first),
            (None, _) => Choice::Sticky,
        }
    }
}
