//! The files that Kafka's processes read at their start, as text. Nothing is written or started
//! here.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;

use crate::version::Version;

/// What a node does in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Holds partitions.
    Broker,
    /// Holds partitions and is the KRaft quorum too.
    Combined,
    /// The KRaft quorum of a cluster of several brokers; nobody kills it.
    Controller,
    /// Elects the controller of a cluster whose Kafka knows no KRaft.
    ZooKeeper,
}

impl Role {
    /// Whether producers talk to it.
    pub fn is_broker(self) -> bool {
        matches!(self, Self::Broker | Self::Combined)
    }
}

/// Where a node listens and where it keeps its data.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) id: i32,
    pub(crate) role: Role,
    /// The port for clients. A controller and a ZooKeeper have no other port.
    pub(crate) port: u16,
    pub(crate) data: &'a Path,
}

/// What is the same for all nodes of a cluster.
#[derive(Debug)]
pub(crate) struct Common<'a> {
    pub(crate) version: Version,
    pub(crate) brokers: usize,
    /// Node id of the quorum; it is not used with ZooKeeper.
    pub(crate) quorum_id: i32,
    /// The port of the quorum or of ZooKeeper.
    pub(crate) quorum_port: u16,
    /// Where clients are told to find the brokers; `None` is where these listen.
    pub(crate) clients_at: Option<Ipv4Addr>,
    /// Properties that are set last, so that they override the usual ones.
    pub(crate) extra: &'a [(String, String)],
}

/// The properties file of a broker or a controller.
pub(crate) fn node(common: &Common<'_>, place: &Place<'_>) -> String {
    let Place {
        id,
        role,
        port,
        data,
    } = place;
    let Common {
        quorum_id,
        quorum_port,
        ..
    } = common;
    let mut text = String::new();
    let mut set = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}={value}");
    };
    set("log.dirs", &data.display());
    let plaintext = format!("PLAINTEXT://127.0.0.1:{port}");
    let controller = format!("CONTROLLER://127.0.0.1:{quorum_port}");
    if common.version.has_zookeeper() {
        set("broker.id", id);
        set("listeners", &plaintext);
        set("zookeeper.connect", &format!("127.0.0.1:{quorum_port}"));
        set("zookeeper.session.timeout.ms", &3000);
        // ZooKeeper starts at the same moment and does not listen yet.
        set("zookeeper.connection.timeout.ms", &30_000);
    } else {
        // Kafka wants the ports of listeners to differ. Nobody uses this one at this address.
        let among = format!("AMONG://127.0.0.3:{}", port.wrapping_add(10_000));
        let apart = common.clients_at.filter(|_| *role == Role::Broker);
        let (roles, listeners) = match role {
            Role::Broker if apart.is_some() => ("broker", format!("{plaintext},{among}")),
            Role::Broker => ("broker", plaintext.clone()),
            Role::Combined => ("broker,controller", format!("{plaintext},{controller}")),
            Role::Controller | Role::ZooKeeper => ("controller", controller),
        };
        set("node.id", id);
        set("process.roles", &roles);
        set("listeners", &listeners);
        if let Some(address) = apart {
            let told = format!("PLAINTEXT://{address}:{port},{among}");
            set("advertised.listeners", &told);
            set("inter.broker.listener.name", &"AMONG");
        } else if role.is_broker() {
            set("advertised.listeners", &plaintext);
        }
        set(
            "controller.quorum.voters",
            &format!("{quorum_id}@127.0.0.1:{quorum_port}"),
        );
        set("controller.listener.names", &"CONTROLLER");
        set(
            "listener.security.protocol.map",
            &"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,AMONG:PLAINTEXT",
        );
        // A killed broker stays leader until its session ends.
        set("broker.session.timeout.ms", &3000);
        set("broker.heartbeat.interval.ms", &500);
    }
    let (replicas, in_sync) = (common.brokers.min(3), common.brokers.min(3).div_ceil(2));
    set("default.replication.factor", &replicas);
    set("min.insync.replicas", &in_sync);
    set("offsets.topic.replication.factor", &replicas);
    set("transaction.state.log.replication.factor", &replicas);
    set("transaction.state.log.min.isr", &in_sync);
    set("offsets.topic.num.partitions", &4);
    set("transaction.state.log.num.partitions", &4);
    set("auto.create.topics.enable", &false);
    set("group.initial.rebalance.delay.ms", &0);
    set("num.network.threads", &2);
    set("num.io.threads", &4);
    // The cleaner's table would take 128 MB before anything was written.
    set("log.cleaner.dedupe.buffer.size", &(4 << 20));
    for (name, value) in common.extra {
        set(name, value);
    }
    text
}

/// The properties file of a ZooKeeper.
pub(crate) fn zookeeper(place: &Place<'_>) -> String {
    // A session lasts at least two ticks, and a killed broker shall be missed within 3 s.
    format!(
        "dataDir={}\nclientPort={}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\n\
         admin.enableServer=false\ntickTime=500\n",
        place.data.display(),
        place.port
    )
}

/// What a formatted KRaft log directory says of itself.
pub(crate) fn meta_properties(cluster_id: &str, place: &Place<'_>) -> String {
    format!("version=1\ncluster.id={cluster_id}\nnode.id={}\n", place.id)
}

/// The name and the text of the file that sends log lines to `log`, and the JVM's option for it.
pub(crate) fn logging(version: Version, log: &Path) -> (&'static str, String, &'static str) {
    let log = log.display();
    let pattern = "[%d] %p %m (%c)%n";
    if version.has_log4j2() {
        let text = format!(
            "appender.file.type=File\nappender.file.name=file\nappender.file.fileName={log}\n\
             appender.file.layout.type=PatternLayout\nappender.file.layout.pattern={pattern}\n\
             rootLogger.level=info\nrootLogger.appenderRef.file.ref=file\n"
        );
        ("log4j2.properties", text, "-Dlog4j2.configurationFile=")
    } else {
        let text = format!(
            "log4j.rootLogger=INFO, file\nlog4j.appender.file=org.apache.log4j.FileAppender\n\
             log4j.appender.file.File={log}\nlog4j.appender.file.layout=org.apache.log4j.PatternLayout\n\
             log4j.appender.file.layout.ConversionPattern={pattern}\n"
        );
        ("log4j.properties", text, "-Dlog4j.configuration=file:")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(version: Version, brokers: usize, role: Role) -> String {
        text_at(version, brokers, role, None)
    }

    fn text_at(
        version: Version,
        brokers: usize,
        role: Role,
        clients_at: Option<Ipv4Addr>,
    ) -> String {
        let extra = [("num.partitions".to_owned(), "7".to_owned())];
        let common = Common {
            version,
            brokers,
            quorum_id: 100,
            quorum_port: 20_001,
            clients_at,
            extra: &extra,
        };
        node(
            &common,
            &Place {
                id: 2,
                role,
                port: 20_002,
                data: Path::new("data"),
            },
        )
    }

    fn has(text: &str, line: &str) -> bool {
        text.lines().any(|known| known == line)
    }

    #[test]
    fn three_brokers_keep_three_copies_and_want_two() {
        let three = text(Version::V4_3_1, 3, Role::Broker);
        assert!(has(&three, "default.replication.factor=3"), "{three}");
        assert!(has(&three, "min.insync.replicas=2"), "{three}");
        assert!(
            has(&three, "controller.quorum.voters=100@127.0.0.1:20001"),
            "{three}"
        );
        let one = text(Version::V4_3_1, 1, Role::Combined);
        assert!(has(&one, "default.replication.factor=1"), "{one}");
        assert!(has(&one, "min.insync.replicas=1"), "{one}");
    }

    #[test]
    fn a_controller_has_no_listener_for_clients() {
        let controller = text(Version::V3_9_2, 3, Role::Controller);
        assert!(
            has(&controller, "listeners=CONTROLLER://127.0.0.1:20001"),
            "{controller}"
        );
        assert!(!controller.contains("advertised"), "{controller}");
    }

    #[test]
    fn clients_are_told_of_the_address_of_proxies_and_brokers_are_not() {
        let at = Some(Ipv4Addr::new(127, 0, 0, 2));
        let broker = text_at(Version::V4_3_1, 3, Role::Broker, at);
        let told = "advertised.listeners=PLAINTEXT://127.0.0.2:20002,AMONG://127.0.0.3:30002";
        assert!(has(&broker, told), "{broker}");
        assert!(has(&broker, "inter.broker.listener.name=AMONG"), "{broker}");
        let controller = text_at(Version::V4_3_1, 3, Role::Controller, at);
        assert!(!controller.contains("127.0.0.2"), "{controller}");
    }

    #[test]
    fn an_old_broker_knows_zookeeper_and_no_quorum() {
        let old = text(Version::V2_8_2, 3, Role::Broker);
        assert!(has(&old, "zookeeper.connect=127.0.0.1:20001"), "{old}");
        assert!(
            !old.contains("process.roles") && !old.contains("quorum"),
            "{old}"
        );
    }

    #[test]
    fn what_the_caller_sets_comes_last() {
        assert_eq!(
            text(Version::V4_3_1, 1, Role::Combined).lines().last(),
            Some("num.partitions=7")
        );
    }
}
