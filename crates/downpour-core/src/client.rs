//! What any Kafka client needs: the picture of the cluster, and the course of one connection.
//!
//! Nothing here knows of records or batches; `produce` builds on it.

pub(crate) mod bootstrap;
pub(crate) mod cluster;
pub mod connect_error;
pub(crate) mod connection;
pub(crate) mod connections;
pub mod ending;
pub(crate) mod inquiry;
pub mod notice;
pub mod partition_info;
pub(crate) mod plausible;
pub(crate) mod stage;
pub(crate) mod stranger;
pub(crate) mod topic;
pub(crate) mod versions;
