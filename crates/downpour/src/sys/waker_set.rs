//! Wakers of those who wait for one thing together, each found again by a key.
//!
//! It has no lock of its own. Who waits until a time is in `shared::timers`, who waits in line
//! for memory in core's budget.

use std::task::Waker;

/// Names one waiter of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WakerKey(u64);

/// Wakers in the order in which they came. Few wait for one thing, so that a list does.
#[derive(Debug, Default)]
pub(crate) struct WakerSet {
    next: u64,
    wakers: Vec<(WakerKey, Waker)>,
}

impl WakerSet {
    /// Keeps a waker for who has this key, which is given at the first call, in place of the one
    /// before. Whoever was woken is not in the set any more and comes to its end when it waits
    /// again.
    pub(crate) fn insert(&mut self, key: &mut Option<WakerKey>, waker: &Waker) {
        let key = *key.get_or_insert_with(|| {
            self.next += 1;
            WakerKey(self.next)
        });
        match self.wakers.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => old.clone_from(waker),
            None => self.wakers.push((key, waker.clone())),
        }
    }

    /// Takes a waker back. It is dropped by the caller, without the lock that guards the set,
    /// because its drop is somebody else's code.
    #[must_use = "to be dropped without the lock"]
    pub(crate) fn remove(&mut self, key: WakerKey) -> Option<Waker> {
        let at = self.wakers.iter().position(|(k, _)| *k == key)?;
        Some(self.wakers.remove(at).1)
    }

    /// Takes all out; they are to be woken without the lock.
    pub(crate) fn take_all(&mut self, woken: &mut Vec<Waker>) {
        woken.extend(self.wakers.drain(..).map(|(_, waker)| waker));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Counts(AtomicU32);

    impl Wake for Counts {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_waiter_is_woken_by_its_latest_waker_and_by_no_other() {
        let (first, last, other) = <(Arc<Counts>, Arc<Counts>, Arc<Counts>)>::default();
        let mut set = WakerSet::default();
        let (mut key, mut gone) = (None, None);
        set.insert(&mut key, &first.clone().into());
        set.insert(&mut gone, &other.clone().into());
        set.insert(&mut key, &last.clone().into());
        assert!(set.remove(gone.unwrap()).is_some());
        assert!(set.remove(gone.unwrap()).is_none());
        for times in 1..3 {
            let mut woken = Vec::new();
            set.take_all(&mut woken);
            woken.into_iter().for_each(Waker::wake);
            let counts = [&first, &last, &other].map(|c| c.0.load(Ordering::Relaxed));
            assert_eq!(counts, [0, times, 0]);
            // It has been woken and waits again.
            set.insert(&mut key, &last.clone().into());
        }
    }
}
