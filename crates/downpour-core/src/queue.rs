//! One partition's ordered queue, from append to verdict.
//!
//! One open batch, then sealed ones, then what is in flight; identity and sequences belong to
//! the partition. The shell locks a queue for an append, the engine for everything else; nothing
//! here knows of brokers beyond their number, nor of time beyond what it is given.
//!
//! *Invariant:* batches leave in the order in which they were closed, and a batch that comes
//! back takes its old place. *Invariant:* under one identity sequences have no gap that a later
//! batch could cross: a broken sequence sends nothing more until it has a new epoch.

mod abort;
mod answer;
mod append;
mod batch;
mod ceiling;
mod counters;
mod drain;
mod expiry;
mod sequence;
mod state;
#[cfg(test)]
mod tests;

pub use abort::Unsent;
pub use answer::{Answer, RecordRefusal};
pub use append::{Added, Append, Chunk, ChunkNeed, SealDone};
pub use batch::Left;
pub use counters::Counters;
pub use drain::{Drain, DrainContext, OutgoingBatch, Peek, Readiness};
pub use state::{Queue, QueueSettings, Turn};
