//! Looking at queues that changed: what they have to send, and into which list that puts them.

use std::time::Instant;

use crate::client::topic::Topic;
use crate::ids::PartitionId;
use crate::produce::engine::{Engine, earlier};
use crate::produce::queues::Queues;
use crate::produce::send_lists::SendList;
use crate::queue::Peek;

impl<T: Clone> Engine<T> {
    /// Something changed in a queue: it is looked at in the next poll.
    ///
    /// A queue says at most once between two looks that it became dirty, so that the list of those
    /// holds each partition only a few times.
    pub fn mark_dirty(&mut self, partition: PartitionId) {
        self.lists.mark_dirty(partition);
    }

    /// Looks at the queues that became dirty since the last look.
    pub(super) fn look_at_dirty(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        while let Some(partition) = self.lists.pop_dirty() {
            if let Some(peek) = queues.with(partition, |queue| queue.peek(now)) {
                if peek != Peek::Nothing && self.cluster.note_used(partition.topic, now) {
                    self.ask_again(partition.topic, now);
                }
                self.note_peek(partition, peek);
            }
        }
    }

    /// Notes what a look at a queue found.
    pub(super) fn note_peek(&mut self, partition: PartitionId, peek: Peek) {
        if peek == Peek::Nothing {
            self.lists.enlist(partition, SendList::None);
            return;
        }
        if let Some(id) = self.enlist(partition) {
            self.note_due(id, peek);
        }
    }

    /// Notes when a broker's list has something to send, from a look at one of its queues.
    pub(super) fn note_due(&mut self, id: i32, peek: Peek) {
        let broker = self.brokers.entry(id).or_default();
        match peek {
            Peek::Now => broker.ready = true,
            Peek::At(at) => broker.next_at = earlier(broker.next_at, Some(at)),
            Peek::Blocked | Peek::Nothing => {}
        }
    }

    /// Puts a partition that has something to send into the list where it belongs; the broker
    /// that leads it, if any is known.
    pub(super) fn enlist(&mut self, partition: PartitionId) -> Option<i32> {
        let leader = self.cluster.leader(partition).broker();
        let leader = leader.filter(|id| self.cluster.brokers().contains_key(id));
        let list = leader.map_or(SendList::Leaderless, SendList::Broker);
        if leader.is_none() && self.lists.list(partition) != list {
            // One that rested until now is asked for alone.
            let topic = self.cluster.topic(partition.topic);
            if topic.is_none_or(Topic::is_told) {
                self.metadata.want();
            }
        }
        self.lists.enlist(partition, list);
        leader
    }
}
