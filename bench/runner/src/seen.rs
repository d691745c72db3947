//! What a run sent and what of it arrived, as both targets tell it.

use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::Value;

/// What a peer was told to send.
#[derive(Debug)]
pub(crate) struct Sent<'a> {
    /// How many records, warm-up included.
    pub(crate) records: u64,
    /// How many of them are written by the peer's account: those that it got an acknowledgement
    /// for, and at most those of which nobody knows besides.
    pub(crate) written: RangeInclusive<u64>,
    /// The file of the values.
    pub(crate) values: &'a Path,
    /// The size of a value in bytes.
    pub(crate) size: usize,
    /// Whether the values are sent in the order of the file, over and over. Peers whose threads or
    /// tasks have values of their own send the same values, but not equally often.
    pub(crate) is_in_turn: bool,
}

/// What the target saw of it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The name of the counts in the run's line.
    pub(crate) who: &'static str,
    pub(crate) counts: Value,
    /// Why the run does not count; `None` if it does.
    pub(crate) fault: Option<String>,
}
