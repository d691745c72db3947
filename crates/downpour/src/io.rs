//! The I/O thread: sockets, and carrying out what the engine decides.
//!
//! Decisions are `downpour-core`'s; callers' waits are elsewhere in this crate. One thread a
//! producer, started at first use, and a small pool for what may block or takes long.

mod closing;
mod driver;
mod link;
mod links;
mod log;
mod lookup;
mod pool;
mod thread;
mod transport;

pub(crate) use thread::start;
