//! What a producer that was closed at a deadline did not deliver.
//!
//! Records that never left come back whole; of those that may have been written only the
//! number is told, because sending them again could write them twice.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::label::{self, Label};
use crate::record::record::Record;

/// What [`close_within`](crate::Producer::close_within) could not deliver in time.
#[derive(Default)]
#[must_use = "records that were never sent are in here"]
pub struct Unfinished {
    pub(crate) unsent: Vec<Record<'static>>,
    pub(crate) unknown: Vec<UnknownRecords>,
}

/// Records of one partition of which nobody can say whether they are in the log.
#[derive(Clone)]
pub struct UnknownRecords {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) count: u64,
    pub(crate) labels: Vec<Label>,
}

impl UnknownRecords {
    /// Their topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Their partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What the caller put beside them, in their order: those labels that are of this type.
    pub fn labels<T: Any>(&self) -> impl Iterator<Item = &T> {
        self.labels
            .iter()
            .filter_map(|label| label::as_type(Some(label)))
    }
}

impl fmt::Debug for UnknownRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownRecords")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .field("count", &self.count)
            .field("labels", &self.labels.len())
            .finish()
    }
}

impl Unfinished {
    /// Whether everything was delivered.
    pub fn is_empty(&self) -> bool {
        self.unsent.is_empty() && self.unknown.is_empty()
    }

    /// Records that were never sent, in each partition's order, with the partition and the time
    /// that they were given when they were accepted, and with their labels. A partition key has
    /// done its work and does not come back. They may be sent by another producer without fear
    /// of duplicates.
    pub fn unsent(&self) -> &[Record<'static>] {
        &self.unsent
    }

    /// The same, for keeping.
    pub fn into_unsent(self) -> Vec<Record<'static>> {
        self.unsent
    }

    /// Records of which nobody can say whether they are in the log, one entry per
    /// partition.
    pub fn unknown(&self) -> &[UnknownRecords] {
        &self.unknown
    }

    pub(crate) fn add_unknown(
        &mut self,
        topic: &Arc<str>,
        partition: i32,
        count: u32,
        labels: Vec<Label>,
    ) {
        let count = u64::from(count);
        let known = self
            .unknown
            .iter_mut()
            .find(|u| u.partition == partition && u.topic == *topic);
        match known {
            Some(known) => {
                known.count += count;
                known.labels.extend(labels);
            }
            None => {
                self.unknown.push(UnknownRecords {
                    topic: topic.clone(),
                    partition,
                    count,
                    labels,
                });
            }
        }
    }
}

impl fmt::Debug for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unfinished")
            .field("unsent", &self.unsent.len())
            .field("unknown", &self.unknown)
            .finish()
    }
}
