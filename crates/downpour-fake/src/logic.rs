//! The cluster without I/O, clock, threads and randomness: what brokers know and how they answer.
//! Sockets and threads are in `shell`. This file only declares and re-exports.

mod apis;
mod call;
mod check;
mod cluster;
mod log;
mod producers;
mod protocol;
mod reaction;
mod requests;
mod state;
mod targets;
mod verbs;

pub use cluster::Cluster;
pub use reaction::{Reaction, Then};
pub use requests::{LoggedBatch, LoggedRequest, REQUESTS_KEPT_MAX, Verdict};
