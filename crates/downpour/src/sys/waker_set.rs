//! Wakers of those who wait for one thing together, each found again by a key.
//!
//! It has no lock of its own. Who waits until a time is in `shared::timers`, who waits in line
//! for memory in core's budget.

use std::task::Waker;

use downpour_core::callers::waiters::Waiters;

/// Names one waiter of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WakerKey(u64);

/// Wakers in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct WakerSet {
    next: u64,
    wakers: Waiters<Waker>,
}

impl WakerSet {
    /// Keeps a waker for who has this key, which is given at the first call, in place of the one
    /// before. Whoever was woken is not in the set any more and comes to its end when it waits
    /// again.
    ///
    /// It needs a clone in `own` unless such a waker is here already; `None` if it has none, see
    /// [`leave`](crate::sys::wake::leave).
    pub(crate) fn insert(
        &mut self,
        key: &mut Option<WakerKey>,
        waker: &Waker,
        own: &mut Option<Waker>,
    ) -> Option<()> {
        let known = key.and_then(|key| self.wakers.get_mut(key.0));
        if known.as_ref().is_some_and(|old| old.will_wake(waker)) {
            return Some(());
        }
        let new = own.take()?;
        if let Some(old) = known {
            *own = Some(std::mem::replace(old, new));
            return Some(());
        }
        let key = *key.get_or_insert_with(|| {
            self.next += 1;
            WakerKey(self.next)
        });
        self.wakers.add(key.0, new);
        Some(())
    }

    /// Takes a waker back. It is dropped by the caller, without the lock that guards the set,
    /// because its drop is somebody else's code.
    #[must_use = "to be dropped without the lock"]
    pub(crate) fn remove(&mut self, key: WakerKey) -> Option<Waker> {
        self.wakers.remove(key.0)
    }

    /// Takes all out; they are to be woken without the lock.
    pub(crate) fn take_all(&mut self, woken: &mut Vec<Waker>) {
        self.wakers.take_if(|_| true, |waker| woken.push(waker));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    #[cfg(not(miri))]
    use crate::sys::wake::leave;

    fn insert(set: &mut WakerSet, key: &mut Option<WakerKey>, waker: Waker) {
        assert_eq!(set.insert(key, &waker, &mut Some(waker.clone())), Some(()));
    }

    #[derive(Default)]
    struct Counts(AtomicU32);

    impl Wake for Counts {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    // Miri gives each use of a waker's table an address of its own, by which no two are the same.
    #[cfg(not(miri))]
    #[test]
    fn a_waker_that_is_here_already_is_not_cloned_again() {
        let (mut set, mut key) = (WakerSet::default(), None);
        let counts = Arc::new(Counts::default());
        let waker = Waker::from(counts.clone());
        let mut leave_it = || leave(&waker, false, |own| set.insert(&mut key, &waker, own));
        leave_it();
        assert_eq!(Arc::strong_count(&counts), 3);
        assert_eq!(set.insert(&mut key, &waker, &mut None), Some(()));
        assert_eq!(set.insert(&mut key, Waker::noop(), &mut None), None);
        assert_eq!(Arc::strong_count(&counts), 3);
    }

    #[test]
    fn a_waiter_is_woken_by_its_latest_waker_and_by_no_other() {
        let (first, last, other) = <(Arc<Counts>, Arc<Counts>, Arc<Counts>)>::default();
        let mut set = WakerSet::default();
        let (mut key, mut gone) = (None, None);
        insert(&mut set, &mut key, first.clone().into());
        insert(&mut set, &mut gone, other.clone().into());
        insert(&mut set, &mut key, last.clone().into());
        assert!(set.remove(gone.unwrap()).is_some());
        assert!(set.remove(gone.unwrap()).is_none());
        for times in 1..3 {
            let mut woken = Vec::new();
            set.take_all(&mut woken);
            woken.into_iter().for_each(Waker::wake);
            let counts = [&first, &last, &other].map(|c| c.0.load(Ordering::Relaxed));
            assert_eq!(counts, [0, times, 0]);
            // It has been woken and waits again.
            insert(&mut set, &mut key, last.clone().into());
        }
    }
}
