//! Running other people's wakers safely.
//!
//! No lock of this crate is held while a waker runs; a waker may do anything, panic included.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Runs wakers, each on its own: one that panics is reported and keeps no other from running.
pub(crate) fn wake_all(woken: &mut Vec<Waker>) {
    for waker in woken.drain(..) {
        if catch_unwind(AssertUnwindSafe(|| waker.wake())).is_err() {
            tracing::error!("a waker panicked; the panic was contained");
        }
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
