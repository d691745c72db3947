//! Partitions' queues for the engine, locked one at a time.

use std::sync::Arc;
use std::task::Waker;

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
    /// Those who waited for memory of partitions that turned to another line.
    woken: Vec<Waker>,
}

impl LockedQueues {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            topics: Vec::new(),
            woken: Vec::new(),
        }
    }

    /// Callers that are to be woken since the last time.
    pub(super) fn take_woken(&mut self, woken: &mut Vec<Waker>) {
        woken.append(&mut self.woken);
    }

    /// The topic of this number.
    pub(super) fn topic(&mut self, index: u32) -> Option<&Arc<TopicEntry>> {
        self.learn(index);
        self.topics.get(index as usize)
    }

    #[inline]
    fn learn(&mut self, index: u32) {
        if self.topics.len() <= index as usize {
            self.shared.topics.append_new(&mut self.topics);
        }
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
        self.learn(partition.topic);
        let topic = self.topics.get(partition.topic as usize)?;
        let entry = topic.partitions.get(partition.index)?;
        let mut inner = entry.lock();
        let result = f(&mut inner.queue);
        if let Some(turn) = inner.queue.poll_turn() {
            self.shared.memory.turn(turn, &mut self.woken);
        }
        if let Some(counters) = inner.queue.poll_counters() {
            entry.figures.publish(counters);
        }
        Some(result)
    }
}
