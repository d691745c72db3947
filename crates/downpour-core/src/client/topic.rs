//! What is known of one topic, and how much of what an answer says of it is believed: its id, who leads
//! its partitions, and whether anybody uses it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{MetadataPartition, MetadataTopic};
use downpour_wire::primitives::Uuid;

use crate::ids::PartitionId;

/// What a merge changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A topic has metadata now, or more partitions, or other leaders.
    Topic { topic: u32 },
    /// A topic has another id than before: it was deleted and made anew. It comes before all else
    /// that has changed about it.
    MadeAnew { topic: u32 },
    /// A topic that was made anew has fewer partitions than before: the others are gone. Their
    /// leaders are forgotten, and are in no change of their own.
    Fewer { topic: u32, before: usize },
    /// A topic cannot be used.
    Unavailable { topic: u32, code: ErrorCode },
    /// A partition's leader is another one.
    Leader {
        partition: PartitionId,
        leader: Leader,
    },
}

/// Who leads a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leader {
    broker: Option<i32>,
    epoch: i32,
}

impl Leader {
    pub(super) const UNKNOWN: Self = Self {
        broker: None,
        epoch: -1,
    };

    /// As a broker tells it: a number below zero is nobody's.
    pub(super) fn new(broker: i32, epoch: i32) -> Self {
        Self {
            broker: (broker >= 0).then_some(broker),
            // Below zero is none, whatever it is: it must not be what others are newer than.
            epoch: epoch.max(-1),
        }
    }

    /// `None` while nobody does.
    pub(crate) fn broker(self) -> Option<i32> {
        self.broker
    }

    /// Grows with each election (KIP-320); -1 where the broker is too old to say.
    pub(crate) fn epoch(self) -> i32 {
        self.epoch
    }
}

/// One topic.
#[derive(Debug)]
pub(crate) struct Topic {
    name: Arc<str>,
    id: Uuid,
    /// The last id that any broker told. Without it, while brokers are upgraded, metadata from one
    /// that is too old for ids would make the topic look like another one.
    told_id: Uuid,
    leaders: Vec<Leader>,
    /// Answers in a row that told older epochs, or fewer partitions, if brokers tell no id.
    older: u32,
    /// Brokers that tell no id said that there is no such topic.
    was_gone: bool,
    /// When somebody last wanted it or sent to it.
    used_at: Option<Instant>,
    rest: Rest,
}

/// Whether a topic's leaders were forgotten because nobody used it.
///
/// How many partitions it had is kept: fewer under the same id would be the word of a broker that
/// lags, and those that a topic made anew has lost must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// They were not.
    No,
    /// They were, those of so many partitions.
    Resting(usize),
    /// They were, and somebody wants the topic again. Until an answer tells of it all are unknown.
    Over,
}

/// So many answers in a row that all tell older epochs come from no broker that lags.
///
/// Brokers before 2.8 tell no ids, and a topic that is deleted and made anew begins at epoch 0
/// again: with the former one's epochs for a measure, its leaders would never be believed
/// (KAFKA-13488). And one answer with an epoch that no election ever comes to would else keep its
/// partition from its leaders for good.
pub(super) const OLDER_BELIEVED: u32 = 5;

impl Topic {
    pub(super) fn new(name: &Arc<str>) -> Self {
        Self {
            name: name.clone(),
            id: Uuid::ZERO,
            told_id: Uuid::ZERO,
            older: 0,
            was_gone: false,
            leaders: Vec::new(),
            used_at: None,
            rest: Rest::No,
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The last id that any broker told; zero as long as none did.
    pub(crate) fn told_id(&self) -> Uuid {
        self.told_id
    }

    /// Zero where the broker that was asked last is too old to tell one.
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// One per partition; none until metadata came, and none while it rests.
    pub(crate) fn leaders(&self) -> &[Leader] {
        &self.leaders
    }

    /// Whether its leaders were told, and not forgotten since.
    pub(crate) fn is_told(&self) -> bool {
        !self.leaders.is_empty() && self.rest == Rest::No
    }

    /// Whether its leaders are known and nobody has used it for so long.
    pub(crate) fn is_idle(&self, time: Duration, now: Instant) -> bool {
        let is_over = |used_at: Instant| now.saturating_duration_since(used_at) >= time;
        self.is_told() && self.used_at.is_none_or(is_over)
    }

    /// Somebody wants it, or sends to it. Whether its leaders have to be asked for since it rested until
    /// now.
    #[inline]
    pub(super) fn note_used(&mut self, now: Instant) -> bool {
        self.used_at = Some(now);
        self.rest != Rest::No && self.end_rest()
    }

    /// It is in the picture again, with leaders that nobody knows.
    #[cold]
    pub(super) fn end_rest(&mut self) -> bool {
        let Rest::Resting(partitions) = self.rest else {
            return false;
        };
        self.leaders = vec![Leader::UNKNOWN; partitions];
        self.rest = Rest::Over;
        true
    }

    /// Forgets the leaders of one that nobody uses.
    pub(super) fn begin_rest(&mut self) {
        if self.is_told() {
            self.rest = Rest::Resting(std::mem::take(&mut self.leaders).len());
            // The next answer is compared with nothing.
            self.older = 0;
        }
    }

    /// One without an id that is gone may come back as another one: what is told of it next is
    /// believed, older epochs and fewer partitions included.
    pub(super) fn note_gone(&mut self, code: ErrorCode) {
        self.was_gone |= self.told_id.is_zero() && code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    }

    /// Its cluster is another one: what is told of it next is believed.
    pub(super) fn change_cluster(&mut self, number: u32, changes: &mut Vec<Change>) {
        (self.id, self.told_id) = (Uuid::ZERO, Uuid::ZERO);
        (self.older, self.was_gone) = (0, true);
        if self.leaders.is_empty() {
            return;
        }
        changes.push(Change::MadeAnew { topic: number });
        for (index, known) in (0..).zip(&mut self.leaders) {
            let before = std::mem::replace(known, Leader::UNKNOWN);
            let partition = PartitionId {
                topic: number,
                index,
            };
            if before.broker.is_some() {
                let leader = Leader::UNKNOWN;
                changes.push(Change::Leader { partition, leader });
            }
        }
        changes.push(Change::Topic { topic: number });
    }

    /// A newer leader is known of a partition that it has.
    pub(super) fn set_leader(&mut self, partition: i32, leader: Leader) -> Option<()> {
        *self.leaders.get_mut(usize::try_from(partition).ok()?)? = leader;
        Some(())
    }

    /// Takes in what an answer says of it. Leaders of an older epoch than the known one are ignored,
    /// unless it was made anew.
    pub(super) fn merge(&mut self, number: u32, answer: &MetadataTopic, changes: &mut Vec<Change>) {
        self.end_rest();
        // That its partitions have leaders again is no move of any.
        let rested = std::mem::replace(&mut self.rest, Rest::No) == Rest::Over;
        self.id = answer.topic_id;
        // A broker that is too old to tell an id does not say that the topic is another one.
        let is_other = !answer.topic_id.is_zero() && self.told_id != answer.topic_id;
        let made_anew = is_other && !self.told_id.is_zero();
        if is_other {
            self.told_id = answer.topic_id;
        }
        if made_anew {
            changes.push(Change::MadeAnew { topic: number });
        }
        let is_older = |told: &MetadataPartition| {
            let at = usize::try_from(told.partition_index).ok();
            let known = at.and_then(|at| self.leaders.get(at));
            known.is_some_and(|known| (0..known.epoch).contains(&told.leader_epoch))
        };
        let before = self.leaders.len();
        let are_fewer = answer.partitions.len() < before;
        let has_no_id = self.told_id.is_zero();
        let is_told_older = has_no_id && are_fewer || answer.partitions.iter().any(is_older);
        self.older = match is_told_older {
            true => self.older.saturating_add(1),
            false => 0,
        };
        let was_gone = std::mem::take(&mut self.was_gone);
        let is_repeated = self.older >= OLDER_BELIEVED;
        let is_believed = made_anew || was_gone || is_repeated;
        // No topic loses partitions: under the same id fewer are the word of a broker that has not
        // heard of the newer ones.
        let lost_some = are_fewer && (made_anew || was_gone || is_repeated && has_no_id);
        if lost_some {
            self.leaders.truncate(answer.partitions.len());
            changes.push(Change::Fewer {
                topic: number,
                before,
            });
        }
        let before = self.leaders.len();
        let mut changed = before == 0 || lost_some || rested;
        for partition in &answer.partitions {
            // Partitions are numbered densely. A number beyond the count is passed over: where
            // another partition never had a leader, brokers before KRaft leave that one out.
            let Ok(at) = usize::try_from(partition.partition_index) else {
                continue;
            };
            if at >= answer.partitions.len().max(before) {
                continue;
            }
            if self.leaders.len() <= at {
                self.leaders.resize(at + 1, Leader::UNKNOWN);
                changed = true;
            }
            let leader = Leader::new(partition.leader_id, partition.leader_epoch);
            let known = &mut self.leaders[at];
            let older = leader.epoch >= 0 && leader.epoch < known.epoch && !is_believed;
            if *known == leader || older {
                continue;
            }
            let moved = known.broker != leader.broker;
            *known = leader;
            if moved && !rested {
                changed = true;
                let partition = PartitionId {
                    topic: number,
                    index: partition.partition_index,
                };
                changes.push(Change::Leader { partition, leader });
            }
        }
        if changed {
            changes.push(Change::Topic { topic: number });
        }
    }
}
