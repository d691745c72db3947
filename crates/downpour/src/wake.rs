//! Waking and parking: running other people's wakers safely, and waiting without an executor.
//!
//! No lock of this crate is held while a waker runs; a waker may do anything, panic included.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Runs wakers, each on its own: one that panics is reported and keeps no other from running.
pub(crate) fn wake_all(woken: &mut Vec<Waker>) {
    for waker in woken.drain(..) {
        if catch_unwind(AssertUnwindSafe(|| waker.wake())).is_err() {
            tracing::error!("a waker panicked; the panic was contained");
        }
    }
}

/// Wakes a parked thread.
struct Parker {
    thread: Thread,
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
            thread: std::thread::current(),
            notified: AtomicBool::new(false),
        });
        Self {
            waker: Waker::from(parker.clone()),
            parker,
        }
    }
}

thread_local! {
    /// Made once a thread; taken out while in use, so that a nested wait gets its own.
    static PARKED: RefCell<Option<Parked>> = const { RefCell::new(None) };
}

/// Runs a future on this thread, which sleeps in between.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    match block_on_until(future, None) {
        Some(output) => output,
        None => unreachable!("there is no deadline to pass"),
    }
}

/// The same until a deadline; `None` if it passed first.
pub(crate) fn block_on_until<F: Future>(future: F, deadline: Option<Instant>) -> Option<F::Output> {
    let parked = PARKED
        .with(|p| p.try_borrow_mut().ok().and_then(|mut p| p.take()))
        .unwrap_or_else(Parked::new);
    let mut future = pin!(future);
    let mut context = Context::from_waker(&parked.waker);
    let output = loop {
        // Cleared before the poll, so that a wake during it is not lost.
        parked.parker.notified.store(false, Ordering::Release);
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            break Some(output);
        }
        if !park(&parked.parker, deadline) {
            break None;
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
            None => std::thread::park(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                std::thread::park_timeout(left);
            }
        }
    }
    true
}

/// How long a thread looks before it sleeps: no longer than two wake-ups take.
const LOOK: Duration = Duration::from_micros(100);
/// How many waits go by at most before a thread looks again that looked in vain.
const PAUSE_MAX: u32 = 1023;

thread_local! {
    static EXPERIENCE: Cell<Experience> = const { Cell::new(Experience { pause: 0, rest: 0 }) };
}

/// Whether looking was worth it on this thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Experience {
    /// Waits to let go by after the next vain look.
    pause: u32,
    /// How many of them are left.
    rest: u32,
}

impl Experience {
    fn after(self, found: bool) -> Self {
        if found {
            return Self { pause: 0, rest: 0 };
        }
        let pause = (2 * self.pause + 1).min(PAUSE_MAX);
        Self { pause, rest: pause }
    }
}

/// Looks for a moment whether something is there, before the thread goes to sleep.
///
/// A near broker answers before a thread is fast asleep and awake again, so that looking costs
/// less processor time than sleeping and half the time. A thread that looked in vain lets ever
/// more waits go by, a thousand in the end: against a broker a millisecond away looking costs a
/// tenth of a microsecond a wait. One thread of a process looks at a time, and none where there
/// is but one processor.
pub(crate) fn look<T>(mut find: impl FnMut() -> Option<T>) -> Option<T> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    static ALONE: OnceLock<bool> = OnceLock::new();
    let experience = EXPERIENCE.get();
    if experience.rest > 0 {
        EXPERIENCE.set(Experience {
            rest: experience.rest - 1,
            ..experience
        });
        return None;
    }
    let one = || std::thread::available_parallelism().is_ok_and(|count| count.get() == 1);
    if *ALONE.get_or_init(one) || TAKEN.swap(true, Ordering::Acquire) {
        return None;
    }
    let began = Instant::now();
    let found = loop {
        if let Some(found) = find() {
            break Some(found);
        }
        if began.elapsed() >= LOOK {
            break None;
        }
        // Whoever brings the answer may want this processor.
        std::thread::yield_now();
    };
    TAKEN.store(false, Ordering::Release);
    EXPERIENCE.set(experience.after(found.is_some()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("on purpose");
        }
    }

    struct Counts(std::sync::atomic::AtomicUsize);
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

    #[test]
    fn a_parked_thread_gives_up_at_its_deadline() {
        let deadline = Instant::now() + Duration::from_millis(20);
        assert_eq!(
            block_on_until(std::future::pending::<()>(), Some(deadline)),
            None
        );
        assert!(Instant::now() >= deadline);
    }

    #[test]
    fn looking_in_vain_makes_looks_ever_rarer_and_one_that_finds_makes_them_common() {
        std::thread::spawn(|| {
            let vain = |waits: u32| {
                let mut looked = 0;
                for _ in 0..waits {
                    let mut seen = false;
                    let found = look(|| {
                        seen = true;
                        None::<()>
                    });
                    assert!(found.is_none());
                    looked += u32::from(seen);
                }
                looked
            };
            // Another test may look at the moment, so no more than these.
            assert!(vain(1023) <= 10);
            EXPERIENCE.set(Experience { pause: 0, rest: 0 }.after(false).after(true));
            assert_eq!(EXPERIENCE.get(), Experience { pause: 0, rest: 0 });
        })
        .join()
        .unwrap();
        let worn = (0..20).fold(Experience { pause: 0, rest: 0 }, |e, _| e.after(false));
        assert_eq!((worn.pause, worn.rest), (PAUSE_MAX, PAUSE_MAX));
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
        assert_eq!(answer, 7);
    }
}
