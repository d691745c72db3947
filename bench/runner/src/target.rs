//! Where records go: the null broker or real brokers. Both prepare for a run and count after it.

use std::time::Duration;

use crate::broker::Broker;
use crate::cells::Cell;
use crate::kafka::Kafka;
use crate::seen::{Seen, Sent};

/// What the peers send to.
#[derive(Debug)]
pub(crate) enum Target {
    /// The null broker, which verifies and delays and keeps nothing.
    Null(Broker),
    /// Real brokers, which keep everything, so that it is read back.
    Kafka(Kafka),
}

impl Target {
    /// The address for a peer's `--bootstrap`.
    pub(crate) fn bootstrap(&self) -> String {
        match self {
            Self::Null(broker) => broker.bootstrap(),
            Self::Kafka(kafka) => kafka.bootstrap(),
        }
    }

    /// The share of a cell's records that is sent here.
    pub(crate) fn share(&self) -> f64 {
        match self {
            Self::Null(_) => 1.0,
            Self::Kafka(_) => crate::kafka::SHARE,
        }
    }

    /// A run that takes longer is taken to hang. A JVM's warm-up is thousands of round trips, and those of
    /// three busy brokers take milliseconds.
    pub(crate) fn run_within(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Null(_) => 180,
            Self::Kafka(_) => 600,
        })
    }

    /// Prepares for a run and returns its topic.
    pub(crate) fn prepare(&mut self, cell: &Cell) -> Result<String, String> {
        match self {
            Self::Null(broker) => {
                broker.prepare(cell)?;
                // The null broker reads the number of partitions out of the name.
                Ok(format!("bench-{}", cell.partitions))
            }
            Self::Kafka(kafka) => kafka.prepare(cell.partitions),
        }
    }

    /// Counts what came since, once the peer has ended.
    pub(crate) fn count(&mut self, sent: &Sent<'_>) -> Result<Seen, String> {
        match self {
            Self::Null(broker) => broker.count(sent),
            Self::Kafka(kafka) => kafka.count(sent),
        }
    }
}
