//! The I/O thread itself: its loop, the rounds that callers run in its place, and what holds if
//! one panics. What a round does is in `driver`.
//!
//! The driver's lock is held for a round, never while anybody sleeps or foreign code runs.
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

use crate::delivery::shelf;
use crate::io::after::After;
use crate::io::closing::{self, Closing};
use crate::io::connections::WAKER;
use crate::io::driver::{Driver, Sleep};
use crate::io::pool::ThreadPool;
use crate::observe::log::Line;
use crate::shared::shared::{RunInline, Shared};
use crate::sys::callback;
use crate::sys::lock::lock;
use crate::sys::random::random_seed;

const EVENTS: usize = 256;

/// Starts the I/O thread of a producer.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<RunInline> {
    let poll = Poll::new()?;
    let waker = mio::Waker::new(poll.registry(), WAKER)?;
    shared.mailbox.set_waker(Box::new(move || waker.wake()));
    let driver = Driver::new(
        shared.clone(),
        poll.registry().try_clone()?,
        Arc::new(ThreadPool::new()),
        random_seed(),
    );
    let driver = Arc::new(Mutex::new(driver));
    // Weak, because the driver holds `Shared`, which holds this closure.
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
    let (mut after, mut labels) = (After::default(), Vec::new());
    let closing = catch_unwind(AssertUnwindSafe(|| {
        shelf::collect(&mut labels, || end(shared, driver, broken, &mut after))
    }));
    // However that went, nobody waits for a thread that is gone.
    let closing = closing.unwrap_or_default();
    if let Some(line) = closing.report().filter(|_| !broken) {
        after.line(line);
    }
    after.labels.append(&mut labels);
    shared.timers.drain(&mut after.wakers);
    shared.termination.finish(closing.left, &mut after.wakers);
    after.carry_out();
}

/// The last of the driver; after a panic every record that has no verdict is given one.
fn end(shared: &Shared, driver: Arc<Mutex<Driver>>, broken: bool, after: &mut After) -> Closing {
    if broken {
        lock(&driver).break_down();
        after.line(Line::ThreadPanicked);
        closing::abandon_all(shared, "the I/O thread panicked", &mut after.wakers);
    }
    let (rest, closing) = lock(&driver).take_rest();
    after.append(rest);
    // Its connections end before anybody hears of the end.
    drop(driver);
    closing
}

fn loop_until_end(shared: &Shared, driver: &Mutex<Driver>, poll: &mut Poll) {
    let mut events = Events::with_capacity(EVENTS);
    loop {
        let mut labels = Vec::new();
        let (mut after, sleep) = {
            let mut driver = lock(driver);
            if driver.is_broken() {
                return;
            }
            shelf::collect(&mut labels, || driver.round(&events))
        };
        after.labels.append(&mut labels);
        after.carry_out();
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
                callback::say(|| tracing::error!(%error, "waiting for sockets failed"));
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
    let mut labels = Vec::new();
    let round = catch_unwind(AssertUnwindSafe(|| {
        shelf::collect(&mut labels, || guard.run_inline())
    }));
    let ran = round.is_ok();
    if !ran {
        // The I/O thread finds it and gives every record its verdict.
        guard.break_down();
    }
    drop(guard);
    let mut after = round.unwrap_or_default();
    after.labels.append(&mut labels);
    after.carry_out();
    ran
}
