//! Whatever makes a record's way an unusual one, in one word that every send looks at.
//!
//! Each reason is a bit here, set and cleared by who knows of it; the number of forks stands
//! above them. So a send pays one comparison for all reasons together, those that come later
//! included, and finds out which it is on the slow way.

use crate::sys::fork;
use crate::sys::sync::atomic::{AtomicU32, Ordering};

/// A reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Reason {
    /// Set by whoever closes first, never cleared: no record is taken any more. A caller that is
    /// past this test and has not appended yet is stopped by its partition's own flag, `closed`,
    /// which the I/O thread sets under that partition's lock.
    Closing = 1,
    /// Somebody waits for memory: copied from the budget, under its lock, whenever that may have
    /// changed. A send may see it late: then its record finds room in an open batch a moment
    /// after somebody began to wait. If it were never set, those who come later would fill the
    /// open batches forever and keep them from leaving.
    Contended = 2,
}

const _: () = assert!(fork::STEP > Reason::Contended as u32);

/// The word of one producer.
#[derive(Debug)]
pub(crate) struct Unusual {
    word: AtomicU32,
}

impl Unusual {
    /// Of a producer that this process builds.
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU32::new(fork::register()),
        }
    }

    /// Whether there is any reason to leave the usual way.
    #[inline(always)]
    pub(crate) fn any(&self) -> bool {
        self.word.load(Ordering::Relaxed) != fork::generation()
    }

    /// Whether this is one.
    #[inline]
    pub(crate) fn is(&self, reason: Reason) -> bool {
        self.word.load(Ordering::Relaxed) & reason as u32 != 0
    }

    /// Whether this process is a forked child of the one that built the producer: it has the
    /// memory and not the thread, and locks may be held by threads that it does not have.
    pub(crate) fn is_forked(&self) -> bool {
        let built = self.word.load(Ordering::Relaxed) & !(fork::STEP - 1);
        built != fork::generation()
    }

    /// Makes this process look like a forked child.
    #[cfg(test)]
    pub(crate) fn pretend_fork(&self) {
        let generation = fork::generation().wrapping_sub(fork::STEP);
        self.word.store(generation, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, reason: Reason) {
        self.word.fetch_or(reason as u32, Ordering::SeqCst);
    }

    /// Sets it or clears it; writes nothing if it is as it should be, since this line is in the
    /// cache of every sender.
    pub(crate) fn copy(&self, reason: Reason, holds: bool) {
        if holds == self.is(reason) {
            return;
        }
        if holds {
            self.word.fetch_or(reason as u32, Ordering::Relaxed);
        } else {
            self.word.fetch_and(!(reason as u32), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_come_and_go_apart() {
        let unusual = Unusual::new();
        assert!(!unusual.any());
        unusual.copy(Reason::Contended, true);
        assert!(unusual.any() && !unusual.is(Reason::Closing));
        unusual.set(Reason::Closing);
        unusual.copy(Reason::Contended, false);
        assert!(unusual.any() && unusual.is(Reason::Closing));
        assert!(!unusual.is(Reason::Contended) && !unusual.is_forked());
    }

    #[test]
    fn a_fork_is_seen_beside_any_reason() {
        let unusual = Unusual::new();
        unusual.pretend_fork();
        assert!(unusual.any() && unusual.is_forked());
        unusual.set(Reason::Closing);
        assert!(unusual.any() && unusual.is_forked() && unusual.is(Reason::Closing));
    }
}
