//! What callers and the I/O thread of one producer share, behind locks of its own each.
//!
//! Topics have a room of their own, `topics`. What only the I/O thread touches is in `io`, the
//! order of all locks in ARCHITECTURE.md, Locks.

pub(crate) mod brokers;
pub(crate) mod compressors;
pub(crate) mod mailbox;
pub(crate) mod memory;
pub(crate) mod question;
#[expect(
    clippy::module_inception,
    reason = "each file has its main type's name"
)]
pub(crate) mod shared;
pub(crate) mod statistics;
pub(crate) mod termination;
pub(crate) mod timers;
pub(crate) mod unusual;
