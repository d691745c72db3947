//! What the thread that sends is told: by the thread that reads, and by who stops the run.

use crate::input::{Block, ReadError};

/// What the reading side and [`Stop`](super::stop::Stop) say.
#[derive(Debug)]
pub(super) enum Message {
    Block(Block),
    /// A source that cannot be read on.
    Failed(ReadError),
    /// `Stop` says why.
    Stopped,
    /// All sources are at their end.
    End,
}
