//! The versions of Apache Kafka that the tests run against, and how each differs from the others
//! in what it is made of. How a cluster of one is configured is in `config`.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A release of Apache Kafka that can be started here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// An old Kafka that people still run, with ZooKeeper.
    V2_8_2,
    /// The last of the 3.x, with KRaft.
    V3_9_2,
    /// The newest that Maven holds completely.
    V4_3_1,
}

impl Version {
    /// All of them, the oldest first.
    pub const ALL: [Self; 3] = [Self::V2_8_2, Self::V3_9_2, Self::V4_3_1];

    /// Its number as Maven spells it, such as `4.3.1`.
    pub fn name(self) -> &'static str {
        match self {
            Self::V2_8_2 => "2.8.2",
            Self::V3_9_2 => "3.9.2",
            Self::V4_3_1 => "4.3.1",
        }
    }

    /// Whether ZooKeeper elects the controller. A KRaft quorum elects it otherwise.
    pub fn has_zookeeper(self) -> bool {
        self == Self::V2_8_2
    }

    /// Maven's coordinates: group, artifact, version.
    pub(crate) fn artifacts(self) -> Vec<[&'static str; 3]> {
        let kafka = "org.apache.kafka";
        let mut artifacts = vec![
            [kafka, "kafka_2.13", self.name()],
            [kafka, "kafka-tools", self.name()],
        ];
        if self.has_log4j2() {
            // Without this binding for slf4j 1.7 every log line is dropped.
            artifacts.push(["org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.3"]);
        }
        artifacts
    }

    /// Whether logging is configured as log4j 2 wants it.
    pub(crate) fn has_log4j2(self) -> bool {
        self == Self::V4_3_1
    }

    /// The full class name of one of Kafka's own tools.
    pub(crate) fn class(self, tool: Tool) -> &'static str {
        match (tool, self.has_zookeeper()) {
            (Tool::Broker, _) => "kafka.Kafka",
            (Tool::ZooKeeper, _) => "org.apache.zookeeper.server.quorum.QuorumPeerMain",
            (Tool::Storage, _) => "kafka.tools.StorageTool",
            (Tool::Topic, true) => "kafka.admin.TopicCommand",
            (Tool::Topic, false) => "org.apache.kafka.tools.TopicCommand",
            (Tool::Consumer, true) => "kafka.tools.ConsoleConsumer",
            (Tool::Consumer, false) => "org.apache.kafka.tools.consumer.ConsoleConsumer",
            (Tool::Offsets, true) => "kafka.tools.GetOffsetShell",
            (Tool::Offsets, false) => "org.apache.kafka.tools.GetOffsetShell",
            (Tool::DumpLog, false) if self != Self::V3_9_2 => {
                "org.apache.kafka.tools.DumpLogSegments"
            }
            (Tool::DumpLog, _) => "kafka.tools.DumpLogSegments",
            (Tool::ProducerPerformance, _) => "org.apache.kafka.tools.ProducerPerformance",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|version| version.name() == text)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::name).join(", ");
                Error::new(format!("no Apache Kafka {text} here, only {known}"))
            })
    }
}

/// The programs that are started out of the jars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Broker,
    ZooKeeper,
    Storage,
    Topic,
    Consumer,
    Offsets,
    DumpLog,
    ProducerPerformance,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_parsed_by_their_names() {
        for version in Version::ALL {
            assert_eq!(version.name().parse::<Version>().unwrap(), version);
        }
        let refused = "2.1.1".parse::<Version>().unwrap_err().to_string();
        assert!(refused.contains("2.8.2, 3.9.2, 4.3.1"), "{refused}");
    }
}
