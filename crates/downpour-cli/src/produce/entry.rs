//! What the sending side tells the reporting side: one line, and what became of it so far.

use downpour::Delivery;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InputLine {
    /// Which source, in the order of the command line.
    pub(super) source: usize,
    /// The source's first line is 1.
    pub(super) line: u64,
}

/// What was sent of a block.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    /// How much of the input it was.
    pub(super) size: u64,
}

/// A line that was read, and what became of it.
#[derive(Debug)]
pub(super) enum Entry {
    /// Accepted; the verdict is still to come.
    Accepted(InputLine, Delivery),
    /// It did not become a record, or the record was refused: nothing was sent.
    Refused(InputLine, String),
}
