//! What a producer has done so far, as plain numbers for whoever asks.
//!
//! Where they come from is in `shared::statistics`.

use std::sync::Arc;

/// What a producer has done since it was built, from
/// [`Producer::statistics`](crate::Producer::statistics).
///
/// All numbers only grow. They move once per batch or request and are read one after the other,
/// so that those of a batch that is on its way may be there in part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// All partitions together.
    pub total: Counts,
    /// Partitions that records went to, by topic and number.
    pub partitions: Vec<PartitionStatistics>,
    /// Brokers that were sent records, by their ids.
    pub brokers: Vec<BrokerStatistics>,
}

/// What became of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Batches that were closed, because they were full or were to leave.
    pub batches: u64,
    /// Records in those batches; those in open ones are not among them yet.
    pub records: u64,
    /// Bytes of those records: encoded, with their headers, before compression.
    pub bytes: u64,
    /// Batches that left in a request. A batch that is sent again counts each time.
    pub sendings: u64,
    /// Bytes of those batches as they left, compressed and with their own headers.
    pub sent_bytes: u64,
    /// Batches that are or were to be sent again, each time: an answer was lost, or asked for it.
    pub retries: u64,
    /// Records that were acknowledged, or were sent where nobody answers (`acks=0`).
    pub delivered: u64,
    /// Records that ended without being in the log.
    pub failed: u64,
    /// Records of which nobody can say whether they are in the log.
    pub unknown: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.batches += other.batches;
        self.records += other.records;
        self.bytes += other.bytes;
        self.sendings += other.sendings;
        self.sent_bytes += other.sent_bytes;
        self.retries += other.retries;
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.unknown += other.unknown;
    }
}

/// One partition's part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionStatistics {
    /// Name of its topic.
    pub topic: Arc<str>,
    /// Its number.
    pub partition: i32,
    /// What became of its records.
    pub counts: Counts,
}

/// What went to one broker and came back. Only requests that carry records count.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokerStatistics {
    /// The broker's id.
    pub id: i32,
    /// Requests that were handed to its connection.
    pub requests: u64,
    /// Bytes of those requests, all told.
    pub request_bytes: u64,
    /// Requests that it answered; none with `acks=0`.
    pub answers: u64,
    /// Requests whose answer will never come, since their connection ended or was given up.
    pub lost: u64,
}
