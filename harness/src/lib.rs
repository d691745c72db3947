//! Real clusters of Apache Kafka on loopback, for tests and for the command line; Kafka's own
//! tools and librdkafka as readers that nobody here wrote. Nothing of downpour is known here, not
//! even its protocol code.

mod admin;
mod artifacts;
mod cluster;
mod config;
mod error;
pub mod foreign_reader;
mod home;
mod nodes;
mod ports;
mod probe;
mod process;
mod setup;
mod spec;
mod state;
mod tools;
mod topics;
mod version;

pub use admin::Election;
pub use artifacts::classpath;
pub use cluster::Cluster;
pub use config::Role;
pub use error::Error;
pub use probe::{Partition, View};
pub use process::Process;
pub use spec::Spec;
pub use state::Node;
pub use tools::{Batch, ReadBack, Record};
pub use version::Version;
