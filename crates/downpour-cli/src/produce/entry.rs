//! What the sending side tells the reporting side: one line's fate so far.

use downpour::Delivery;

/// A line of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Which source, in the order of the command line.
    pub(super) source: usize,
    /// From 1.
    pub(super) line: u64,
}

/// A line that was read, and what became of it.
#[derive(Debug)]
pub(super) enum Entry {
    /// Accepted; the verdict is still to come.
    Accepted(Place, Delivery),
    /// It did not become a record, or the record was refused: nothing was sent.
    Refused(Place, String),
}
