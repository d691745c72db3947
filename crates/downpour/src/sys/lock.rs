//! Taking a lock that no panic makes useless.

use std::sync::PoisonError;
use std::time::Duration;

use crate::sys::sync::{Condvar, Mutex, MutexGuard};

/// Locks, also after a panic of another holder.
///
/// What a panic can leave half done is not given up by refusing the lock: the I/O thread must
/// still give every record its verdict, and a round that panicked is known by a flag of its own.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    #[cfg(test)]
    counted::TAKEN.set(counted::TAKEN.get() + 1);
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a change for at most so long; true if the time passed.
pub(crate) fn wait_timeout<'a, T>(
    changed: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Duration,
) -> (MutexGuard<'a, T>, bool) {
    let waited = changed.wait_timeout(guard, time);
    let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
    (guard, timeout.timed_out())
}

#[cfg(test)]
pub(crate) mod counted {
    use std::cell::Cell;

    thread_local! {
        pub(super) static TAKEN: Cell<u64> = const { Cell::new(0) };
    }

    /// How many locks this thread takes meanwhile.
    pub(crate) fn taken(work: impl FnOnce()) -> u64 {
        let before = TAKEN.get();
        work();
        TAKEN.get() - before
    }
}
