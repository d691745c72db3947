//! What threads meet at: the standard library's, or shuttle's in a build with
//! `--cfg downpour_shuttle`, whose tests run every step of every thread in an order of shuttle's
//! choice (`models`).
//!
//! Statics are not taken from here: what they hold outlives a run. `Arc` neither, since shuttle
//! has none of its own.

#[cfg(not(all(test, downpour_shuttle)))]
mod of_std {
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, atomic};
    pub(crate) use std::{thread, thread_local};

    pub(crate) use arc_swap::ArcSwap;
}

#[cfg(not(all(test, downpour_shuttle)))]
pub(crate) use of_std::*;

#[cfg(all(test, downpour_shuttle))]
mod of_shuttle {
    use std::sync::{Arc, OnceLock as StdOnceLock};

    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, atomic};
    pub(crate) use shuttle::{thread, thread_local};

    use atomic::{AtomicU32, Ordering};

    /// Others may run before and after each look and each change.
    #[derive(Debug, Default)]
    pub(crate) struct OnceLock<T> {
        /// Shuttle's, so that whoever waits for another's `init` does so in shuttle's order.
        busy: Mutex<()>,
        changes: AtomicU32,
        value: StdOnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub(crate) const fn new() -> Self {
            Self {
                busy: Mutex::new(()),
                changes: AtomicU32::new(0),
                value: StdOnceLock::new(),
            }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            self.changes.load(Ordering::SeqCst);
            self.value.get()
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            let _busy = self.busy.lock();
            let set = self.value.set(value);
            self.changes.fetch_add(1, Ordering::SeqCst);
            set
        }

        pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
            if let Some(value) = self.get() {
                return value;
            }
            let _busy = self.busy.lock();
            if self.value.get().is_none() {
                let _ = self.value.set(init());
                self.changes.fetch_add(1, Ordering::SeqCst);
            }
            self.value.get().expect("it was set under the lock")
        }
    }

    /// As the crate's, of which shuttle does not know: others may run before and after each load
    /// and each store.
    #[derive(Debug, Default)]
    pub(crate) struct ArcSwap<T> {
        changes: AtomicU32,
        value: arc_swap::ArcSwapAny<Arc<T>>,
    }

    impl<T> ArcSwap<T> {
        pub(crate) fn new(value: Arc<T>) -> Self {
            Self {
                changes: AtomicU32::new(0),
                value: arc_swap::ArcSwapAny::new(value),
            }
        }

        pub(crate) fn load(&self) -> arc_swap::Guard<Arc<T>> {
            self.changes.load(Ordering::SeqCst);
            self.value.load()
        }

        pub(crate) fn load_full(&self) -> Arc<T> {
            self.changes.load(Ordering::SeqCst);
            self.value.load_full()
        }

        pub(crate) fn store(&self, value: Arc<T>) {
            self.changes.fetch_add(1, Ordering::SeqCst);
            self.value.store(value);
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[cfg(all(test, downpour_shuttle))]
pub(crate) use of_shuttle::*;
