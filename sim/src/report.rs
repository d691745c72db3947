//! What a run leaves behind: whether it passed, and what it exercised.

use std::collections::BTreeMap;
use std::fmt;

/// How often each thing happened, so that runs that test nothing are seen.
#[derive(Debug, Clone, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Counts one more of `what`.
    pub fn count(&mut self, what: &str) {
        self.add(what, 1);
    }

    /// Counts `n` more of `what`.
    pub fn add(&mut self, what: &str, n: u64) {
        if n == 0 {
            return;
        }
        if let Some(known) = self.0.get_mut(what) {
            *known += n;
        } else {
            self.0.insert(what.to_owned(), n);
        }
    }

    /// Adds another run's counts.
    pub fn merge(&mut self, other: &Self) {
        for (what, n) in &other.0 {
            self.add(what, *n);
        }
    }

    /// How often `what` happened.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut group = "";
        for (what, n) in &self.0 {
            let (head, rest) = what.split_once(": ").unwrap_or(("other", what));
            if head != group {
                if !group.is_empty() {
                    writeln!(f)?;
                }
                write!(f, "{head}:")?;
                group = head;
            }
            write!(f, " {rest} {n},")?;
        }
        Ok(())
    }
}

/// One seed's outcome.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What was broken first, in words; `None` if nothing was.
    pub violation: Option<String>,
    /// What happened, if it was asked for.
    pub trace: Vec<String>,
    /// What was exercised.
    pub tally: Tally,
}
