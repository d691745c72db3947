//! Which partition a record goes to: what a partitioner may answer, and what the answer is made of.
//!
//! Java's default, keyed records by [`murmur2`] over all partitions and others [`sticky`]
//! (KIP-794), is what the shell does when no partitioner is set.
//!
//! One partitioner per file. The trait, and what it is told, are the shell's; a custom one may
//! answer [`Choice::Sticky`] and leave the rest to [`sticky`].

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
