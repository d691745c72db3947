//! An in-process Kafka cluster for tests: it speaks the real protocol, is strict where a real
//! broker is, and goes wrong on demand.
//!
//! ```
//! use downpour_fake::{ApiKey, FakeCluster, Fault};
//!
//! # fn main() -> std::io::Result<()> {
//! let cluster = FakeCluster::builder().brokers(3).topic("events", 6).start()?;
//! cluster.fault(Fault::apply_and_lose_answer().on(ApiKey::Produce).nth(2));
//!
//! // Point any Kafka producer at `cluster.bootstrap_servers()` and send 1, 2 and 3. Then:
//! # let sent: [&str; 0] = [];
//! cluster.assert_delivered_once("events", sent);
//! cluster.assert_no_violations();
//! # Ok(())
//! # }
//! ```
//!
//! # What it is
//!
//! - [`FakeCluster`]: brokers on ports of the loopback interface, also reachable in memory through
//!   [`FakeCluster::connector`]; a connection's requests are served one at a time, as Kafka does.
//! - [`Fault`]: what goes wrong, and with which request.
//! - [`logic::Cluster`]: the same without sockets, threads and clock, for simulators.
//!
//! # What it does
//!
//! ApiVersions, Metadata, InitProducerId, Produce, Fetch, ListOffsets and CreateTopics, in the
//! version ranges of the [`KafkaVersion`] it pretends to be. Batches are checked (magic, checksum,
//! lengths, counts, offsets, codec) and kept as they came; producer ids, epochs and sequences are
//! judged by a real broker's rules, the window of five batches included. Consumers that assign
//! partitions themselves can read.
//!
//! It is stricter than a real broker with a few things that a broker repairs or overlooks, and that
//! no sound producer sends: a maximum timestamp that is no record's, offsets inside a batch that do
//! not count up, an epoch or sequence without its producer id, the mark of log append time, a
//! partition that a request names twice, and bytes behind a request's last field.
//!
//! # What it does not
//!
//! No consumer groups, no transactions, no authentication, no encryption, no quotas. Nothing is
//! ever deleted, compacted or written to a disk. Replicas share one log, so that a leader which
//! moves has everything; [`logic::Cluster::truncate`] loses records where a test wants that. All
//! brokers know of a change at once. Of `zstd` batches the records can be read only with the
//! feature `zstd`; without it they are refused.
//!
//! # Stability
//!
//! The public interface follows semantic versioning: structs and enums may gain members.

#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod fault;
pub mod logic;
mod record;
mod shell;
mod topic;
mod version;

pub use downpour_wire::codec::CompressionType;
pub use downpour_wire::error_code::ErrorCode;
pub use downpour_wire::messages::ApiKey;
pub use downpour_wire::primitives::Uuid;

pub use fault::Fault;
pub use logic::{LoggedBatch, LoggedRequest, Verdict};
pub use record::FakeRecord;
pub use shell::{FakeCluster, FakeClusterBuilder};
pub use topic::TopicSpec;
pub use version::KafkaVersion;
