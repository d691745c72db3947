//! Other people's wakers: run, cloned and dropped while no lock of this crate is held.
//!
//! Wakers that wait together are kept in `waker_set`.

use std::task::Waker;

use crate::sys::callback;

/// Runs wakers, each on its own: one that panics is reported and keeps no other from running.
pub(crate) fn wake_all(woken: &mut Vec<Waker>) {
    let panics = run_all(woken);
    if panics > 0 {
        callback::say(|| tracing::error!(panics, "a waker panicked; the panic was contained"));
    }
}

/// The same without the report; how many panicked.
pub(crate) fn run_all(woken: &mut Vec<Waker>) -> u32 {
    let run = |waker: Waker| u32::from(callback::run(|| waker.wake()).is_none());
    woken.drain(..).map(run).sum()
}

/// Leaves a waker behind a lock, though its clone and its drop are its owner's code and may want
/// that same lock.
///
/// `attempt` takes the lock, and is done or finds that it needs a waker of its own. That one is
/// cloned without the lock and given to the next attempt; what it leaves in its place, such as
/// the waker that was replaced, is dropped without the lock. `fresh` says that the first attempt
/// will need one.
pub(crate) fn leave<T>(
    waker: &Waker,
    fresh: bool,
    mut attempt: impl FnMut(&mut Option<Waker>) -> Option<T>,
) -> T {
    let mut own = fresh.then(|| waker.clone());
    // Ends: an attempt that has a waker is done.
    loop {
        if let Some(done) = attempt(&mut own) {
            return done;
        }
        own = Some(waker.clone());
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;
    use std::sync::{Arc, mpsc};
    use std::task::Wake;
    use std::time::Duration;

    struct AtDrop<F: Fn()>(F);

    impl<F: Fn()> Drop for AtDrop<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }

    impl<F: Fn() + Send + Sync + 'static> Wake for AtDrop<F> {
        fn wake(self: Arc<Self>) {}
    }

    /// A waker that does something when the last of its clones is dropped.
    pub(crate) fn at_drop(work: impl Fn() + Send + Sync + 'static) -> Waker {
        Waker::from(Arc::new(AtDrop(work)))
    }

    /// Runs something that may wait for a lock that it holds.
    pub(crate) fn in_time(work: impl FnOnce() + Send + 'static) {
        let (done, ended) = mpsc::channel();
        std::thread::spawn(move || {
            work();
            done.send(())
        });
        let ended = ended.recv_timeout(Duration::from_secs(20));
        assert_eq!(ended, Ok(()), "it waits for itself, or panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("on purpose");
        }
    }

    struct Counts(AtomicUsize);
    impl Wake for Counts {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_waker_that_panics_does_not_keep_the_next_from_running() {
        let counts = Arc::new(Counts(0.into()));
        let mut woken = vec![Waker::from(Arc::new(Panics)), Waker::from(counts.clone())];
        wake_all(&mut woken);
        assert_eq!(counts.0.load(Ordering::Relaxed), 1);
        assert!(woken.is_empty());
    }
}
