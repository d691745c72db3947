//! A wait that ends early when a connection is closed. Nothing about sockets.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Open until closed, once and for all.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    pub(super) fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(super) fn is_open(&self) -> bool {
        !*self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `due`, or until the gate is closed; true if it is still open.
    pub(super) fn wait_until(&self, due: Instant) -> bool {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if *closed {
                return false;
            }
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            let waited = self.changed.wait_timeout(closed, left);
            closed = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for `time`, or until the gate is closed; true if it is still open.
    pub(super) fn wait_for(&self, time: Duration) -> bool {
        if time.is_zero() {
            return self.is_open();
        }
        self.wait_until(Instant::now() + time)
    }
}
