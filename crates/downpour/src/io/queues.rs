//! Partitions' queues for the engine, locked one at a time.

use std::sync::Arc;

use downpour_core::ids::PartitionId;
use downpour_core::produce::Queues;
use downpour_core::queue::Queue;

use crate::delivery::batch_state::BatchState;
use crate::shared::shared::Shared;
use crate::topics::entry::TopicState;
use crate::topics::partitions::PartitionState;

/// Finds queues by slot; topics are kept, so that the list's lock is taken once a topic.
#[derive(Debug)]
pub(super) struct Lookup {
    shared: Arc<Shared>,
    topics: Vec<Arc<TopicState>>,
}

impl Lookup {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            topics: Vec::new(),
        }
    }

    /// The topic of this number.
    pub(super) fn topic(&mut self, index: u32) -> Option<&Arc<TopicState>> {
        if self.topics.len() <= index as usize {
            self.topics = self.shared.topics.all();
        }
        self.topics.get(index as usize)
    }

    /// The partition of a slot.
    pub(super) fn partition(&mut self, slot: PartitionId) -> Option<&PartitionState> {
        self.topic(slot.topic)?.partitions.get(slot.index)
    }
}

impl Queues<Arc<BatchState>> for Lookup {
    fn with<R>(
        &mut self,
        slot: PartitionId,
        f: impl FnOnce(&mut Queue<Arc<BatchState>>) -> R,
    ) -> Option<R> {
        let partition = self.partition(slot)?;
        let mut inner = partition.lock();
        Some(f(&mut inner.queue))
    }
}
