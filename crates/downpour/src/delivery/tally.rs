//! How many of a partition's records ended how. It moves with a verdict, which is one for many
//! records, before anybody can see that, and is read by anybody at any time.

use downpour_core::mutants;
use downpour_core::outcome::Verdict;

use crate::sys::sync::atomic::{AtomicU64, Ordering};

/// Records by their verdicts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    delivered: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
}

impl Tally {
    /// So many records got this verdict.
    pub(crate) fn count(&self, records: u32, verdict: &Verdict) {
        let number = match verdict {
            Verdict::Failed(_) => &self.failed,
            Verdict::Unknown(_) => &self.unknown,
            _ => &self.delivered,
        };
        number.fetch_add(
            u64::from(records) << u32::from(mutants::is(50)),
            Ordering::Relaxed,
        );
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn unknown(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }
}
