//! What the engine keeps of topics and partitions beside metadata and queues.

use std::time::Instant;

/// What the engine keeps of a topic beside its metadata.
#[derive(Debug, Clone, Default)]
pub(crate) struct TopicState {
    /// Set when somebody asks for a topic that is not there; until then it is asked for again.
    /// Cleared when it is there, or when asking again is pointless.
    pub(super) wanted_until: Option<Instant>,
    pub(super) partitions: Vec<PartitionState>,
}

/// What the engine keeps of a partition beside its queue.
#[derive(Debug, Clone)]
pub(crate) struct PartitionState {
    pub(super) list: ReadyList,
    /// Batches in requests without an answer.
    pub(super) in_flight: usize,
}

/// In which list a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadyList {
    /// In none: it has nothing to send.
    None,
    /// In that of the broker that leads it.
    Broker(i32),
    /// It has something to send and nobody leads it, or its leader's address is not known.
    Leaderless,
}
