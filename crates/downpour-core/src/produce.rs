//! The decisions of the I/O thread: which connections, which requests, what an answer means.
//!
//! Joins connections, metadata, the producer id and the partitions' queues. Start with
//! [`Engine`], which says in which order it is driven; what it needs of its shell is [`Queues`],
//! what it asks of it is [`Output`]. One partition's own decisions are in [`queue`](crate::queue).
//!
//! *Invariant:* at most one request for metadata and one for a producer id are on their way.

mod answers;
mod asking;
mod broker;
mod close;
mod connections;
mod dispatch;
mod engine;
mod expiry;
mod idle;
mod metadata;
mod other_cluster;
mod pacing;
mod peeking;
mod poll;
mod producer_id;
mod questions;
mod queues;
mod requests;
mod send_lists;
mod silence;
mod statistics;
#[cfg(test)]
mod tests;
mod topics;
mod wanted;

pub use crate::output::{ClusterUpdate, Output, TopicUpdate};
pub use engine::Engine;
pub use queues::Queues;
pub use statistics::{BrokerCounters, Statistics};
