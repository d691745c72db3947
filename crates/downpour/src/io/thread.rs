//! The I/O thread itself: its loop, the rounds that callers run in its place, and what holds if
//! one panics. What a round does is in `driver`.
//!
//! The driver's lock is held for a round, never while anybody sleeps or a foreign waker runs.
//! *Invariant:* when the thread is gone, every accepted record has a verdict and nobody waits.
//!
//! A caller that opens a batch while the thread sleeps runs the round itself. In time: the thread
//! sleeps until its next timer, in 500 ms; a caller appends, finds it asleep, gets the driver's
//! lock at its first try, holding nothing else, and writes the request. The answer is due in 30 s,
//! the thread gets up before that, so it sleeps on and is woken by the answer. If the round had
//! made something due in 5 ms, the caller would have woken the thread, which then computes its
//! sleep anew. If the thread gets up meanwhile, it waits for the lock, for one round at most; a
//! second caller does not wait but wakes the thread and goes its way.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use crate::io::closing;
use crate::io::connections::WAKER;
use crate::io::driver::{Driver, Sleep};
use crate::shared::shared::{RunInline, Shared};
use crate::sys::lock::lock;
use crate::sys::wake;

const EVENTS: usize = 256;

/// Starts the I/O thread of a producer.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<RunInline> {
    let poll = Poll::new()?;
    shared
        .mailbox
        .set_waker(mio::Waker::new(poll.registry(), WAKER)?);
    let driver = Driver::new(shared.clone(), poll.registry().try_clone()?);
    let driver = Arc::new(Mutex::new(driver));
    // Weak, because the driver holds what holds the help.
    let weak = Arc::downgrade(&driver);
    let shared = shared.clone();
    std::thread::Builder::new()
        .name("downpour-io".into())
        .spawn(move || run(&shared, driver, poll))?;
    Ok(Box::new(move || run_inline(&weak)))
}

fn run(shared: &Arc<Shared>, driver: Arc<Mutex<Driver>>, mut poll: Poll) {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        loop_until_end(shared, &driver, &mut poll)
    }));
    let broken = panicked.is_err() || lock(&driver).is_broken();
    let mut woken = Vec::new();
    if broken {
        lock(&driver).break_down();
        tracing::error!("the I/O thread panicked; please report this");
        closing::abandon_all(shared, "the I/O thread panicked", &mut woken);
    }
    let (mut rest, mut closing) = lock(&driver).take_rest();
    woken.append(&mut rest);
    // Its connections end before anybody hears of the end.
    drop(driver);
    closing.awaited |= broken;
    closing.report();
    shared.timers.drain(&mut woken);
    shared.termination.finish(closing.left, &mut woken);
    wake::wake_all(&mut woken);
}

fn loop_until_end(shared: &Shared, driver: &Mutex<Driver>, poll: &mut Poll) {
    let mut events = Events::with_capacity(EVENTS);
    loop {
        let (mut woken, sleep) = {
            let mut driver = lock(driver);
            if driver.is_broken() {
                return;
            }
            driver.round(&events)
        };
        wake::wake_all(&mut woken);
        let timeout = match sleep {
            Sleep::Never => return,
            Sleep::UntilWoken => None,
            Sleep::Pause(time) => {
                std::thread::sleep(time);
                Some(Duration::ZERO)
            }
            Sleep::Until(at) => Some(at.saturating_duration_since(Instant::now())),
        };
        if let Err(error) = poll.poll(&mut events, timeout) {
            if error.kind() != io::ErrorKind::Interrupted {
                tracing::error!(%error, "waiting for sockets failed");
                // Not to be repeated as fast as it can be.
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        shared.mailbox.note_awake();
    }
}

/// Runs a round on the caller's thread, unless another one is running.
fn run_inline(driver: &Weak<Mutex<Driver>>) -> bool {
    let Some(driver) = driver.upgrade() else {
        return false;
    };
    let Ok(mut guard) = driver.try_lock() else {
        return false;
    };
    if guard.is_broken() {
        return false;
    }
    let round = catch_unwind(AssertUnwindSafe(|| guard.run_inline()));
    let Ok(mut woken) = round else {
        // The I/O thread finds it and gives every record its verdict.
        guard.break_down();
        return false;
    };
    drop(guard);
    wake::wake_all(&mut woken);
    true
}
