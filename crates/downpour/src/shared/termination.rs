//! The end of a producer: whether it came, who waits for it, what it left.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::record::unfinished::Unfinished;

/// The end, as those who close see it.
#[derive(Debug, Default)]
pub(crate) struct Termination {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    done: bool,
    left: Option<Unfinished>,
    next_key: u64,
    wakers: Vec<(u64, Waker)>,
}

impl Termination {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It came.
    pub(crate) fn finish(&self, left: Unfinished, woken: &mut Vec<Waker>) {
        let mut inner = self.lock();
        inner.done = true;
        inner.left = Some(left);
        woken.extend(inner.wakers.drain(..).map(|(_, waker)| waker));
    }

    /// What was left, for the first who asks; a waker is left otherwise.
    pub(crate) fn poll(&self, key: &mut Option<u64>, waker: &Waker) -> Poll<Unfinished> {
        let mut inner = self.lock();
        if inner.done {
            return Poll::Ready(inner.left.take().unwrap_or_default());
        }
        let key = *key.get_or_insert_with(|| {
            inner.next_key += 1;
            inner.next_key
        });
        match inner.wakers.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => old.clone_from(waker),
            None => inner.wakers.push((key, waker.clone())),
        }
        Poll::Pending
    }

    /// Takes a waker back.
    pub(crate) fn forget(&self, key: u64) {
        self.lock().wakers.retain(|(k, _)| *k != key);
    }
}
