//! What any Kafka client needs: the picture of the cluster, and the course of one connection.
//!
//! Nothing here knows of records or batches; `produce` builds on it.

pub(crate) mod bootstrap;
pub(crate) mod cluster;
pub(crate) mod connection;
pub(crate) mod connections;
pub(crate) mod inquiry;
pub(crate) mod versions;
