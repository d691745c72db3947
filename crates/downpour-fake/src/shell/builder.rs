//! How a fake cluster is described before it starts, and its start. What runs is `fake`'s.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::fake::FakeCluster;
use super::listener::{bind, listen};
use super::shared::Shared;
use crate::fault::Fault;
use crate::logic::Cluster;
use crate::topic::TopicSpec;
use crate::version::KafkaVersion;

/// Describes a [`FakeCluster`]; made by [`FakeCluster::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing runs before `start`"]
pub struct FakeClusterBuilder {
    brokers: i32,
    kafka: KafkaVersion,
    topics: Vec<(String, TopicSpec)>,
    faults: Vec<Fault>,
    auto_create: bool,
    cluster_id: Option<String>,
    default_partitions: i32,
    max_message_bytes: Option<usize>,
    network_delay: Duration,
    service_delay: Duration,
    connections_max: usize,
    idle_max: Duration,
    request_bytes_max: Option<usize>,
    tcp: bool,
}

impl Default for FakeClusterBuilder {
    fn default() -> Self {
        Self {
            brokers: 1,
            kafka: KafkaVersion::default(),
            topics: Vec::new(),
            faults: Vec::new(),
            auto_create: false,
            cluster_id: None,
            default_partitions: 1,
            max_message_bytes: None,
            network_delay: Duration::ZERO,
            service_delay: Duration::ZERO,
            connections_max: 256,
            idle_max: Duration::from_secs(600),
            request_bytes_max: None,
            tcp: true,
        }
    }
}

impl FakeCluster {
    /// Describes a cluster. By default it has one broker of the newest Kafka and no topics.
    pub fn builder() -> FakeClusterBuilder {
        FakeClusterBuilder::default()
    }
}

impl FakeClusterBuilder {
    /// How many brokers; their ids are 1 to n. Default: 1.
    pub fn brokers(mut self, brokers: i32) -> Self {
        self.brokers = brokers;
        self
    }

    /// Which Kafka they pretend to be. Default: [`KafkaVersion::V4_3`].
    pub fn kafka(mut self, kafka: KafkaVersion) -> Self {
        self.kafka = kafka;
        self
    }

    /// Adds a topic, by its number of partitions or by a [`TopicSpec`].
    pub fn topic(mut self, name: impl Into<String>, spec: impl Into<TopicSpec>) -> Self {
        self.topics.push((name.into(), spec.into()));
        self
    }

    /// Adds a fault that waits for its request.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Whether asking for a topic's metadata creates it. Default: false.
    pub fn auto_create(mut self, auto_create: bool) -> Self {
        self.auto_create = auto_create;
        self
    }

    /// What the cluster calls itself in its metadata, to tell it from another one. Default: the same
    /// for all.
    pub fn cluster_id(mut self, id: impl Into<String>) -> Self {
        self.cluster_id = Some(id.into());
        self
    }

    /// How many partitions a topic gets that is created without a number of its own. Default: 1.
    pub fn default_partitions(mut self, partitions: i32) -> Self {
        self.default_partitions = partitions;
        self
    }

    /// The largest batch in bytes. Default: 1 MiB and 12 bytes, Kafka's.
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = Some(bytes);
        self
    }

    /// Each answer arrives `delay` later; meanwhile the connection's next request is served, as with
    /// a distant broker. Default: none.
    pub fn network_delay(mut self, delay: Duration) -> Self {
        self.network_delay = delay;
        self
    }

    /// Each request is worked on for `delay`, and a connection's requests wait for each other, as with
    /// a busy broker. Default: none.
    pub fn service_delay(mut self, delay: Duration) -> Self {
        self.service_delay = delay;
        self
    }

    /// More connections than this, over all brokers, are closed at once. Each has a thread.
    /// Default: 256.
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.connections_max = connections;
        self
    }

    /// A connection on which nothing comes for so long is closed without a word
    /// (`connections.max.idle.ms`). Default: ten minutes, Kafka's.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use downpour_fake::FakeCluster;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let cluster = FakeCluster::builder().idle_max(Duration::from_secs(1)).start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn idle_max(mut self, time: Duration) -> Self {
        self.idle_max = time;
        self
    }

    /// A connection that sends a larger request is closed (`socket.request.max.bytes`). Default: 100
    /// MiB, Kafka's.
    pub fn request_bytes_max(mut self, bytes: usize) -> Self {
        self.request_bytes_max = Some(bytes);
        self
    }

    /// Whether brokers listen on TCP ports. Without, only `FakeCluster::connector` reaches them.
    /// Default: true.
    pub fn tcp(mut self, tcp: bool) -> Self {
        self.tcp = tcp;
        self
    }

    /// Starts the brokers.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) with what is wrong with the description: no
    /// broker, a name that Kafka does not allow, a topic twice, more replicas than brokers.
    /// Otherwise a port could not be bound or a thread could not be started.
    pub fn start(self) -> io::Result<FakeCluster> {
        let invalid = |problem: String| io::Error::new(io::ErrorKind::InvalidInput, problem);
        if self.brokers < 1 {
            let problem = format!("a cluster has at least one broker, not {}", self.brokers);
            return Err(invalid(problem));
        }
        let mut cluster = Cluster::new(self.brokers, self.kafka);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        cluster.set_epoch_ms(i64::try_from(now.as_millis()).unwrap_or_default());
        cluster.set_auto_create(self.auto_create);
        cluster.set_default_partitions(self.default_partitions);
        cluster.set_network_delay(self.network_delay);
        cluster.set_service_delay(self.service_delay);
        if let Some(id) = &self.cluster_id {
            cluster.set_cluster_id(id);
        }
        if let Some(bytes) = self.max_message_bytes {
            cluster.set_max_message_bytes(bytes);
        }
        if let Some(bytes) = self.request_bytes_max {
            cluster.set_request_bytes_max(bytes);
        }
        for (name, spec) in self.topics {
            cluster.try_create_topic(&name, spec).map_err(invalid)?;
        }
        for fault in self.faults {
            cluster.fault(fault);
        }
        let mut sockets = Vec::new();
        for node in cluster.brokers() {
            if self.tcp {
                let socket = bind(0)?;
                cluster.set_address(node, "127.0.0.1", socket.local_addr()?.port());
                sockets.push((node, Some(socket)));
            } else {
                sockets.push((node, None));
            }
        }
        let shared = Arc::new(Shared::new(cluster, self.connections_max, self.idle_max));
        // From here on dropping the cluster stops what was started.
        let fake = FakeCluster::new(Arc::clone(&shared), self.tcp);
        for (node, socket) in sockets {
            let listener = socket
                .map(|socket| listen(&shared, node, socket))
                .transpose()?;
            shared.open_node(node, listener);
        }
        Ok(fake)
    }
}
