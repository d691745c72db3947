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
}

/// What a broker remembers of the cluster at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Frozen {
    pub(crate) living: Vec<i32>,
    /// Leader and leader epoch of every partition.
    pub(crate) leaders: BTreeMap<String, Vec<(i32, i32)>>,
}

/// One partition: who leads it, who holds it, and its log, which all replicas share.
#[derive(Debug, Clone)]
pub(crate) struct Partition {
    /// -1 while none of the replicas lives.
    pub(crate) leader: i32,
    pub(crate) leader_epoch: i32,
    pub(crate) replicas: Vec<i32>,
    pub(crate) log: PartitionLog,
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
                epoch_ms: 0,
            },
            ids: BTreeMap::new(),
            // Not 0: an id that was left at its default should be noticed.
            next_producer_id: 1000,
            topics_made: 0,
        }
    }

    pub(crate) fn is_alive(&self, node: i32) -> bool {
        self.nodes.get(&node).is_some_and(|node| node.alive)
    }

    pub(crate) fn living(&self) -> impl Iterator<Item = (i32, &Node)> {
        self.nodes
            .iter()
            .filter(|(_, node)| node.alive)
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
            .filter(|node| self.is_alive(*node))
            .collect()
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
        let leaders = |topic: &Topic| {
            let partitions = topic.partitions.iter();
            partitions
                .map(|partition| (partition.leader, partition.leader_epoch))
                .collect()
        };
        Frozen {
            living: self.living().map(|(id, _)| id).collect(),
            leaders: self
                .topics
                .iter()
                .map(|(name, topic)| (name.clone(), leaders(topic)))
                .collect(),
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
        if !self.is_alive(to) {
            return false;
        }
        let Some(partition) = self.partition_mut(topic, index) else {
            return false;
        };
        if !partition.replicas.contains(&to) {
            partition.replicas.push(to);
        }
        partition.leader = to;
        partition.leader_epoch += 1;
        true
    }

    /// Takes a broker down; what it led goes to living replicas, or has no leader.
    pub(crate) fn kill(&mut self, node: i32) -> bool {
        match self.nodes.get_mut(&node) {
            Some(found) if found.alive => found.alive = false,
            _ => return false,
        }
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
                partition.leader = elected;
                partition.leader_epoch += 1;
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
