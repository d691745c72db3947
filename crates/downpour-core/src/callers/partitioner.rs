//! Which partition a record goes to: the trait and what it may answer.
//!
//! Java's default, keyed records by [`murmur2`] over all partitions and others [`sticky`]
//! (KIP-794), is what the shell does when no partitioner is set.
//!
//! One partitioner per file. A custom one may answer [`Choice::Sticky`] and leave the rest to
//! [`sticky`].

pub mod by_name;
pub mod crc32;
pub mod fnv1a;
pub mod murmur2;
pub mod sticky;

/// What a partitioner answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Choice {
    /// This partition.
    Partition(i32),
    /// Whatever partition is being filled.
    Sticky,
}

/// Chooses a partition for records that name none.
///
/// Called on the sending thread, for each such record: it must not block.
pub trait Partitioner: Send + Sync + std::fmt::Debug {
    /// The partition of a record with this key.
    ///
    /// `partitions` counts all of the topic's, `available` lists those whose leader answers, or
    /// all that have a leader if none does.
    /// An answer outside `0..partitions` refuses the record.
    fn partition(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        partitions: u32,
        available: &[i32],
    ) -> Choice;
}
