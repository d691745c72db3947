//! Partitions' queues for the engine, locked one at a time.

use std::sync::Arc;

use downpour_core::ids::PartitionId;
use downpour_core::produce::Queues;
use downpour_core::queue::Queue;

use crate::delivery::batch_state::BatchState;
use crate::shared::shared::Shared;
use crate::topics::entry::TopicEntry;
use crate::topics::partitions::PartitionEntry;

/// Finds and locks queues for the engine. Topics are kept, so that the table's lock is taken only
/// for a topic that is new to it.
#[derive(Debug)]
pub(super) struct LockedQueues {
    shared: Arc<Shared>,
    topics: Vec<Arc<TopicEntry>>,
}

impl LockedQueues {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            topics: Vec::new(),
        }
    }

    /// The topic of this number.
    pub(super) fn topic(&mut self, index: u32) -> Option<&Arc<TopicEntry>> {
        if self.topics.len() <= index as usize {
            self.topics = self.shared.topics.all();
        }
        self.topics.get(index as usize)
    }

    /// The entry of a partition, if there is one.
    pub(super) fn partition(&mut self, partition: PartitionId) -> Option<&PartitionEntry> {
        self.topic(partition.topic)?.partitions.get(partition.index)
    }
}

impl Queues<Arc<BatchState>> for LockedQueues {
    fn with<R>(
        &mut self,
        partition: PartitionId,
        f: impl FnOnce(&mut Queue<Arc<BatchState>>) -> R,
    ) -> Option<R> {
        let entry = self.partition(partition)?;
        let mut inner = entry.lock();
        let result = f(&mut inner.queue);
        entry.figures.publish(inner.queue.counters());
        Some(result)
    }
}
