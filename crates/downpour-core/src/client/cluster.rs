//! What is known of the cluster: its brokers and topics. Merged from answers; what an answer says of
//! one topic, and what of it is believed, is in `topic`.
//!
//! Topics are numbered by the shell; the numbers are dense and stay. When to ask is the
//! engine's matter.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{LeaderIdAndEpoch, MetadataResponse, NodeEndpoint};

use crate::client::connect_error::{ConnectError, ConnectErrorKind, ConnectFailure};
use crate::client::topic::{Change, Leader, Topic};
use crate::config::Address;
use crate::ids::PartitionId;

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
            if let Some(topic) = topic {
                topic.change_cluster(number, &mut changes);
            }
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
        self.topics[at] = Some(Topic::new(name));
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
        if let Some(topic) = topic.and_then(Option::as_mut) {
            topic.begin_rest();
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
            .and_then(|(topic, at)| topic.leaders().get(at));
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
            let Some(Some(topic)) = self.topics.get_mut(number as usize) else {
                continue;
            };
            if answer.error_code.is_none() && !answer.partitions.is_empty() {
                topic.merge(number, answer, &mut changes);
            } else {
                let code = match answer.error_code {
                    ErrorCode::NONE => ErrorCode::LEADER_NOT_AVAILABLE,
                    code => code,
                };
                topic.note_gone(code);
                changes.push(Change::Unavailable {
                    topic: number,
                    code,
                });
            }
        }
        changes
    }

    /// Takes a leader hint of a Produce answer (KIP-951): only a newer epoch, only a broker that
    /// is known or named along with it.
    pub(crate) fn apply_hint(
        &mut self,
        partition: PartitionId,
        hint: &LeaderIdAndEpoch,
        endpoints: &[NodeEndpoint],
    ) -> Option<Change> {
        if hint.leader_id < 0 || hint.leader_epoch <= self.leader(partition).epoch() {
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
        let leader = Leader::new(hint.leader_id, hint.leader_epoch);
        topic.set_leader(partition.index, leader)?;
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
    use downpour_wire::messages::{MetadataBroker, MetadataPartition, MetadataTopic};
    use downpour_wire::primitives::Uuid;

    use super::*;
    use crate::client::topic::OLDER_BELIEVED;

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
        assert_eq!(cluster.leader(PARTITION).broker(), Some(1));
        assert_eq!(cluster.merge(&answer(&[(2, 6)])).len(), 2);
        assert_eq!(cluster.leader(PARTITION).broker(), Some(2));
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
        assert_eq!(cluster.leader(PARTITION), Leader::new(2, 0));
    }

    #[test]
    fn a_topic_without_an_id_that_was_gone_begins_with_its_own_epochs() {
        let mut cluster = cluster(&[(1, 5)]);
        let mut gone = answer(&[]);
        gone.topics[0].error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        cluster.merge(&gone);
        cluster.merge(&answer(&[(2, 0)]));
        assert_eq!(cluster.leader(PARTITION).broker(), Some(2));
    }

    #[test]
    fn an_older_view_that_all_repeat_is_believed_in_the_end_where_there_are_no_ids() {
        let mut cluster = cluster(&[(1, 5)]);
        for _ in 1..OLDER_BELIEVED {
            cluster.merge(&answer(&[(2, 0)]));
            assert_eq!(cluster.leader(PARTITION).broker(), Some(1));
        }
        // One that knows better begins the count anew.
        cluster.merge(&answer(&[(1, 5)]));
        for _ in 0..OLDER_BELIEVED {
            assert_eq!(cluster.leader(PARTITION).broker(), Some(1));
            cluster.merge(&answer(&[(2, 0)]));
        }
        assert_eq!(cluster.leader(PARTITION).broker(), Some(2));
    }

    #[test]
    fn what_was_told_before_a_topic_rested_is_not_counted_with_what_is_told_afterwards() {
        let mut cluster = cluster(&[(1, 5), (1, 5)]);
        let fewer = answer(&[(1, 5)]);
        for _ in 1..OLDER_BELIEVED {
            assert_eq!(cluster.merge(&fewer), []);
        }
        cluster.rest(0);
        assert!(cluster.note_used(0, Instant::now()));
        let changes = cluster.merge(&fewer);
        assert_eq!(changes, [Change::Topic { topic: 0 }], "{changes:?}");
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
            assert_eq!(known.leader(PARTITION).broker(), Some(1));
            known.merge(&with_id(&[(2, 6)]));
        }
        assert_eq!(known.leader(PARTITION).broker(), Some(2));
        // What is less than none is none: all are newer.
        known.merge(&with_id(&[(1, i32::MIN)]));
        assert_eq!(known.leader(PARTITION).epoch(), -1);
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
        assert_eq!(cluster.topic(0).unwrap().leaders().len(), 1);
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
        assert_eq!(cluster.leader(PARTITION).broker(), Some(1));
        // Made anew meanwhile: its epochs begin again.
        let mut other = answer(&[(2, 0)]);
        other.topics[0].topic_id = Uuid([2; 16]);
        cluster.merge(&other);
        assert_eq!(cluster.leader(PARTITION).broker(), Some(2));
    }
}
