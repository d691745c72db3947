//! Which partition a record goes to: the trait, what it may answer, and the default.
//!
//! One partitioner a file. A custom one may answer [`Choice::Sticky`] and leave the rest to
//! [`sticky`].

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
    /// `partitions` counts all of the topic's, `available` lists those that have a leader.
    /// An answer outside `0..partitions` refuses the record.
    fn partition(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        partitions: u32,
        available: &[i32],
    ) -> Choice;
}

/// Java's default: keyed records by [`murmur2`] over all partitions, others sticky (KIP-794).
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct Murmur2OrSticky;

impl Partitioner for Murmur2OrSticky {
    fn partition(&self, _: &str, key: Option<&[u8]>, partitions: u32, _: &[i32]) -> Choice {
        match key {
            Some(key) => Choice::Partition(murmur2::for_key(key, partitions)),
            None => Choice::Sticky,
        }
    }
}
