//! The decisions of the I/O thread: which connections, which requests, what an answer means.
//!
//! Joins connections, metadata, identity and the partitions' queues. Queues stay with the shell,
//! which locks them; they are lent through [`Queues`]. After any `handle_*` the shell calls
//! [`Engine::poll`], then carries out what [`Engine::poll_output`] says.
//!
//! *Invariant:* a slot that has anything to send is in exactly one list: its leader's or the
//! orphans'. *Invariant:* at most one metadata and one identity request are on their way.

mod answers;
mod breath;
mod close;
mod dispatch;
mod identify;
mod links;
mod metadata;
mod schedule;
mod state;
#[cfg(test)]
mod tests;

pub use state::{Engine, Output, Queues, TopicUpdate};
