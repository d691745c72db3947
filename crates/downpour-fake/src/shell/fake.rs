//! The fake cluster as a test holds it: addresses, commands, and an end in bounded time. The
//! assertions are in `assertions`; what brokers do is `logic`'s.

use std::io;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use super::listener::{bind, listen};
use super::shared::Shared;
use crate::fault::Fault;
use crate::logic::Cluster;
use crate::topic::TopicSpec;

/// A running fake cluster. Dropping it closes every connection and joins every thread.
///
/// ```
/// use downpour_fake::{ApiKey, ErrorCode, FakeCluster, Fault, KafkaVersion};
///
/// # fn main() -> std::io::Result<()> {
/// let cluster = FakeCluster::builder()
///     .brokers(3)
///     .kafka(KafkaVersion::V4_3)
///     .topic("events", 6)
///     .start()?;
/// cluster.fault(Fault::error(ErrorCode::NOT_LEADER_OR_FOLLOWER).on(ApiKey::Produce).times(2));
///
/// let servers = cluster.bootstrap_servers(); // for the client under test
/// # assert!(servers.starts_with("127.0.0.1:"));
/// assert!(cluster.records("events", 0).is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FakeCluster {
    shared: Arc<Shared>,
    tcp: bool,
}

impl FakeCluster {
    pub(super) const fn new(shared: Arc<Shared>, tcp: bool) -> Self {
        Self { shared, tcp }
    }

    /// Every broker's address, living or not, as `bootstrap.servers` wants them.
    #[must_use]
    pub fn bootstrap_servers(&self) -> String {
        self.with(|cluster| {
            let addresses = cluster
                .brokers()
                .into_iter()
                .map(|node| cluster.address(node));
            let shown: Vec<String> = addresses
                .map(|(host, port)| format!("{host}:{port}"))
                .collect();
            shown.join(",")
        })
    }

    /// A way to the brokers without TCP: called with a broker's host and port as Metadata or
    /// [`bootstrap_servers`](Self::bootstrap_servers) names them, it gives one end of a socket pair
    /// whose other end the broker serves. It stops working when the cluster is dropped.
    #[cfg(unix)]
    pub fn connector(
        &self,
    ) -> impl Fn(&str, u16) -> io::Result<UnixStream> + Send + Sync + Clone + 'static {
        let shared = Arc::downgrade(&self.shared);
        move |host: &str, port: u16| {
            let refused = |why: String| io::Error::new(io::ErrorKind::ConnectionRefused, why);
            let Some(shared) = shared.upgrade() else {
                return Err(refused("the fake cluster is gone".to_owned()));
            };
            let node = shared.with(|cluster| {
                let mut brokers = cluster.brokers().into_iter();
                brokers.find(|node| cluster.address(*node) == (host.to_owned(), port))
            });
            let Some(node) = node else {
                return Err(refused(format!("no fake broker lives at {host}:{port}")));
            };
            let (ours, theirs) = UnixStream::pair()?;
            super::listener::start(&shared, node, super::stream::Stream::Unix(theirs))?;
            Ok(ours)
        }
    }

    /// Looks at the logic, or changes it, under the lock that all connections share: keep it short,
    /// and do not use the `FakeCluster` itself inside, which would wait forever. Everything that
    /// [`Cluster`] can do and this type does not repeat is done through here, but brokers come and
    /// go with [`kill`](Self::kill) and [`restart`](Self::restart), which know of the sockets.
    pub fn with<T>(&self, look: impl FnOnce(&mut Cluster) -> T) -> T {
        self.shared.with(look)
    }

    /// Adds a fault; see [`Fault`] for which request it applies to.
    pub fn fault(&self, fault: Fault) {
        self.with(|cluster| cluster.fault(fault));
    }

    /// Removes every fault that has not run out.
    pub fn clear_faults(&self) {
        self.with(Cluster::clear_faults);
    }

    /// How many faults have not run out.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        self.with(|cluster| cluster.pending_faults())
    }

    /// From now on each answer arrives `delay` later; meanwhile the connection's next request is
    /// served.
    pub fn set_network_delay(&self, delay: Duration) {
        self.with(|cluster| cluster.set_network_delay(delay));
    }

    /// From now on each request is worked on for `delay`; a connection's requests wait for each other.
    pub fn set_service_delay(&self, delay: Duration) {
        self.with(|cluster| cluster.set_service_delay(delay));
    }

    /// Creates a topic; clients hear of it with their next metadata.
    ///
    /// # Panics
    ///
    /// As [`Cluster::create_topic`].
    #[track_caller]
    pub fn create_topic(&self, name: &str, spec: impl Into<TopicSpec>) {
        self.with(|cluster| cluster.create_topic(name, spec));
    }

    /// Deletes a topic and its records. A topic of the same name gets a new id.
    ///
    /// # Panics
    ///
    /// If there is no such topic.
    #[track_caller]
    pub fn delete_topic(&self, name: &str) {
        self.with(|cluster| cluster.delete_topic(name));
    }

    /// How many partitions a topic has; `None` if it does not exist.
    #[must_use]
    pub fn partition_count(&self, topic: &str) -> Option<i32> {
        self.with(|cluster| cluster.partition_count(topic))
    }

    /// Adds partitions until a topic has `count`.
    ///
    /// # Panics
    ///
    /// If there is no such topic.
    #[track_caller]
    pub fn grow_topic(&self, name: &str, count: i32) {
        self.with(|cluster| cluster.grow_topic(name, count));
    }

    /// Makes broker `to` the leader of a partition.
    ///
    /// # Panics
    ///
    /// As [`Cluster::move_leader`].
    #[track_caller]
    pub fn move_leader(&self, topic: &str, partition: i32, to: i32) {
        self.with(|cluster| cluster.move_leader(topic, partition, to));
    }

    /// The broker that leads a partition; -1 while no replica lives.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[must_use]
    #[track_caller]
    pub fn leader(&self, topic: &str, partition: i32) -> i32 {
        self.with(|cluster| cluster.leader(topic, partition))
    }

    /// Makes a partition forget all producers.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[track_caller]
    pub fn expire_producer_state(&self, topic: &str, partition: i32) {
        self.with(|cluster| cluster.expire_producer_state(topic, partition));
    }

    /// Takes a broker down: its port and its connections are closed, its partitions move to other
    /// replicas, or have no leader. Does nothing if it is down.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn kill(&self, node: i32) {
        self.with(|cluster| cluster.kill(node));
        self.shared.close_node(node);
    }

    /// Brings a broker back on its port, with its records. Does nothing if it is up.
    ///
    /// # Errors
    ///
    /// If another process has taken the port meanwhile, or no thread can be started; then the broker
    /// stays down.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn restart(&self, node: i32) -> io::Result<()> {
        let (_, port) = self.with(|cluster| cluster.address(node));
        if self.with(|cluster| cluster.is_alive(node)) {
            return Ok(());
        }
        let socket = if self.tcp { Some(bind(port)?) } else { None };
        self.with(|cluster| cluster.restart(node));
        self.shared.open_node(node, None);
        if let Some(socket) = socket {
            match listen(&self.shared, node, socket) {
                Ok(listener) => self.shared.open_node(node, Some(listener)),
                Err(error) => {
                    self.kill(node);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Closes every client's connection to a broker; its port stays open. Answers that are still on
    /// their way are lost.
    pub fn disconnect_clients(&self, node: i32) {
        self.shared.disconnect(Some(node));
    }

    /// Waits until `condition` holds, which is asked whenever a request was served. False if it still
    /// does not hold after `timeout`.
    ///
    /// ```
    /// # use downpour_fake::{ApiKey, FakeCluster};
    /// # use std::time::Duration;
    /// # let cluster = FakeCluster::builder().start().unwrap();
    /// # let timeout = Duration::ZERO;
    /// let arrived = cluster.wait_until(timeout, |cluster| cluster.request_count(ApiKey::Produce) > 0);
    /// # assert!(!arrived);
    /// ```
    pub fn wait_until(&self, timeout: Duration, condition: impl Fn(&Cluster) -> bool) -> bool {
        self.shared.wait_until(timeout, condition)
    }

    /// How many connections are open, over all brokers.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }
}

impl Drop for FakeCluster {
    fn drop(&mut self) {
        self.shared.stop();
    }
}
