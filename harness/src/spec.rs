//! What cluster to start, and which nodes such a cluster has. Starting it is `cluster`'s.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::config::Role;
use crate::error::Error;
use crate::ports;
use crate::process::Process;
use crate::state::{Node, State};
use crate::version::Version;

/// The most brokers that a cluster may have.
const BROKERS_MAX: usize = 9;

/// The id of the node that is not a broker.
const QUORUM_ID: i32 = 100;

/// The heap of a controller or a ZooKeeper, which hold no partitions.
const QUORUM_HEAP_MB: u32 = 256;

/// What to start.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The release of Apache Kafka.
    pub version: Version,
    /// How many brokers; their ids are 1, 2, 3. With three, topics have three replicas by default
    /// and `min.insync.replicas` is 2.
    pub brokers: usize,
    /// Broker properties that override the usual ones, in this order.
    pub properties: Vec<(String, String)>,
    /// The heap of each broker's JVM.
    pub heap_mb: u32,
    /// The first broker's port; by default, as the others', one that is free.
    pub port: Option<u16>,
    /// The cluster's directory; by default a new one below `target/kafka`.
    pub dir: Option<PathBuf>,
    /// The address of loopback at which brokers tell clients to find them, each at its own port; the
    /// caller puts proxies there. Brokers reach each other past it. Not with ZooKeeper.
    pub clients_at: Option<Ipv4Addr>,
}

impl Spec {
    /// A cluster of `brokers` brokers with the usual properties.
    pub fn new(version: Version, brokers: usize) -> Self {
        Self {
            version,
            brokers,
            properties: Vec::new(),
            heap_mb: 384,
            port: None,
            dir: None,
            clients_at: None,
        }
    }

    /// Sets one property of the brokers.
    #[must_use]
    pub fn property(mut self, name: &str, value: impl ToString) -> Self {
        self.properties.push((name.to_owned(), value.to_string()));
        self
    }

    /// The nodes of a new cluster, brokers first, none of them started yet.
    ///
    /// # Errors
    /// When that many brokers are not possible, or there are no free ports.
    pub(crate) fn plan(&self, owner: Option<Process>) -> Result<State, Error> {
        if self.clients_at.is_some() && self.version.has_zookeeper() {
            return Err(Error::new("proxies are for clusters without ZooKeeper"));
        }
        if self.brokers == 0 || self.brokers > BROKERS_MAX {
            return Err(Error::new(format!(
                "{} brokers: from 1 to {BROKERS_MAX} are possible",
                self.brokers
            )));
        }
        let mut ports = ports::free(self.brokers + 1)?;
        if let Some(port) = self.port {
            if !ports::is_free(port) {
                return Err(Error::new(format!("port {port} is taken")));
            }
            ports[0] = port;
        }
        let quorum_port = ports[self.brokers];
        let mut nodes = Vec::new();
        let quorum = if self.version.has_zookeeper() {
            Role::ZooKeeper
        } else {
            Role::Controller
        };
        let is_combined = self.brokers == 1 && quorum == Role::Controller;
        for (id, port) in (1..).zip(&ports[..self.brokers]) {
            let role = if is_combined {
                Role::Combined
            } else {
                Role::Broker
            };
            nodes.push(Node {
                id,
                role,
                port: *port,
                process: None,
                heap_mb: self.heap_mb,
            });
        }
        if !is_combined {
            nodes.push(Node {
                id: QUORUM_ID,
                role: quorum,
                port: quorum_port,
                process: None,
                heap_mb: QUORUM_HEAP_MB,
            });
        }
        Ok(State {
            version: self.version,
            owner,
            quorum_port,
            nodes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(version: Version, brokers: usize) -> Vec<(i32, Role)> {
        let state = Spec::new(version, brokers).plan(None).unwrap();
        state
            .nodes
            .iter()
            .map(|node| (node.id, node.role))
            .collect()
    }

    #[test]
    fn several_brokers_have_a_quorum_of_their_own_and_one_is_its_own_unless_zookeeper_is() {
        let brokers = [1, 2, 3].map(|id| (id, Role::Broker));
        let with = |quorum| [brokers.as_slice(), &[(QUORUM_ID, quorum)]].concat();
        assert_eq!(roles(Version::V4_3_1, 3), with(Role::Controller));
        assert_eq!(roles(Version::V2_8_2, 3), with(Role::ZooKeeper));
        assert_eq!(roles(Version::V4_3_1, 1), [(1, Role::Combined)]);
        assert_eq!(
            roles(Version::V2_8_2, 1),
            [(1, Role::Broker), (QUORUM_ID, Role::ZooKeeper)]
        );
    }

    #[test]
    fn the_first_broker_has_the_port_that_was_asked_for_unless_it_is_taken() {
        let port = ports::free(1).unwrap()[0];
        let mut spec = Spec::new(Version::V4_3_1, 3);
        spec.port = Some(port);
        let state = spec.plan(None).unwrap();
        assert_eq!(state.nodes[0].port, port);
        assert!(state.nodes[1..].iter().all(|node| node.port != port));
        let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        let told = spec.plan(None).unwrap_err().to_string();
        assert!(told.contains(&format!("port {port} is taken")), "{told}");
    }

    #[test]
    fn no_broker_and_too_many_are_refused() {
        for brokers in [0, BROKERS_MAX + 1] {
            Spec::new(Version::V4_3_1, brokers).plan(None).unwrap_err();
        }
    }
}
