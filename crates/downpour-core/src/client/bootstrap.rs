//! The addresses that the user gave: whose turn it is, and when.

use std::time::Instant;

/// Where to begin, and to begin again when no known broker can be reached.
#[derive(Debug, Default)]
pub(crate) struct Bootstrap {
    /// Which address comes next, counted on without end; the remainder is the place in the list.
    pub(super) next: usize,
    /// Connections in a row that were good for nothing.
    pub(super) fruitless: u32,
    pub(super) retry_at: Option<Instant>,
    /// Set when no known broker was within reach, cleared by an answer to Metadata. Without it a
    /// client whose brokers all moved would ask their old addresses forever (KIP-899).
    pub(super) again: bool,
}
