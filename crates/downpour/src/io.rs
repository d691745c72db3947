//! The I/O thread: sockets, and carrying out what the engine decides.
//!
//! Decisions are `downpour-core`'s; what callers wait for is in `accept` and `shared`. Each
//! producer has one such thread, started at first use, and a small pool for what may block or
//! takes long.

mod after;
mod closing;
mod connect;
mod connection;
mod connections;
#[cfg_attr(
    not(feature = "simulation"),
    allow(unreachable_pub, reason = "public for the simulator")
)]
pub(crate) mod driver;
#[cfg(test)]
mod fixtures;
pub(crate) mod given;
mod lookups;
mod opening;
#[cfg_attr(
    not(feature = "simulation"),
    allow(unreachable_pub, reason = "public for the simulator")
)]
pub(crate) mod pool;
mod questions;
mod queues;
pub(crate) mod rounds;
#[cfg_attr(
    not(feature = "simulation"),
    allow(unreachable_pub, reason = "public for the simulator")
)]
pub(crate) mod sockets;
pub(crate) mod thread;
