//! What changes in the picture of the cluster lead to: leaders that moved, topics that came.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use downpour_wire::error_code::ErrorCode;

use crate::client::topic::{Change, Topic};
use crate::event::Event;
use crate::ids::PartitionId;
use crate::outcome::Cause;
use crate::output::{Output, TopicUpdate};
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::send_lists::SendList;
use crate::queue::Queue;

impl<T: Clone> Engine<T> {
    /// Acts on what an answer changed in the picture of the cluster.
    pub(crate) fn handle_changes(
        &mut self,
        changes: Vec<Change>,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        // Each topic is told of once: with an array of leaders per moved partition a broker that
        // leads half of 10,000 partitions would cost 400 MB when it dies.
        let mut moved = BTreeSet::new();
        for change in changes {
            match change {
                // A topic that is new to us has no queues yet; its own change comes behind.
                Change::Leader { partition, .. } if !self.lists.knows(partition) => {}
                Change::Leader { partition, leader } => {
                    if let Some(topic) = self.cluster.topic(partition.topic) {
                        let topic = topic.name().clone();
                        let (partition, leader_epoch) = (partition.index, leader.epoch());
                        let leader = leader.broker();
                        self.event(Event::LeaderMoved {
                            topic,
                            partition,
                            leader,
                            leader_epoch,
                        });
                    }
                    queues.with(partition, Queue::handle_leader_moved);
                    if self.lists.list(partition) != SendList::None {
                        self.enlist(partition);
                        self.lists.mark_dirty(partition);
                    }
                    moved.insert(partition.topic);
                }
                Change::Topic { topic } => {
                    let count = self.cluster.topic(topic).map_or(0, |t| t.leaders().len());
                    self.lists.grow(topic, count);
                    moved.insert(topic);
                }
                Change::MadeAnew { topic } => {
                    let count = self.cluster.topic(topic).map_or(0, |t| t.leaders().len());
                    for index in 0..i32::try_from(count).unwrap_or(i32::MAX) {
                        queues.with(PartitionId { topic, index }, Queue::handle_made_anew);
                    }
                }
                Change::Fewer { topic, before } => {
                    let from = self.cluster.topic(topic).map_or(0, |t| t.leaders().len());
                    for index in from..before {
                        let index = i32::try_from(index).unwrap_or(i32::MAX);
                        self.end_gone(PartitionId { topic, index }, now, queues);
                    }
                }
                Change::Unavailable { topic, code } => {
                    self.handle_unavailable(topic, code, now);
                }
            }
        }
        for topic in moved {
            self.tell_topic(topic);
        }
        self.lists.look_at_leaderless();
    }

    /// Whether a partition was there and is not any more.
    pub(super) fn is_gone(&self, partition: PartitionId) -> bool {
        let count = self
            .cluster
            .topic(partition.topic)
            .map(|t| t.leaders().len());
        let index = usize::try_from(partition.index);
        index.is_ok_and(|index| count.is_some_and(|count| (1..=index).contains(&count)))
    }

    /// What waits in a partition that is gone can go nowhere. What is in flight has its answer first.
    pub(super) fn end_gone(
        &mut self,
        partition: PartitionId,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let out = &mut self.out;
        queues.with(partition, |queue| {
            queue.fail_unsent(&Cause::PartitionGone, now, out);
        });
        self.lists.mark_dirty(partition);
    }

    fn has_records_for(&self, topic: u32) -> bool {
        let count = i32::try_from(self.lists.count(topic)).unwrap_or(i32::MAX);
        let mut partitions = (0..count).map(|index| PartitionId { topic, index });
        partitions.any(|partition| self.lists.list(partition) != SendList::None)
    }

    fn handle_unavailable(&mut self, topic: u32, code: ErrorCode, now: Instant) {
        let (backoff, limit) = (self.config.retry_backoff, self.config.unknown_topic_timeout);
        // They were accepted, and would wait in vain if nobody asked any more.
        let has_records = self.has_records_for(topic);
        if code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION && has_records {
            // It was there, and may be created again: somebody waits for it.
            let until = now + self.config.topic_wanted_for;
            self.wanted.want(topic, until, now);
        }
        let is_there = self.cluster.topic(topic).is_some_and(Topic::is_told);
        let rng = &mut self.rng;
        let mut missing_for = None;
        let is_refused = match code {
            ErrorCode::INVALID_TOPIC_EXCEPTION | ErrorCode::TOPIC_AUTHORIZATION_FAILED => {
                match has_records {
                    true => self.wanted.handle_unavailable(topic, backoff, rng, now),
                    false => self.wanted.handle_refused(topic, backoff, rng, now),
                }
                true
            }
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION | ErrorCode::UNKNOWN_TOPIC_ID => {
                let unknown = self.wanted.handle_unknown(topic, limit, backoff, rng, now);
                // Sends to one that was there are not refused: their records wait in its partitions.
                let unknown = unknown.filter(|_| !is_there);
                missing_for = unknown.map(|unknown| unknown.missing_for);
                unknown.is_some_and(|unknown| unknown.is_over)
            }
            _ => {
                self.wanted.handle_unavailable(topic, backoff, rng, now);
                false
            }
        };
        let (kind, worth_after) = match (is_refused, missing_for) {
            (true, _) => (0, Duration::ZERO),
            // It is told once it is refused.
            (false, Some(_)) => (0, Duration::MAX),
            // A topic that has no leader for a moment after it was created is no trouble.
            (false, None) if !is_there => (1, limit),
            (false, None) => (1, Duration::ZERO),
        };
        let notices = &mut self.topic_notices;
        let notice = notices.note_after(&topic, kind, worth_after, now);
        if let Some(known) = self.cluster.topic(topic) {
            let topic = known.name().clone();
            self.event(Event::TopicUnavailable {
                topic,
                code,
                missing_for,
                is_refused,
                notice,
            });
        }
        let update = TopicUpdate::Unavailable {
            code,
            missing_for,
            fatal: is_refused,
        };
        self.out.push_back(Output::Topic { topic, update });
    }

    fn tell_topic(&mut self, topic: u32) {
        if let Some(known) = self.cluster.topic(topic) {
            let leaders = known.leaders().iter().map(|l| l.broker()).collect();
            let update = TopicUpdate::Available { leaders };
            self.out.push_back(Output::Topic { topic, update });
        }
    }
}
