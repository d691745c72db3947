//! Which partitions have something to send, and to whom.
//!
//! *Invariant:* a partition that has anything to send is in exactly one list: its leader's
//! (`Broker::active`) or the list of those without a leader. Queues are looked at when they are
//! dirty: the shell marks what callers changed, the engine what answers changed.

use std::time::Instant;

use crate::ids::PartitionId;
use crate::produce::engine::{Engine, earlier};
use crate::produce::queues::Queues;
use crate::produce::topic_state::{PartitionState, ReadyList};
use crate::queue::Peek;

impl<T: Clone> Engine<T> {
    /// Something changed in a queue: it is looked at in the next poll.
    ///
    /// A queue says at most once between two looks that it became dirty, so that this list holds
    /// each partition only a few times.
    pub fn mark_dirty(&mut self, partition: PartitionId) {
        self.dirty.push(partition);
    }

    pub(crate) fn partition(&mut self, partition: PartitionId) -> Option<&mut PartitionState> {
        let at = usize::try_from(partition.index).ok()?;
        self.topics
            .get_mut(partition.topic as usize)?
            .partitions
            .get_mut(at)
    }

    /// Puts a partition that has something to send into the list where it belongs.
    pub(crate) fn enlist(&mut self, partition: PartitionId) {
        let leader = self.cluster.leader(partition).broker;
        let leader = leader.filter(|id| self.cluster.brokers().contains_key(id));
        let Some(state) = self.partition(partition) else {
            return;
        };
        let list = leader.map_or(ReadyList::Leaderless, ReadyList::Broker);
        let before = std::mem::replace(&mut state.list, list);
        if before == list {
            return;
        }
        self.remove_from(partition, before);
        match leader {
            Some(id) => self
                .brokers
                .entry(id)
                .or_default()
                .active
                .push_back(partition),
            None => {
                self.leaderless.push(partition);
                self.metadata.wanted = true;
            }
        }
    }

    fn remove_from(&mut self, partition: PartitionId, list: ReadyList) {
        match list {
            ReadyList::None => {}
            ReadyList::Broker(id) => {
                if let Some(broker) = self.brokers.get_mut(&id) {
                    broker.active.retain(|&other| other != partition);
                }
            }
            ReadyList::Leaderless => self.leaderless.retain(|&other| other != partition),
        }
    }

    /// Takes a partition that has nothing to send any more out of its list.
    fn delist(&mut self, partition: PartitionId) {
        let Some(state) = self.partition(partition) else {
            return;
        };
        let before = std::mem::replace(&mut state.list, ReadyList::None);
        self.remove_from(partition, before);
    }

    /// Looks at the queues that were named since the last look.
    pub(crate) fn look_at_dirty(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        let dirty = std::mem::take(&mut self.dirty);
        for partition in dirty {
            if let Some(peek) = queues.with(partition, |queue| queue.peek(now)) {
                self.note_peek(partition, peek);
            }
        }
    }

    /// Notes what a look at a queue found.
    pub(crate) fn note_peek(&mut self, partition: PartitionId, peek: Peek) {
        if peek == Peek::Nothing {
            self.delist(partition);
            return;
        }
        self.enlist(partition);
        let Some(&mut PartitionState {
            list: ReadyList::Broker(id),
            ..
        }) = self.partition(partition)
        else {
            return;
        };
        let broker = self.brokers.entry(id).or_default();
        match peek {
            Peek::Now => broker.ready = true,
            Peek::At(at) => broker.next_at = earlier(broker.next_at, Some(at)),
            Peek::Blocked | Peek::Nothing => {}
        }
    }

    /// The partitions whose state is as wanted, in the order of topics and partitions.
    pub(crate) fn partitions_where(
        &self,
        wanted: impl Fn(&PartitionState) -> bool,
    ) -> Vec<PartitionId> {
        let mut found = Vec::new();
        for (topic, state) in (0..).zip(&self.topics) {
            for (index, state) in (0..).zip(&state.partitions) {
                if wanted(state) {
                    found.push(PartitionId { topic, index });
                }
            }
        }
        found
    }
}
