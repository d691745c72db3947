//! Real clusters of Apache Kafka on loopback, for tests and for the command line, and Kafka's own
//! tools as referees. Nothing of downpour is known here, not even its protocol code.

mod artifacts;
mod cluster;
mod config;
mod error;
mod ports;
mod probe;
mod process;
mod state;
mod tools;
mod version;

pub use cluster::{Cluster, Spec};
pub use config::Role;
pub use error::Error;
pub use probe::{Partition, View};
pub use process::Process;
pub use state::Node;
pub use tools::{Batch, ReadBack, Record};
pub use version::Version;
