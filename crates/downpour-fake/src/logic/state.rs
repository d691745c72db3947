//! The cluster's state: brokers, topics, leaders, ids. Its methods change it in one step
//! each; what a request does with them is in `logic::apis`, what a fault does in `logic::cluster`.

use std::collections::BTreeMap;
use std::fmt;

use downpour_wire::primitives::Uuid;

use super::log::PartitionLog;
use crate::topic::TopicSpec;
use crate::version::{KafkaVersion, VersionTable};

/// More topics than this are refused: clients can make them too.
pub(crate) const TOPICS_MAX: usize = 10_000;

/// More partitions than this in one topic are refused.
pub(crate) const PARTITIONS_MAX: i32 = 100_000;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) alive: bool,
    pub(crate) versions: VersionTable,
    /// Set while the broker's metadata does not follow the cluster's: what it says instead.
    pub(crate) frozen: Option<Frozen>,
    /// Clients reach it, the other brokers do not: it follows nobody and nobody follows it.
    pub(crate) isolated: bool,
}

/// What a broker remembers of the cluster at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Frozen {
    pub(crate) living: Vec<i32>,
    pub(crate) topics: BTreeMap<String, SeenTopic>,
}

/// A topic as a broker's metadata tells it.
#[derive(Debug, Clone)]
pub(crate) struct SeenTopic {
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<SeenPartition>,
}

/// A partition as a broker's metadata tells it.
#[derive(Debug, Clone)]
pub(crate) struct SeenPartition {
    pub(crate) leader: i32,
    pub(crate) leader_epoch: i32,
    pub(crate) replicas: Vec<i32>,
    pub(crate) insync: Vec<i32>,
}

/// One partition: who leads it, who holds it, and its log, which all replicas share but isolated
/// leaders.
#[derive(Debug, Clone)]
pub(crate) struct Partition {
    /// -1 while none of the replicas lives.
    pub(crate) leader: i32,
    pub(crate) leader_epoch: i32,
    pub(crate) replicas: Vec<i32>,
    pub(crate) log: PartitionLog,
    /// While followers fetch nothing: how far they are.
    pub(crate) stalled_at: Option<i64>,
    /// What isolated brokers took for their own after the others had elected another leader.
    pub(crate) forks: BTreeMap<i32, Fork>,
}

/// The log of a leader that does not know that it leads no more.
#[derive(Debug, Clone)]
pub(crate) struct Fork {
    pub(crate) leader_epoch: i32,
    pub(crate) log: PartitionLog,
}

impl Partition {
    /// True if that broker serves the partition's clients.
    pub(crate) fn is_led_by(&self, node: i32) -> bool {
        self.leader == node || self.forks.contains_key(&node)
    }

    /// The log as that broker has it.
    pub(crate) fn log_of(&self, node: i32) -> &PartitionLog {
        self.forks.get(&node).map_or(&self.log, |fork| &fork.log)
    }

    /// The same, to be appended to, and under which leader epoch.
    pub(crate) fn log_of_mut(&mut self, node: i32) -> (&mut PartitionLog, i32) {
        match self.forks.get_mut(&node) {
            Some(fork) => (&mut fork.log, fork.leader_epoch),
            None => (&mut self.log, self.leader_epoch),
        }
    }

    /// The leader epoch as that broker knows it.
    pub(crate) fn epoch_of(&self, node: i32) -> i32 {
        self.forks
            .get(&node)
            .map_or(self.leader_epoch, |fork| fork.leader_epoch)
    }

    /// Up to where consumers may read: what all replicas in sync have.
    pub(crate) fn high_watermark(&self, node: i32) -> i64 {
        let end = self.log_of(node).end_offset();
        match self.stalled_at {
            Some(at) if !self.forks.contains_key(&node) => at.min(end),
            _ => end,
        }
    }

    /// Whether nobody fetches what that broker appends, so that acks=all is waited for in vain.
    pub(crate) fn is_stalled(&self, node: i32) -> bool {
        self.stalled_at.is_some() || self.forks.contains_key(&node)
    }

    /// Another broker leads from now on; it has what its replica had.
    fn lead(&mut self, leader: i32) {
        self.leader = leader;
        self.leader_epoch += 1;
        if let Some(at) = self.stalled_at.take() {
            self.log.truncate(at);
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) spec: TopicSpec,
    pub(crate) partitions: Vec<Partition>,
}

impl Topic {
    pub(crate) fn partition(&self, index: i32) -> Option<&Partition> {
        self.partitions.get(usize::try_from(index).ok()?)
    }

    pub(crate) fn partition_mut(&mut self, index: i32) -> Option<&mut Partition> {
        self.partitions.get_mut(usize::try_from(index).ok()?)
    }
}

/// Why a topic cannot be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicProblem {
    Name,
    Exists,
    Partitions,
    /// There are this many brokers to hold replicas.
    Replication(usize),
    TooMany,
}

impl fmt::Display for TopicProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str(
                "a name has 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', and is not . or ..",
            ),
            Self::Exists => f.write_str("it exists"),
            Self::Partitions => write!(f, "a topic has 1 to {PARTITIONS_MAX} partitions"),
            Self::Replication(brokers) => {
                write!(f, "{brokers} brokers can hold 1 to {brokers} replicas")
            }
            Self::TooMany => write!(f, "a fake cluster has at most {TOPICS_MAX} topics"),
        }
    }
}

/// Settings of the whole cluster.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) cluster_id: String,
    /// What the ids of its topics begin with: no two clusters have one in common.
    pub(crate) topic_ids: u64,
    pub(crate) auto_create: bool,
    pub(crate) default_partitions: i32,
    pub(crate) max_message_bytes: usize,
    /// Brokers before 2.4 too take any first sequence of a producer that they do not know.
    pub(crate) any_first_sequence: bool,
    /// After so many milliseconds by its records' timestamps a producer is forgotten...
    pub(crate) producers_known_ms: i64,
    /// ...whenever the brokers look, which is so often.
    pub(crate) producers_checked_ms: i64,
    /// Milliseconds since 1970 when the driver's clock was at 0.
    pub(crate) epoch_ms: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) nodes: BTreeMap<i32, Node>,
    pub(crate) topics: BTreeMap<String, Topic>,
    pub(crate) settings: Settings,
    ids: BTreeMap<[u8; 16], String>,
    next_producer_id: i64,
    topics_made: u64,
    /// How often the brokers have looked for producers to forget.
    producers_checked: i64,
}

impl State {
    /// Brokers 1 to `brokers`, all alive, without topics.
    pub(crate) fn new(brokers: i32, release: KafkaVersion) -> Self {
        let node = |id: i32| Node {
            host: format!("broker-{id}.fake"),
            port: 9092,
            alive: true,
            versions: VersionTable::of(release),
            frozen: None,
            isolated: false,
        };
        Self {
            nodes: (1..=brokers).map(|id| (id, node(id))).collect(),
            topics: BTreeMap::new(),
            settings: Settings {
                cluster_id: "downpour-fake-cluster0".to_owned(),
                topic_ids: u64::from_be_bytes([0xd0; 8]),
                auto_create: false,
                default_partitions: 1,
                // Kafka's own default: 1 MiB and the 12 bytes before a batch's checksummed part.
                max_message_bytes: (1 << 20) + 12,
                any_first_sequence: false,
                // Kafka's own defaults: a day, looked at every ten minutes.
                producers_known_ms: 86_400_000,
                producers_checked_ms: 600_000,
                epoch_ms: 0,
            },
            producers_checked: 0,
            ids: BTreeMap::new(),
            // Not 0: an id that was left at its default should be noticed.
            next_producer_id: 1000,
            topics_made: 0,
        }
    }

    pub(crate) fn is_alive(&self, node: i32) -> bool {
        self.nodes.get(&node).is_some_and(|node| node.alive)
    }

    /// True if the other brokers reach it.
    fn is_member(&self, node: i32) -> bool {
        let found = self.nodes.get(&node);
        found.is_some_and(|node| node.alive && !node.isolated)
    }

    /// The brokers that know each other.
    pub(crate) fn living(&self) -> impl Iterator<Item = (i32, &Node)> {
        self.nodes
            .iter()
            .filter(|(_, node)| node.alive && !node.isolated)
            .map(|(id, node)| (*id, node))
    }

    /// The living broker of the lowest id, -1 without one.
    pub(crate) fn controller(&self) -> i32 {
        self.living().next().map_or(-1, |(id, _)| id)
    }

    /// A producer id that was never given out.
    pub(crate) fn new_producer_id(&mut self) -> i64 {
        let id = self.next_producer_id;
        self.next_producer_id += 1;
        id
    }

    pub(crate) fn topic_name(&self, id: Uuid) -> Option<&str> {
        self.ids.get(&id.0).map(String::as_str)
    }

    pub(crate) fn partition(&self, topic: &str, index: i32) -> Option<&Partition> {
        self.topics.get(topic)?.partition(index)
    }

    pub(crate) fn partition_mut(&mut self, topic: &str, index: i32) -> Option<&mut Partition> {
        self.topics.get_mut(topic)?.partition_mut(index)
    }

    /// How many replicas of a partition live.
    pub(crate) fn insync(&self, partition: &Partition) -> Vec<i32> {
        partition
            .replicas
            .iter()
            .copied()
            .filter(|node| self.is_member(*node))
            .collect()
    }

    /// Forgets producers by the timestamps of their records, as a broker does from time to time
    /// (ProducerStateManager.removeExpiredProducers, every `producer.id.expiration.check.interval.ms`).
    pub(crate) fn age_producers(&mut self, now_ms: i64) {
        let settings = &self.settings;
        let since = now_ms.saturating_sub(settings.epoch_ms);
        let checks = since / settings.producers_checked_ms.max(1);
        if checks <= self.producers_checked {
            return;
        }
        self.producers_checked = checks;
        let checked_at = settings
            .epoch_ms
            .saturating_add(checks.saturating_mul(settings.producers_checked_ms));
        let oldest = checked_at.saturating_sub(settings.producers_known_ms);
        let topics = self.topics.values_mut();
        for partition in topics.flat_map(|topic| &mut topic.partitions) {
            partition.log.producers.expire_before(oldest);
            for fork in partition.forks.values_mut() {
                fork.log.producers.expire_before(oldest);
            }
        }
    }

    /// Adds a topic; leaders go round the brokers.
    pub(crate) fn create_topic(
        &mut self,
        name: &str,
        spec: TopicSpec,
    ) -> Result<Uuid, TopicProblem> {
        let brokers = self.nodes.len();
        let replication = match spec.replication {
            Some(wanted) => usize::try_from(wanted).unwrap_or(0),
            None => brokers.min(3),
        };
        if !is_topic_name(name) {
            return Err(TopicProblem::Name);
        }
        if self.topics.contains_key(name) {
            return Err(TopicProblem::Exists);
        }
        if !(1..=PARTITIONS_MAX).contains(&spec.partitions) {
            return Err(TopicProblem::Partitions);
        }
        if !(1..=brokers).contains(&replication) {
            return Err(TopicProblem::Replication(brokers));
        }
        if self.topics.len() >= TOPICS_MAX {
            return Err(TopicProblem::TooMany);
        }
        self.topics_made += 1;
        let id = topic_id(self.settings.topic_ids, self.topics_made);
        let partitions = (0..spec.partitions.unsigned_abs() as usize)
            .map(|index| self.new_partition(index, replication))
            .collect();
        self.ids.insert(id.0, name.to_owned());
        self.topics.insert(
            name.to_owned(),
            Topic {
                id,
                spec,
                partitions,
            },
        );
        Ok(id)
    }

    /// Removes a topic. False if there is none.
    pub(crate) fn delete_topic(&mut self, name: &str) -> bool {
        let removed = self.topics.remove(name);
        if let Some(topic) = &removed {
            self.ids.remove(&topic.id.0);
        }
        removed.is_some()
    }

    /// What a broker that stops following the cluster now remembers of it.
    pub(crate) fn snapshot(&self) -> Frozen {
        let topics = self.topics.iter();
        Frozen {
            living: self.living().map(|(id, _)| id).collect(),
            topics: topics
                .map(|(name, topic)| (name.clone(), self.seen(topic)))
                .collect(),
        }
    }

    /// A topic as a broker tells it that follows the cluster.
    pub(crate) fn seen(&self, topic: &Topic) -> SeenTopic {
        let partitions = topic.partitions.iter().map(|partition| SeenPartition {
            leader: partition.leader,
            leader_epoch: partition.leader_epoch,
            replicas: partition.replicas.clone(),
            insync: self.insync(partition),
        });
        SeenTopic {
            id: topic.id,
            partitions: partitions.collect(),
        }
    }

    fn new_partition(&self, index: usize, replication: usize) -> Partition {
        let nodes: Vec<i32> = self.nodes.keys().copied().collect();
        let replicas = (0..replication).map(|step| nodes[(index + step) % nodes.len()]);
        let mut partition = Partition {
            leader: -1,
            leader_epoch: 0,
            replicas: replicas.collect(),
            log: PartitionLog::default(),
            stalled_at: None,
            forks: BTreeMap::new(),
        };
        partition.leader = self.insync(&partition).first().copied().unwrap_or(-1);
        partition
    }

    /// Adds partitions to a topic until it has `count`.
    pub(crate) fn grow_topic(&mut self, name: &str, count: i32) {
        let Some(topic) = self.topics.get(name) else {
            return;
        };
        let replication = topic
            .partitions
            .first()
            .map_or(1, |first| first.replicas.len());
        let have = topic.partitions.len();
        let want = usize::try_from(count.min(PARTITIONS_MAX)).unwrap_or(0);
        let added: Vec<Partition> = (have..want)
            .map(|index| self.new_partition(index, replication))
            .collect();
        if let Some(topic) = self.topics.get_mut(name) {
            topic.partitions.extend(added);
        }
    }

    /// Makes `to` the leader under a new epoch. It becomes a replica if it was none.
    pub(crate) fn move_leader(&mut self, topic: &str, index: i32, to: i32) -> bool {
        if !self.is_member(to) {
            return false;
        }
        let Some(partition) = self.partition_mut(topic, index) else {
            return false;
        };
        if !partition.replicas.contains(&to) {
            partition.replicas.push(to);
        }
        partition.lead(to);
        true
    }

    /// Cuts a broker off from the others: they elect other leaders, and it goes on as if it led.
    pub(crate) fn isolate(&mut self, node: i32) -> bool {
        if !self.is_member(node) {
            return false;
        }
        let snapshot = self.snapshot();
        if let Some(found) = self.nodes.get_mut(&node) {
            found.isolated = true;
            found.frozen = Some(snapshot);
        }
        let topics = self.topics.values_mut();
        for partition in topics.flat_map(|topic| &mut topic.partitions) {
            if partition.leader == node {
                let fork = Fork {
                    leader_epoch: partition.leader_epoch,
                    log: partition.log.clone(),
                };
                partition.forks.insert(node, fork);
            }
        }
        self.elect(|partition| partition.leader == node);
        true
    }

    /// Ends what `isolate` began: the broker throws away what the others do not have.
    pub(crate) fn rejoin(&mut self, node: i32) -> bool {
        match self.nodes.get_mut(&node) {
            Some(found) if found.isolated => {
                found.isolated = false;
                found.frozen = None;
            }
            _ => return false,
        }
        let topics = self.topics.values_mut();
        for partition in topics.flat_map(|topic| &mut topic.partitions) {
            partition.forks.remove(&node);
        }
        self.elect(|partition| partition.leader == -1);
        true
    }

    /// Takes a broker down; what it led goes to living replicas, or has no leader.
    pub(crate) fn kill(&mut self, node: i32) -> bool {
        match self.nodes.get_mut(&node) {
            Some(found) if found.alive => found.alive = false,
            _ => return false,
        }
        // When it is back it asks the others.
        self.rejoin(node);
        self.elect(|partition| partition.leader == node);
        true
    }

    /// Brings a broker back; it leads what had no leader, the rest stays where it is.
    pub(crate) fn restart(&mut self, node: i32) -> bool {
        match self.nodes.get_mut(&node) {
            Some(found) if !found.alive => found.alive = true,
            _ => return false,
        }
        self.elect(|partition| partition.leader == -1);
        true
    }

    /// Elects the first living replica wherever `due` says so and something changes.
    fn elect(&mut self, due: impl Fn(&Partition) -> bool) {
        let alive: Vec<i32> = self.living().map(|(id, _)| id).collect();
        for partition in self
            .topics
            .values_mut()
            .flat_map(|topic| &mut topic.partitions)
        {
            if !due(partition) {
                continue;
            }
            let mut replicas = partition.replicas.iter().copied();
            let elected = replicas.find(|node| alive.contains(node)).unwrap_or(-1);
            if elected != partition.leader {
                partition.lead(elected);
            }
        }
    }
}

/// A topic id that differs for every topic ever made, also for a name that is made again.
fn topic_id(prefix: u64, serial: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&prefix.to_be_bytes());
    bytes[8..].copy_from_slice(&serial.to_be_bytes());
    Uuid(bytes)
}

/// True for a name that Kafka allows.
pub(crate) fn is_topic_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 249
        && name != "."
        && name != ".."
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
