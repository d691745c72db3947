//! Waiting for a future without an executor: the calling thread sleeps in between.
//!
//! Looking for a moment before it sleeps is `spin`'s.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use crate::sys::callback;
use crate::sys::sync::atomic::{AtomicBool, Ordering};
use crate::sys::sync::thread::{self, Thread};
use crate::sys::sync::thread_local;

/// Wakes a parked thread.
struct Parker {
    thread: Thread,
    /// Set by a waker, cleared by the thread before each poll. `park` may return for no reason
    /// or for somebody else's, and then this says that there is nothing to look at yet.
    notified: AtomicBool,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Only the first of many wakes needs the system call.
        if !self.notified.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

struct Parked {
    parker: Arc<Parker>,
    waker: Waker,
}

impl Parked {
    fn new() -> Self {
        let parker = Arc::new(Parker {
            thread: thread::current(),
            notified: AtomicBool::new(false),
        });
        Self {
            waker: Waker::from(parker.clone()),
            parker,
        }
    }
}

thread_local! {
    /// Made once per thread; taken out while in use, so that a nested wait gets its own.
    static PARKED: RefCell<Option<Parked>> = const { RefCell::new(None) };
}

/// Why a future did not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoEnd {
    /// Its time was over first.
    Late,
    /// It was looked at once. This thread runs a callback and may not wait: what it waits for
    /// may be this thread.
    InCallback,
}

/// Runs a future on this thread, which sleeps in between; `None` in a callback, if the future
/// did not end at once.
pub(crate) fn block_on<F: Future>(future: F) -> Option<F::Output> {
    block_on_until(future, None).ok()
}

/// The same until a deadline.
pub(crate) fn block_on_until<F: Future>(
    future: F,
    deadline: Option<Instant>,
) -> Result<F::Output, NoEnd> {
    let parked = PARKED
        .with(|p| p.try_borrow_mut().ok().and_then(|mut p| p.take()))
        .unwrap_or_else(Parked::new);
    let mut future = pin!(future);
    let mut context = Context::from_waker(&parked.waker);
    let output = loop {
        // Cleared before the poll, so that a wake during it is not lost.
        parked.parker.notified.store(false, Ordering::Release);
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            break Ok(output);
        }
        if callback::is_running() {
            break Err(NoEnd::InCallback);
        }
        if !park(&parked.parker, deadline) {
            break Err(NoEnd::Late);
        }
    };
    PARKED.with(|p| {
        if let Ok(mut p) = p.try_borrow_mut() {
            *p = Some(parked);
        }
    });
    output
}

/// Sleeps until notified; false if the deadline passed first.
fn park(parker: &Parker, deadline: Option<Instant>) -> bool {
    while !parker.notified.load(Ordering::Acquire) {
        match deadline {
            None => thread::park(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                thread::park_timeout(left);
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_parked_thread_gives_up_at_its_deadline() {
        let deadline = Instant::now() + Duration::from_millis(20);
        assert_eq!(
            block_on_until(std::future::pending::<()>(), Some(deadline)),
            Err(NoEnd::Late)
        );
        assert!(Instant::now() >= deadline);
    }

    #[test]
    fn a_callback_gets_what_is_there_and_does_not_wait_for_the_rest() {
        let answers = callback::run(|| {
            let pending = block_on_until(std::future::pending::<()>(), None);
            (pending, block_on(std::future::ready(7)))
        });
        assert_eq!(answers, Some((Err(NoEnd::InCallback), Some(7))));
    }

    #[test]
    fn a_wake_from_another_thread_ends_the_wait() {
        let mut polls = 0;
        let answer = block_on(std::future::poll_fn(|context| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(7);
            }
            let waker = context.waker().clone();
            std::thread::spawn(move || waker.wake());
            Poll::Pending
        }));
        assert_eq!(answer, Some(7));
    }
}
