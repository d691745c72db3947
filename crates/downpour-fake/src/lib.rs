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
//! lengths, counts, offsets, codec, timestamps) and kept as they came; producer ids, epochs and
//! sequences are judged by a real broker's rules, the window of five batches included, and forgotten
//! by their records' timestamps. Consumers that assign partitions themselves can read.
//!
//! What it refuses Kafka refuses, with Kafka's code. What no sound producer sends and Kafka takes all
//! the same is taken, and is a violation ([`FakeCluster::assert_no_violations`]): an epoch or sequence
//! without its producer id, a wrong maximum timestamp or mark of log append time (both are made
//! right), an epoch of -1, a partition that a request names twice (the last one counts), bytes behind
//! a batch or a request.
//!
//! # Where it differs from Kafka
//!
//! A hundred and thirty scripts of sound and broken requests are sent to it and to Kafka 4.3.1, 3.9.2
//! and 2.8.2, in every version of each request, and the answers compared field by field
//! (`conformance/tests/against_fake`). These differences are left:
//!
//! - Fetch ends at version 12 and ListOffsets at 7, and Produce 0 to 2 with the formats before record
//!   batches is not served, which Kafka 2.8 and 3.9 still do.
//! - Records whose offsets do not count up are refused with INVALID_RECORD; Kafka keeps them as they
//!   are, and no consumer can read them.
//! - A partition whose records are null is answered INVALID_RECORD; Kafka never answers.
//! - Where Kafka 2.8 fails over a record's wrong length with UNKNOWN_SERVER_ERROR, it says
//!   INVALID_RECORD as newer ones do.
//! - Transactions are refused with TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
//! - acks=all that waits for a stalled replication is answered after the request's timeout, also if
//!   replication goes on meanwhile.
//!
//! # What it does not
//!
//! No consumer groups, no transactions, no authentication, no encryption, no quotas. Nothing is
//! ever deleted, compacted or written to a disk. Replicas share one log, so that a leader which
//! moves has everything, unless a test wants it otherwise: [`logic::Cluster::isolate`] is a leader
//! that goes on alone, [`logic::Cluster::stall_replication`] followers that lag,
//! [`logic::Cluster::elect_unclean`] and [`logic::Cluster::truncate`] lose records. All brokers know
//! of a change at once but those of [`logic::Cluster::freeze_metadata`]. Of `zstd` batches the records
//! can be read only with the feature `zstd`; without it they are refused.
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
