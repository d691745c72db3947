//! The cluster with sockets, threads and a clock: TCP on the loopback interface and, on Unix,
//! socket pairs in memory. What brokers answer is `logic`'s. This file only declares.

mod assertions;
mod builder;
mod connection;
mod fake;
mod gate;
mod listener;
mod outbox;
mod shared;
mod stream;

pub use builder::FakeClusterBuilder;
pub use fake::FakeCluster;
