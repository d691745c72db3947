//! How many records may be on their way at once, so that their handles stay a bounded amount.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The handles of this many records take about 30 MB.
pub(super) const RECORDS: usize = 500_000;

/// A count with a limit: adding waits while the count is not below it.
#[derive(Debug)]
pub(super) struct Window {
    inside: Mutex<usize>,
    shrunk: Condvar,
    limit: usize,
}

impl Window {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            inside: Mutex::new(0),
            shrunk: Condvar::new(),
            limit,
        }
    }

    /// Waits until there are fewer than the limit, then adds some: the count may pass the limit, by
    /// one addition at most.
    pub(super) fn enter(&self, records: usize) {
        let full = |inside: &mut usize| *inside >= self.limit;
        let waited = self.shrunk.wait_while(self.lock(), full);
        *waited.unwrap_or_else(PoisonError::into_inner) += records;
    }

    pub(super) fn leave(&self, records: usize) {
        let mut inside = self.lock();
        *inside = inside.saturating_sub(records);
        self.shrunk.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        // A panic while the lock was held has not left the number half changed.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn who_comes_to_a_full_window_waits_until_somebody_leaves() {
        let window = Window::new(2);
        window.enter(1);
        window.enter(5);
        let (said, heard) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                window.enter(1);
                said.send(()).unwrap();
            });
            assert!(heard.recv_timeout(Duration::from_millis(20)).is_err());
            window.leave(4);
            assert!(heard.recv_timeout(Duration::from_millis(20)).is_err());
            window.leave(1);
            heard.recv_timeout(Duration::from_secs(10)).unwrap();
        });
    }
}
