//! Looking for a moment whether something is there, before a thread goes to sleep.
//!
//! How it sleeps and is woken is `park`'s.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a thread spins before it sleeps: no longer than two wake-ups take.
const SPIN_MAX: Duration = Duration::from_micros(100);
/// How many waits go by at most before a thread that spun in vain spins again.
const SKIP_MAX: u32 = 1023;

thread_local! {
    static BACKOFF: Cell<SpinBackoff> = const { Cell::new(SpinBackoff::NEW) };
}

/// Whether spinning was worth it on this thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SpinBackoff {
    /// How many waits were to go by after the last vain spin.
    skip: u32,
    /// How many of them are left.
    left: u32,
}

impl SpinBackoff {
    const NEW: Self = Self { skip: 0, left: 0 };

    /// What to do from now on, after a spin that found something or did not.
    fn after(self, found: bool) -> Self {
        if found {
            return Self::NEW;
        }
        let skip = (2 * self.skip + 1).min(SKIP_MAX);
        Self { skip, left: skip }
    }
}

/// Calls `find` for a moment, until it finds something.
///
/// A near broker answers before a thread is fast asleep and awake again, so that spinning costs
/// less processor time than sleeping and half the time. A thread that spun in vain lets ever
/// more waits go by, a thousand in the end: against a broker a millisecond away spinning costs a
/// tenth of a microsecond per wait. One thread of a process spins at a time, and none where
/// there is but one processor.
pub(crate) fn spin<T>(find: impl FnMut() -> Option<T>) -> Option<T> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    static ALONE: OnceLock<bool> = OnceLock::new();
    let one = || std::thread::available_parallelism().is_ok_and(|count| count.get() == 1);
    spin_unless(&TAKEN, || *ALONE.get_or_init(one), find)
}

/// [`spin`], unless another thread has taken the turn or this one is `alone`.
fn spin_unless<T>(
    taken: &AtomicBool,
    alone: impl FnOnce() -> bool,
    mut find: impl FnMut() -> Option<T>,
) -> Option<T> {
    let backoff = BACKOFF.get();
    if backoff.left > 0 {
        BACKOFF.set(SpinBackoff {
            left: backoff.left - 1,
            ..backoff
        });
        return None;
    }
    if alone() || taken.swap(true, Ordering::Acquire) {
        return None;
    }
    let began = Instant::now();
    let found = loop {
        if let Some(found) = find() {
            break Some(found);
        }
        if began.elapsed() >= SPIN_MAX {
            break None;
        }
        // Whoever brings the answer may want this processor.
        std::thread::yield_now();
    };
    taken.store(false, Ordering::Release);
    BACKOFF.set(backoff.after(found.is_some()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many waits spin, on a machine where nobody else does.
    fn spins(waits: u32, finds: bool) -> u32 {
        let taken = AtomicBool::new(false);
        let spins = (0..waits).map(|_| {
            let mut looked = false;
            let found = spin_unless(
                &taken,
                || false,
                || {
                    looked = true;
                    finds.then_some(())
                },
            );
            assert_eq!(found.is_some(), finds && looked);
            u32::from(looked)
        });
        spins.sum()
    }

    #[test]
    fn spinning_in_vain_makes_spins_ever_rarer_and_one_that_finds_makes_them_common() {
        // What a thread learned is its own; this one has learned nothing yet.
        let fresh = std::thread::spawn(|| {
            // Waits 0, 2, 6, 14 and so on, up to 1022.
            assert_eq!(spins(1023, false), 10);
            assert_eq!(spins(SKIP_MAX, true), 0, "the last vain spin counts");
            assert_eq!(spins(5, true), 5);
            assert_eq!(spins(3, false), 2, "it begins anew");
        });
        fresh.join().unwrap();
    }

    #[test]
    fn no_more_than_a_thousand_waits_go_by() {
        let worn = (0..20).fold(SpinBackoff::NEW, |backoff, _| backoff.after(false));
        assert_eq!((worn.skip, worn.left), (SKIP_MAX, SKIP_MAX));
    }

    #[test]
    fn one_thread_spins_at_a_time_and_none_on_a_lone_processor() {
        let found = || Some(());
        assert_eq!(spin_unless(&AtomicBool::new(true), || false, found), None);
        assert_eq!(spin_unless(&AtomicBool::new(false), || true, found), None);
        let free = AtomicBool::new(false);
        assert_eq!(spin_unless(&free, || false, found), Some(()));
        assert!(!free.into_inner(), "the turn is given back");
    }
}
