//! Deadlines of callers that wait without an executor's timer; the I/O thread keeps them.
//!
//! Each caller that waits has one entry, taken back when it stops waiting.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Instant;

use crate::sys::lock::lock;
use crate::sys::sync::{Mutex, MutexGuard};
use crate::sys::wake;

/// Names one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey(Instant, u64);

/// Who is to be woken when.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    entries: BTreeMap<TimerKey, Waker>,
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Adds an entry, or gives it a new waker; true if it is the next one due and new, so that
    /// the I/O thread sleeps too long.
    pub(crate) fn set(&self, key: &mut Option<TimerKey>, at: Instant, waker: &Waker) -> bool {
        wake::leave(waker, key.is_none(), |own| {
            self.set_own(key, at, waker, own)
        })
    }

    /// [`set`](Self::set) with a clone of the waker, or `None` if it is needed and missing.
    fn set_own(
        &self,
        key: &mut Option<TimerKey>,
        at: Instant,
        waker: &Waker,
        own: &mut Option<Waker>,
    ) -> Option<bool> {
        let mut inner = self.lock();
        if let Some(key) = *key {
            let old = inner.entries.get(&key);
            if !old.is_some_and(|old| old.will_wake(waker)) {
                *own = inner.entries.insert(key, own.take()?);
            }
            return Some(false);
        }
        let new = TimerKey(at, inner.next);
        inner.entries.insert(new, own.take()?);
        inner.next += 1;
        *key = Some(new);
        let first = inner.entries.first_key_value();
        Some(first.is_some_and(|(first, _)| *first == new))
    }

    /// Takes an entry back.
    pub(crate) fn cancel(&self, key: TimerKey) {
        let waker = self.lock().entries.remove(&key);
        // Dropped without the lock: its drop is the caller's code.
        drop(waker);
    }

    /// Takes those that are due out.
    pub(crate) fn poll_due(&self, now: Instant, woken: &mut Vec<Waker>) {
        let mut inner = self.lock();
        while let Some(entry) = inner.entries.first_entry() {
            if entry.key().0 > now {
                break;
            }
            woken.push(entry.remove());
        }
    }

    /// When the next is due.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.lock().entries.first_key_value().map(|(key, _)| key.0)
    }

    /// Takes all out.
    pub(crate) fn drain(&self, woken: &mut Vec<Waker>) {
        woken.extend(std::mem::take(&mut self.lock().entries).into_values());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    use crate::sys::wake::fixtures::{at_drop, in_time};

    #[test]
    fn a_replaced_waker_is_dropped_without_the_lock() {
        let timers = Arc::new(Timers::default());
        let own = timers.clone();
        let waker = at_drop(move || assert!(own.next_at().is_some()));
        let (mut key, at) = (None, Instant::now());
        timers.set(&mut key, at, &waker);
        drop(waker);
        in_time(move || assert!(!timers.set(&mut key, at, Waker::noop())));
    }

    #[test]
    fn only_an_earlier_deadline_shortens_the_sleep() {
        let timers = Timers::default();
        let now = Instant::now();
        let (mut late, mut early, mut later) = (None, None, None);
        assert!(timers.set(&mut late, now + Duration::from_secs(2), Waker::noop()));
        assert!(timers.set(&mut early, now + Duration::from_secs(1), Waker::noop()));
        assert!(!timers.set(&mut later, now + Duration::from_secs(3), Waker::noop()));
        assert!(!timers.set(&mut early, now + Duration::from_secs(1), Waker::noop()));
        let mut woken = Vec::new();
        timers.poll_due(now + Duration::from_secs(1), &mut woken);
        assert_eq!(woken.len(), 1);
        assert_eq!(timers.next_at(), Some(now + Duration::from_secs(2)));
        timers.cancel(late.unwrap());
        assert_eq!(timers.next_at(), Some(now + Duration::from_secs(3)));
    }
}
