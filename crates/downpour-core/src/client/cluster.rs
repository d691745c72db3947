//! What is known of the cluster: brokers, topics, leaders. Merged from answers, never older.
//!
//! Topics are numbered by the shell; the numbers are dense and stay. When to ask is the
//! engine's matter.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    LeaderIdAndEpoch, MetadataPartition, MetadataResponse, MetadataTopic, NodeEndpoint,
};
use downpour_wire::primitives::Uuid;

use crate::client::connect_error::{ConnectError, ConnectErrorKind, ConnectFailure};
use crate::config::Address;
use crate::ids::PartitionId;

/// Who leads a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leader {
    broker: Option<i32>,
    epoch: i32,
}

impl Leader {
    const UNKNOWN: Self = Self {
        broker: None,
        epoch: -1,
    };

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
const OLDER_BELIEVED: u32 = 5;

impl Topic {
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
}

impl Topic {
    #[inline]
    fn note_used(&mut self, now: Instant) -> bool {
        self.used_at = Some(now);
        self.rest != Rest::No && self.end_rest()
    }

    /// It is in the picture again, with leaders that nobody knows.
    #[cold]
    fn end_rest(&mut self) -> bool {
        let Rest::Resting(partitions) = self.rest else {
            return false;
        };
        self.leaders = vec![Leader::UNKNOWN; partitions];
        self.rest = Rest::Over;
        true
    }
}

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

/// Brokers, topics and leaders.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    /// What it calls itself; `None` until a broker tells it (Kafka 0.10.1).
    id: Option<Arc<str>>,
    brokers: BTreeMap<i32, Address>,
    /// Brokers whose advertised port is none: their host and what they say.
    nowhere: BTreeMap<i32, (Arc<str>, i32)>,
    topics: Vec<Option<Topic>>,
    by_name: HashMap<Arc<str>, u32>,
}

impl Cluster {
    pub(crate) fn brokers(&self) -> &BTreeMap<i32, Address> {
        &self.brokers
    }

    /// What it calls itself, if that is known.
    pub(crate) fn id(&self) -> Option<&Arc<str>> {
        self.id.as_ref()
    }

    /// What it calls itself.
    pub(crate) fn handle_id(&mut self, id: &str) {
        self.id = Some(Arc::from(id));
    }

    /// It is another one: its brokers and whatever is known of topics are forgotten. What is told of
    /// them next is believed.
    pub(crate) fn change_to(&mut self, id: &str) -> Vec<Change> {
        self.handle_id(id);
        self.forget_brokers();
        let mut changes = Vec::new();
        for (number, topic) in (0..).zip(&mut self.topics) {
            let Some(topic) = topic else { continue };
            (topic.id, topic.told_id) = (Uuid::ZERO, Uuid::ZERO);
            (topic.older, topic.was_gone) = (0, true);
            if topic.leaders.is_empty() {
                continue;
            }
            changes.push(Change::MadeAnew { topic: number });
            for (index, known) in (0..).zip(&mut topic.leaders) {
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
        changes
    }

    /// A broker is not where it was said to be.
    pub(crate) fn forget_broker(&mut self, broker: i32) {
        self.brokers.remove(&broker);
    }

    pub(crate) fn forget_brokers(&mut self) {
        self.brokers.clear();
        self.nowhere.clear();
    }

    /// Whether the last answer named this broker, with an address or without.
    pub(crate) fn knows(&self, broker: i32) -> bool {
        self.brokers.contains_key(&broker) || self.nowhere.contains_key(&broker)
    }

    /// The brokers that have no address though metadata names one, and why.
    pub(crate) fn nowhere(&self) -> impl Iterator<Item = (i32, ConnectError)> {
        self.nowhere.iter().map(|(&broker, (host, port))| {
            let reason = format!("it advertises port {port}, and there is no such port");
            let failure = ConnectFailure::new(ConnectErrorKind::Resolve, reason);
            let host = host.clone();
            (
                broker,
                ConnectError::new(Address { host, port: 0 }, failure),
            )
        })
    }

    /// Makes a topic known; `false` if it was.
    pub(crate) fn add_topic(&mut self, number: u32, name: &Arc<str>) -> bool {
        if self.by_name.contains_key(name) {
            return false;
        }
        let at = number as usize;
        if self.topics.len() <= at {
            self.topics.resize_with(at + 1, || None);
        }
        self.topics[at] = Some(Topic {
            name: name.clone(),
            id: Uuid::ZERO,
            told_id: Uuid::ZERO,
            older: 0,
            was_gone: false,
            leaders: Vec::new(),
            used_at: None,
            rest: Rest::No,
        });
        self.by_name.insert(name.clone(), number);
        true
    }

    pub(crate) fn topic(&self, number: u32) -> Option<&Topic> {
        self.topics.get(number as usize)?.as_ref()
    }

    pub(crate) fn topics(&self) -> impl Iterator<Item = (u32, &Topic)> {
        self.topics
            .iter()
            .enumerate()
            .filter_map(|(n, t)| Some((n as u32, t.as_ref()?)))
    }

    /// Somebody wants a topic, or sends to it. Answers whether its leaders have to be asked for since
    /// it rested until now.
    #[inline]
    pub(crate) fn note_used(&mut self, number: u32, now: Instant) -> bool {
        let topic = self.topics.get_mut(number as usize);
        topic
            .and_then(Option::as_mut)
            .is_some_and(|topic| topic.note_used(now))
    }

    /// A topic that rested is asked for again in the next refresh.
    pub(crate) fn end_rest(&mut self, number: u32) {
        let topic = self.topics.get_mut(number as usize);
        if let Some(topic) = topic.and_then(Option::as_mut) {
            topic.end_rest();
        }
    }

    /// Forgets the leaders of a topic that nobody uses.
    pub(crate) fn rest(&mut self, number: u32) {
        let topic = self.topics.get_mut(number as usize);
        if let Some(topic) = topic.and_then(Option::as_mut).filter(|t| t.is_told()) {
            let forgotten = std::mem::take(&mut topic.leaders);
            topic.rest = Rest::Resting(forgotten.len());
            // The next answer is compared with nothing.
            topic.older = 0;
        }
    }

    /// The number of the topic of this name.
    pub(crate) fn number_of(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn leader(&self, partition: PartitionId) -> Leader {
        let known = self
            .topic(partition.topic)
            .zip(usize::try_from(partition.index).ok())
            .and_then(|(topic, at)| topic.leaders.get(at));
        known.copied().unwrap_or(Leader::UNKNOWN)
    }

    /// Takes an answer in. Leaders of an older epoch than the known one are ignored, unless the
    /// topic was made anew under another id.
    pub(crate) fn merge(&mut self, response: &MetadataResponse) -> Vec<Change> {
        if !response.brokers.is_empty() {
            self.brokers.clear();
            self.nowhere.clear();
            for broker in &response.brokers {
                match address(&broker.host, broker.port) {
                    Some(address) => {
                        self.brokers.insert(broker.node_id, address);
                    }
                    None => {
                        let host = Arc::from(&*broker.host);
                        self.nowhere.insert(broker.node_id, (host, broker.port));
                    }
                }
            }
        }
        let mut changes = Vec::new();
        for answer in &response.topics {
            let name = answer.name.as_deref().unwrap_or_default();
            let Some(number) = self.number_of(name) else {
                continue;
            };
            if answer.error_code.is_none() && !answer.partitions.is_empty() {
                self.merge_topic(number, answer, &mut changes);
            } else {
                let code = match answer.error_code {
                    ErrorCode::NONE => ErrorCode::LEADER_NOT_AVAILABLE,
                    code => code,
                };
                self.note_gone(number, code);
                changes.push(Change::Unavailable {
                    topic: number,
                    code,
                });
            }
        }
        changes
    }

    /// A topic without an id that is gone may come back as another one: what is told of it next is
    /// believed, older epochs and fewer partitions included.
    fn note_gone(&mut self, number: u32, code: ErrorCode) {
        let topic = self.topics.get_mut(number as usize);
        if let Some(topic) = topic.and_then(Option::as_mut) {
            topic.was_gone |=
                topic.told_id.is_zero() && code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        }
    }

    fn merge_topic(&mut self, number: u32, answer: &MetadataTopic, changes: &mut Vec<Change>) {
        let Some(Some(topic)) = self.topics.get_mut(number as usize) else {
            return;
        };
        topic.end_rest();
        // That its partitions have leaders again is no move of any.
        let rested = std::mem::replace(&mut topic.rest, Rest::No) == Rest::Over;
        topic.id = answer.topic_id;
        // A broker that is too old to tell an id does not say that the topic is another one.
        let is_other = !answer.topic_id.is_zero() && topic.told_id != answer.topic_id;
        let made_anew = is_other && !topic.told_id.is_zero();
        if is_other {
            topic.told_id = answer.topic_id;
        }
        if made_anew {
            changes.push(Change::MadeAnew { topic: number });
        }
        let is_older = |told: &MetadataPartition| {
            let at = usize::try_from(told.partition_index).ok();
            let known = at.and_then(|at| topic.leaders.get(at));
            known.is_some_and(|known| (0..known.epoch).contains(&told.leader_epoch))
        };
        let before = topic.leaders.len();
        let are_fewer = answer.partitions.len() < before;
        let has_no_id = topic.told_id.is_zero();
        let is_told_older = has_no_id && are_fewer || answer.partitions.iter().any(is_older);
        topic.older = match is_told_older {
            true => topic.older.saturating_add(1),
            false => 0,
        };
        let was_gone = std::mem::take(&mut topic.was_gone);
        let is_repeated = topic.older >= OLDER_BELIEVED;
        let is_believed = made_anew || was_gone || is_repeated;
        // No topic loses partitions: under the same id fewer are the word of a broker that has not
        // heard of the newer ones.
        let lost_some = are_fewer && (made_anew || was_gone || is_repeated && has_no_id);
        if lost_some {
            topic.leaders.truncate(answer.partitions.len());
            let topic = number;
            changes.push(Change::Fewer { topic, before });
        }
        let before = topic.leaders.len();
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
            if topic.leaders.len() <= at {
                topic.leaders.resize(at + 1, Leader::UNKNOWN);
                changed = true;
            }
            let leader = Leader {
                broker: (partition.leader_id >= 0).then_some(partition.leader_id),
                // Below zero is none, whatever it is: it must not be what others are newer than.
                epoch: partition.leader_epoch.max(-1),
            };
            let known = &mut topic.leaders[at];
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

    /// Takes a leader hint of a Produce answer (KIP-951): only a newer epoch, only a broker that
    /// is known or named along with it.
    pub(crate) fn apply_hint(
        &mut self,
        partition: PartitionId,
        hint: &LeaderIdAndEpoch,
        endpoints: &[NodeEndpoint],
    ) -> Option<Change> {
        if hint.leader_id < 0 || hint.leader_epoch <= self.leader(partition).epoch {
            return None;
        }
        let endpoint = endpoints.iter().find(|e| e.node_id == hint.leader_id);
        match endpoint.and_then(|told| address(&told.host, told.port)) {
            // It may have moved: what comes with a newer epoch is newer than metadata.
            Some(told) => {
                self.brokers.insert(hint.leader_id, told);
            }
            None if self.brokers.contains_key(&hint.leader_id) => {}
            None => return None,
        }
        let topic = self.topics.get_mut(partition.topic as usize)?.as_mut()?;
        let known = topic
            .leaders
            .get_mut(usize::try_from(partition.index).ok()?)?;
        let leader = Leader {
            broker: Some(hint.leader_id),
            epoch: hint.leader_epoch,
        };
        *known = leader;
        Some(Change::Leader { partition, leader })
    }
}

pub(super) fn address(host: &str, port: i32) -> Option<Address> {
    Some(Address {
        host: Arc::from(host),
        port: u16::try_from(port).ok().filter(|&port| port > 0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use downpour_wire::messages::{MetadataBroker, MetadataPartition};

    fn answer(leaders: &[(i32, i32)]) -> MetadataResponse {
        let mut response = MetadataResponse::default();
        for node_id in 1..=3 {
            let mut broker = MetadataBroker::default();
            (broker.node_id, broker.host, broker.port) = (node_id, format!("b{node_id}"), 9092);
            response.brokers.push(broker);
        }
        let mut topic = MetadataTopic {
            name: Some("t".into()),
            ..Default::default()
        };
        for (i, &(leader_id, leader_epoch)) in leaders.iter().enumerate() {
            topic.partitions.push(MetadataPartition {
                partition_index: i as i32,
                leader_id,
                leader_epoch,
                ..Default::default()
            });
        }
        response.topics.push(topic);
        response
    }

    fn cluster(leaders: &[(i32, i32)]) -> Cluster {
        let mut cluster = Cluster::default();
        cluster.add_topic(0, &Arc::from("t"));
        cluster.merge(&answer(leaders));
        cluster
    }

    const PARTITION: PartitionId = PartitionId { topic: 0, index: 0 };

    #[test]
    fn an_older_epoch_never_takes_a_partition_back() {
        let mut cluster = cluster(&[(1, 5)]);
        assert_eq!(cluster.merge(&answer(&[(2, 4)])), []);
        assert_eq!(cluster.leader(PARTITION).broker, Some(1));
        assert_eq!(cluster.merge(&answer(&[(2, 6)])).len(), 2);
        assert_eq!(cluster.leader(PARTITION).broker, Some(2));
    }

    #[test]
    fn a_topic_made_anew_begins_with_its_own_epochs() {
        let mut cluster = cluster(&[(1, 5)]);
        let mut first = answer(&[(1, 5)]);
        first.topics[0].topic_id = Uuid([1; 16]);
        cluster.merge(&first);
        let mut second = answer(&[(2, 0)]);
        second.topics[0].topic_id = Uuid([2; 16]);
        let changes = cluster.merge(&second);
        assert_eq!(changes[0], Change::MadeAnew { topic: 0 });
        assert_eq!(
            cluster.leader(PARTITION),
            Leader {
                broker: Some(2),
                epoch: 0
            }
        );
    }

    #[test]
    fn a_topic_without_an_id_that_was_gone_begins_with_its_own_epochs() {
        let mut cluster = cluster(&[(1, 5)]);
        let mut gone = answer(&[]);
        gone.topics[0].error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        cluster.merge(&gone);
        cluster.merge(&answer(&[(2, 0)]));
        assert_eq!(cluster.leader(PARTITION).broker, Some(2));
    }

    #[test]
    fn an_older_view_that_all_repeat_is_believed_in_the_end_where_there_are_no_ids() {
        let mut cluster = cluster(&[(1, 5)]);
        for _ in 1..OLDER_BELIEVED {
            cluster.merge(&answer(&[(2, 0)]));
            assert_eq!(cluster.leader(PARTITION).broker, Some(1));
        }
        // One that knows better begins the count anew.
        cluster.merge(&answer(&[(1, 5)]));
        for _ in 0..OLDER_BELIEVED {
            assert_eq!(cluster.leader(PARTITION).broker, Some(1));
            cluster.merge(&answer(&[(2, 0)]));
        }
        assert_eq!(cluster.leader(PARTITION).broker, Some(2));
    }

    #[test]
    fn an_epoch_that_no_election_comes_to_does_not_keep_a_partition_from_its_leaders() {
        let with_id = |leaders: &[(i32, i32)]| {
            let mut told = answer(leaders);
            told.topics[0].topic_id = Uuid([1; 16]);
            told
        };
        let mut known = cluster(&[(1, 5)]);
        known.merge(&with_id(&[(1, i32::MAX)]));
        for _ in 0..OLDER_BELIEVED {
            assert_eq!(known.leader(PARTITION).broker, Some(1));
            known.merge(&with_id(&[(2, 6)]));
        }
        assert_eq!(known.leader(PARTITION).broker, Some(2));
        // What is less than none is none: all are newer.
        known.merge(&with_id(&[(1, i32::MIN)]));
        assert_eq!(known.leader(PARTITION).epoch, -1);
    }

    #[test]
    fn a_topic_made_anew_may_have_fewer_partitions_and_one_broker_s_word_takes_none_away() {
        let fewer = Change::Fewer {
            topic: 0,
            before: 3,
        };
        let count = |cluster: &Cluster| cluster.topic(0).unwrap().leaders().len();
        // By its id.
        let with_id = |leaders: &[(i32, i32)], id| {
            let mut told = answer(leaders);
            told.topics[0].topic_id = Uuid([id; 16]);
            told
        };
        let mut known = Cluster::default();
        known.add_topic(0, &Arc::from("t"));
        known.merge(&with_id(&[(1, 5), (1, 5), (1, 5)], 1));
        for _ in 0..2 * OLDER_BELIEVED {
            assert_eq!(known.merge(&with_id(&[(1, 5)], 1)), []);
        }
        assert_eq!(count(&known), 3);
        assert!(known.merge(&with_id(&[(1, 0)], 2)).contains(&fewer));
        assert_eq!(count(&known), 1);
        // Without ids, because it was gone, or because all say so.
        let mut known = cluster(&[(1, 5), (1, 5), (1, 5)]);
        let mut gone = answer(&[]);
        gone.topics[0].error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        known.merge(&gone);
        assert!(known.merge(&answer(&[(1, 0)])).contains(&fewer));
        let mut known = cluster(&[(1, 5), (1, 5), (1, 5)]);
        for _ in 1..OLDER_BELIEVED {
            assert!(!known.merge(&answer(&[(1, 5)])).contains(&fewer));
        }
        assert!(known.merge(&answer(&[(1, 5)])).contains(&fewer));
        assert_eq!(count(&known), 1);
    }

    #[test]
    fn a_hint_needs_a_newer_epoch_and_a_known_broker() {
        let mut cluster = cluster(&[(1, 5)]);
        let hint = |leader_id, leader_epoch| LeaderIdAndEpoch {
            leader_id,
            leader_epoch,
        };
        assert_eq!(cluster.apply_hint(PARTITION, &hint(2, 5), &[]), None);
        assert_eq!(cluster.apply_hint(PARTITION, &hint(9, 6), &[]), None);
        assert!(cluster.apply_hint(PARTITION, &hint(2, 6), &[]).is_some());
        let mut endpoint = NodeEndpoint::default();
        (endpoint.node_id, endpoint.host, endpoint.port) = (9, "b9".into(), 9092);
        assert!(
            cluster
                .apply_hint(PARTITION, &hint(9, 7), &[endpoint])
                .is_some()
        );
        assert_eq!(cluster.brokers()[&9].host.as_ref(), "b9");
    }

    #[test]
    fn a_hint_tells_of_a_broker_that_has_moved() {
        let mut cluster = cluster(&[(1, 5)]);
        let hint = |leader_epoch| LeaderIdAndEpoch {
            leader_id: 2,
            leader_epoch,
        };
        let mut endpoint = NodeEndpoint::default();
        (endpoint.node_id, endpoint.host, endpoint.port) = (2, "moved".into(), 9093);
        let endpoints = [endpoint];
        // What is no newer than metadata says nothing of where a broker is.
        assert_eq!(cluster.apply_hint(PARTITION, &hint(5), &endpoints), None);
        assert_eq!(cluster.brokers()[&2].to_string(), "b2:9092");
        assert!(
            cluster
                .apply_hint(PARTITION, &hint(6), &endpoints)
                .is_some()
        );
        assert_eq!(cluster.brokers()[&2].to_string(), "moved:9093");
    }

    #[test]
    fn a_partition_number_beyond_the_count_is_ignored() {
        let mut cluster = cluster(&[(1, 0)]);
        let mut wild = answer(&[(1, 0)]);
        wild.topics[0].partitions[0].partition_index = i32::MAX;
        cluster.merge(&wild);
        assert_eq!(cluster.topic(0).unwrap().leaders.len(), 1);
    }

    #[test]
    fn a_topic_without_partitions_is_unavailable() {
        let mut cluster = Cluster::default();
        cluster.add_topic(0, &Arc::from("t"));
        let changes = cluster.merge(&answer(&[]));
        let code = ErrorCode::LEADER_NOT_AVAILABLE;
        assert_eq!(changes, [Change::Unavailable { topic: 0, code }]);
    }

    #[test]
    fn metadata_without_ids_does_not_make_a_topic_anew() {
        let mut cluster = cluster(&[(1, 5)]);
        let id = Uuid([1; 16]);
        let mut new = answer(&[(1, 5)]);
        new.topics[0].topic_id = id;
        cluster.merge(&new);
        // A broker of the old release answers, and what it knows is stale.
        cluster.merge(&answer(&[(2, 4)]));
        assert_eq!(cluster.topic(0).unwrap().told_id(), id);
        assert_eq!(cluster.topic(0).unwrap().id(), Uuid::ZERO);
        assert_eq!(cluster.leader(PARTITION).broker, Some(1));
        // Made anew meanwhile: its epochs begin again.
        let mut other = answer(&[(2, 0)]);
        other.topics[0].topic_id = Uuid([2; 16]);
        cluster.merge(&other);
        assert_eq!(cluster.leader(PARTITION).broker, Some(2));
    }
}
