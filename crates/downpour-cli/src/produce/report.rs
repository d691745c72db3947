//! Where a run's results go: to people, or to a program. The two forms are `human` and `json`.

use std::io;
use std::time::Duration;

use downpour::{DeliveryError, Report};

use super::entry::InputLine;
use super::tally::Tally;

/// Why and where a run ended before its input did.
#[derive(Debug, Clone)]
pub(super) struct Halt {
    /// The first line that was not sent, if it is known.
    pub(super) at: Option<InputLine>,
    pub(super) reason: String,
    /// Sources of which nothing was read.
    pub(super) untouched: Vec<usize>,
}

/// What a run came to: for the last lines of a report.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    pub(super) topic: &'a str,
    /// The sources' names, by number.
    pub(super) names: &'a [String],
    pub(super) tally: &'a Tally,
    pub(super) halt: Option<&'a Halt>,
    pub(super) elapsed: Duration,
}

impl Summary<'_> {
    /// Whether all input was read and all records acknowledged.
    pub(super) fn is_complete(&self) -> bool {
        self.halt.is_none() && self.tally.failed() == 0
    }

    /// Records per second.
    pub(super) fn rate(&self) -> f64 {
        self.tally.acknowledged as f64 / self.elapsed.as_secs_f64().max(1e-6)
    }
}

/// One form of results. Errors are those of standard output; they do not stop a run.
pub(super) trait Sink: Send {
    /// A record is in the log.
    fn delivered(&mut self, at: InputLine, report: &Report) -> io::Result<()>;

    /// An accepted record is not in the log, or it is unknown whether it is.
    fn failed(&mut self, at: InputLine, error: &DeliveryError) -> io::Result<()>;

    /// A line or its record was refused; nothing was sent.
    fn refused(&mut self, at: InputLine, reason: &str) -> io::Result<()>;

    /// Shows what has been told so far.
    fn flush(&mut self) -> io::Result<()>;

    /// Nothing comes after it.
    fn summary(&mut self, summary: &Summary<'_>) -> io::Result<()>;
}
