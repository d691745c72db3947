//! What happened in a run, line by line in virtual time, bounded. Told only when asked for.

use std::collections::VecDeque;
use std::time::Duration;

/// Lines of the beginning that are kept.
const FIRST: usize = 400;

/// A bounded list of lines: the beginning and the end.
#[derive(Debug)]
pub(crate) struct Trace {
    told: bool,
    first: Vec<String>,
    last: VecDeque<String>,
    last_max: usize,
    dropped: u64,
}

impl Trace {
    pub(crate) fn new(told: bool, lines: usize) -> Self {
        Self {
            told,
            first: Vec::new(),
            last: VecDeque::new(),
            last_max: lines.saturating_sub(FIRST).max(1),
            dropped: 0,
        }
    }

    /// Adds a line, which is put into words only if somebody will read it.
    pub(crate) fn note(&mut self, now: Duration, line: impl FnOnce() -> String) {
        if !self.told {
            return;
        }
        let line = format!("{:>14.6}s  {}", now.as_secs_f64(), line());
        if self.first.len() < FIRST {
            self.first.push(line);
            return;
        }
        if self.last.len() == self.last_max {
            self.last.pop_front();
            self.dropped += 1;
        }
        self.last.push_back(line);
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        let mut lines = self.first;
        if self.dropped > 0 {
            lines.push(format!("... {} lines left out ...", self.dropped));
        }
        lines.extend(self.last);
        lines
    }
}
