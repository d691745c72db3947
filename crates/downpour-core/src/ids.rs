//! Numbers that stand for things: a partition, a connection, a line for memory. What they stand
//! for is elsewhere.

/// A partition of a topic that the engine knows.
///
/// Java's `TopicPartition` with a number for the topic's name: the shell numbers topics densely
/// and never gives a number to another topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a topic's number and a partition's"
)]
pub struct PartitionId {
    /// The shell's number of the topic.
    pub topic: u32,
    /// The partition's number within its topic, as brokers count it: from 0.
    pub index: i32,
}

/// Names one connection, also after its end: a number is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a number")]
pub struct ConnectionId(pub u64);

/// Who shares a part of the producer's memory and a line of callers that wait for it: all
/// partitions that one broker leads, or all that nobody leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a broker or none")]
pub struct MemoryLine(pub Option<i32>);
