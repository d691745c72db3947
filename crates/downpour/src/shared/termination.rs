//! The end of a producer, as those who close it see it: whether it came, and what it left.
//!
//! What leads to it is in `io::closing`.

use std::task::{Poll, Waker};

use downpour_core::mutants;

use crate::record::unfinished::Unfinished;
use crate::sys::lock::lock;
use crate::sys::sync::Mutex;
use crate::sys::wake;
use crate::sys::waker_set::{WakerKey, WakerSet};

/// The end of a producer.
#[derive(Debug, Default)]
pub(crate) struct Termination {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Set by the I/O thread as the last thing that it does, and never cleared. Without it a
    /// close that comes later would wait for a thread that is gone.
    done: bool,
    /// Taken by the first who asks; whoever closes besides gets nothing.
    left: Option<Unfinished>,
    waiting: WakerSet,
}

impl Termination {
    /// The producer has ended, and this is what it did not deliver.
    pub(crate) fn finish(&self, left: Unfinished, woken: &mut Vec<Waker>) {
        let mut inner = lock(&self.inner);
        inner.done = true;
        inner.left = Some(left);
        inner.waiting.take_all(woken);
    }

    /// What was left, for the first who asks; before the end a waker is left.
    pub(crate) fn poll(&self, key: &mut Option<WakerKey>, waker: &Waker) -> Poll<Unfinished> {
        wake::leave(waker, key.is_none(), |own| {
            let mut inner = lock(&self.inner);
            if inner.done && !(mutants::is(52) && inner.left.is_none()) {
                return Some(Poll::Ready(inner.left.take().unwrap_or_default()));
            }
            inner.waiting.insert(key, waker, own)?;
            Some(Poll::Pending)
        })
    }

    /// Takes a waker back.
    pub(crate) fn forget(&self, key: WakerKey) {
        let waker = lock(&self.inner).waiting.remove(key);
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::sys::wake::fixtures::{at_drop, in_time};

    #[test]
    fn a_replaced_waker_is_dropped_without_the_lock() {
        let termination = Arc::new(Termination::default());
        let own = termination.clone();
        let waker = at_drop(move || drop(own.poll(&mut None, Waker::noop())));
        let mut key = None;
        assert!(termination.poll(&mut key, &waker).is_pending());
        drop(waker);
        in_time(move || assert!(termination.poll(&mut key, Waker::noop()).is_pending()));
    }
}
