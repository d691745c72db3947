//! What changes in the picture of the cluster lead to: leaders that moved, topics that came.

use downpour_wire::error_code::ErrorCode;

use crate::client::cluster::Change;
use crate::event::Event;
use crate::output::{Output, TopicUpdate};
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::topic_state::{PartitionState, ReadyList};
use crate::queue::Queue;

impl<T: Clone> Engine<T> {
    /// Acts on what an answer changed in the picture of the cluster.
    pub(crate) fn handle_changes(&mut self, changes: Vec<Change>, queues: &mut impl Queues<T>) {
        for change in changes {
            match change {
                Change::Leader { partition, leader } => {
                    let Some(state) = self.partition(partition) else {
                        continue;
                    };
                    let has_work = state.list != ReadyList::None;
                    if let Some(topic) = self.cluster.topic(partition.topic) {
                        let topic = topic.name.clone();
                        let (partition, leader_epoch) = (partition.index, leader.epoch);
                        let leader = leader.broker;
                        self.event(Event::LeaderMoved {
                            topic,
                            partition,
                            leader,
                            leader_epoch,
                        });
                    }
                    queues.with(partition, Queue::handle_leader_moved);
                    if has_work {
                        self.enlist(partition);
                        self.dirty.push(partition);
                    }
                    self.tell_topic(partition.topic);
                }
                Change::Topic { topic } => {
                    let count = self.cluster.topic(topic).map_or(0, |t| t.leaders.len());
                    if let Some(state) = self.topics.get_mut(topic as usize) {
                        state.wanted_until = None;
                        let idle = PartitionState {
                            list: ReadyList::None,
                            in_flight: 0,
                        };
                        state
                            .partitions
                            .resize(count.max(state.partitions.len()), idle);
                    }
                    self.tell_topic(topic);
                }
                Change::Unavailable { topic, code } => self.handle_unavailable(topic, code),
            }
        }
        // Somebody may lead them now; those that nobody leads come back into the list.
        for partition in std::mem::take(&mut self.leaderless) {
            if let Some(state) = self.partition(partition) {
                state.list = ReadyList::None;
            }
            self.dirty.push(partition);
        }
    }

    fn handle_unavailable(&mut self, topic: u32, code: ErrorCode) {
        let fatal = matches!(
            code,
            ErrorCode::INVALID_TOPIC_EXCEPTION | ErrorCode::TOPIC_AUTHORIZATION_FAILED
        );
        if let Some(state) = self.topics.get_mut(topic as usize) {
            if fatal {
                state.wanted_until = None;
            }
        }
        if let Some(known) = self.cluster.topic(topic) {
            let name = known.name.clone();
            self.event(Event::TopicUnavailable { topic: name, code });
        }
        let update = TopicUpdate::Unavailable { code, fatal };
        self.out.push_back(Output::Topic { topic, update });
    }

    fn tell_topic(&mut self, topic: u32) {
        if let Some(known) = self.cluster.topic(topic) {
            let leaders = known.leaders.iter().map(|l| l.broker).collect();
            let update = TopicUpdate::Available { leaders };
            self.out.push_back(Output::Topic { topic, update });
        }
    }
}
