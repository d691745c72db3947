//! `--kafka`: a real cluster of three brokers in place of the null broker, a topic for each run,
//! read back and counted by librdkafka.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use kafka_harness::foreign_reader;
use kafka_harness::{Cluster, Error, Spec, Version};
use serde_json::{Value, json};

use crate::cells::Cell;
use crate::contestants::{Contestant, Program};
use crate::seen::{Seen, Sent};

/// The share of a cell's records: three brokers and a client on few cores are slow.
pub(crate) const SHARE: f64 = 0.5;

const BROKERS: usize = 3;
const HEAP_MB: u32 = 512;

/// Replicas of every topic, also where acks are 1 or 0: that is a producer's choice, and topics do
/// not follow it.
const REPLICAS: u16 = 3;
const IN_SYNC_MIN: &str = "2";

/// So long the next run waits for the brokers to remove a topic's files. They begin late when the
/// cluster is new.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// A cluster that lives as long as this, and the topic of the run.
#[derive(Debug)]
pub(crate) struct Kafka {
    cluster: Cluster,
    topic: String,
    runs: u64,
}

/// The newest version; clap wants its name.
pub(crate) fn newest() -> &'static str {
    Version::ALL[Version::ALL.len() - 1].name()
}

/// Parses the version of the command line.
pub(crate) fn version(name: &str) -> Result<Version, String> {
    name.parse().map_err(text)
}

/// Whether a cell exists here: nobody delays real brokers, and each run would wait for minutes
/// until they had created tens of thousands of replicas.
pub(crate) fn has(cell: &Cell) -> bool {
    cell.network_us == 0
        && cell.service_us == 0
        && cell.refuse_every == 0
        && cell.partitions <= 1000
}

/// Whether a peer can take part: the floor talks to one broker only.
pub(crate) fn takes(peer: &Contestant) -> bool {
    peer.program != Program::Cargo("bench-floor")
}

/// What is measured against, for the line about the machine.
pub(crate) fn describe(version: Version) -> String {
    format!(
        "Apache Kafka {version}, {BROKERS} brokers on this machine with {HEAP_MB} MB of heap each, \
         {REPLICAS} replicas, min.insync.replicas {IN_SYNC_MIN}"
    )
}

impl Kafka {
    /// Builds the reader and starts the cluster.
    pub(crate) fn start(version: Version) -> Result<Self, String> {
        foreign_reader::build().map_err(text)?;
        let mut spec = Spec::new(version, BROKERS)
            // The files of a deleted topic would lie there for a minute otherwise.
            .property("log.segment.delete.delay.ms", 1000);
        // A broker that is late because the cores are busy is not dead, so these are Kafka's own
        // limits again.
        spec = if version.has_zookeeper() {
            spec.property("zookeeper.session.timeout.ms", 18_000)
        } else {
            spec.property("broker.session.timeout.ms", 9000)
                .property("broker.heartbeat.interval.ms", 2000)
        };
        spec.heap_mb = HEAP_MB;
        Ok(Self {
            cluster: Cluster::start(&spec).map_err(text)?,
            topic: String::new(),
            runs: 0,
        })
    }

    /// One broker's address, because some libraries take no list in one word, and all learn of the
    /// other brokers anyhow.
    pub(crate) fn bootstrap(&self) -> String {
        let all = self.cluster.bootstrap();
        all.split(',').next().unwrap_or_default().to_owned()
    }

    /// Creates the next run's topic.
    pub(crate) fn prepare(&mut self, partitions: u32) -> Result<String, String> {
        self.runs += 1;
        self.topic = format!("bench-{partitions}-{}", self.runs);
        let configs = [("min.insync.replicas", IN_SYNC_MIN)];
        self.cluster
            .create_topic_with_replicas(&self.topic, partitions, REPLICAS, &configs)
            .map_err(text)?;
        Ok(self.topic.clone())
    }

    /// Reads the topic back and deletes it.
    pub(crate) fn count(&mut self, sent: &Sent<'_>) -> Result<Seen, String> {
        let (records, values) = (sent.records, sent.values);
        let bootstrap = self.cluster.bootstrap();
        let read = foreign_reader::count_topic(&bootstrap, &self.topic, records, values, sent.size);
        self.delete()?;
        Ok(match read {
            Ok(counts) => Seen {
                who: "kafka",
                fault: fault(&counts, sent),
                counts,
            },
            // This one run is lost; the bench goes on.
            Err(error) => Seen {
                who: "kafka",
                fault: Some(format!("it was not read back: {error}")),
                counts: Value::Null,
            },
        })
    }

    /// Deletes the topic, so that the disk does not fill, and lets the brokers be done with it.
    fn delete(&self) -> Result<(), String> {
        self.cluster.delete_topic(&self.topic).map_err(text)?;
        // A broker renames a partition's directory before it removes it, and keeps this beginning.
        let prefix = format!("{}-", self.topic);
        let lies_there = |id: &i32| {
            let entries = fs::read_dir(self.cluster.data_dir(*id));
            entries
                .into_iter()
                .flatten()
                .flatten()
                .any(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        };
        let until = Instant::now() + GONE_WITHIN;
        while self.cluster.broker_ids().iter().any(lies_there) && Instant::now() < until {
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

/// Why a run does not count.
fn fault(counts: &Value, sent: &Sent<'_>) -> Option<String> {
    let mut zeros = vec!["unequal_partitions", "gaps", "strangers"];
    if sent.is_in_turn {
        zeros.extend(["missing", "extra"]);
    }
    let is_clean = zeros.iter().all(|name| counts[*name] == json!(0));
    let expected = sent.records;
    let totals = ["records", "end_offsets"];
    let is_exact = totals.iter().all(|name| counts[*name] == json!(expected));
    (!is_clean || !is_exact).then(|| format!("{expected} records sent, read back {counts}"))
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "it is handed to `map_err` as it is"
)]
fn text(error: Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn is_good(name: &str, value: u64, is_in_turn: bool) -> bool {
        let mut counts = json!({
            "records": 10, "end_offsets": 10, "unequal_partitions": 0, "gaps": 0, "strangers": 0,
            "missing": 0, "extra": 0,
        });
        counts[name] = json!(value);
        let sent = Sent {
            records: 10,
            written: 10..=10,
            values: Path::new(""),
            size: 1,
            is_in_turn,
        };
        fault(&counts, &sent).is_none()
    }

    #[test]
    fn only_what_is_read_back_exactly_counts() {
        assert!(is_good("records", 10, true));
        for name in ["records", "end_offsets"] {
            assert!(!is_good(name, 9, false), "{name}");
            assert!(!is_good(name, 11, false), "{name}");
        }
        for name in ["unequal_partitions", "gaps", "strangers"] {
            assert!(!is_good(name, 1, false), "{name}");
        }
        for name in ["missing", "extra"] {
            assert!(!is_good(name, 1, true), "{name}");
            assert!(is_good(name, 1, false), "{name}");
        }
        assert!(
            fault(
                &Value::Null,
                &Sent {
                    records: 0,
                    written: 0..=0,
                    values: Path::new(""),
                    size: 1,
                    is_in_turn: false
                }
            )
            .is_some()
        );
    }
}
