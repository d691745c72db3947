//! The cluster without I/O, clock, threads and randomness: what brokers know and how they answer.
//! Sockets and threads are in `shell`. This file only declares and re-exports.

mod admin;
mod apis;
mod check;
mod cluster;
mod context;
mod framing;
mod log;
mod producers;
mod protocol;
mod reaction;
mod request_log;
mod rules;
mod state;
mod targets;
mod words;

pub use cluster::Cluster;
pub use reaction::{Reaction, Then};
pub use request_log::{LoggedBatch, LoggedRequest, REQUESTS_KEPT_MAX, Verdict};
