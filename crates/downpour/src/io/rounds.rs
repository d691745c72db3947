//! A producer's rounds: those of its I/O thread, those that callers run in its place, and what
//! holds if one panics. What a round does is in `driver`; who sleeps in between is in `thread`.
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

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use crate::delivery::shelf;
use crate::io::after::After;
use crate::io::closing::{self, Closing};
use crate::io::driver::{Driver, Sleep};
use crate::io::given::Given;
use crate::io::sockets::{SocketEvent, Sockets};
use crate::observe::log::Line;
use crate::shared::shared::{RunInline, Shared};
use crate::sys::lock::lock;
use crate::sys::sync::Mutex;

/// The rounds of one producer.
pub(crate) struct Rounds<S: Sockets> {
    shared: Arc<Shared>,
    driver: Arc<Mutex<Driver<S>>>,
}

impl<S: Sockets> Rounds<S> {
    /// Those of the I/O thread, and how a caller runs one.
    pub(crate) fn new(shared: &Arc<Shared>, given: Given<S>) -> (Self, RunInline) {
        let driver = Driver::new(shared.clone(), given);
        let driver = Arc::new(Mutex::new(driver));
        // Weak, because the driver holds `Shared`, which holds this closure.
        let weak = Arc::downgrade(&driver);
        let shared = shared.clone();
        let rounds = Self { shared, driver };
        (rounds, Box::new(move || run_inline(&weak)))
    }

    /// Runs one after these events, and what it wants done; how long to sleep then. Call
    /// [`note_awake`](Self::note_awake) after the sleep.
    pub(crate) fn run(&self, events: impl Iterator<Item = SocketEvent>) -> Sleep {
        let mut labels = Vec::new();
        let (mut after, sleep) = {
            let mut driver = lock(&self.driver);
            if driver.is_broken() {
                return Sleep::Never;
            }
            shelf::collect(&mut labels, || driver.round(events))
        };
        after.labels.append(&mut labels);
        after.carry_out();
        sleep
    }

    /// The thread is awake and will look before it sleeps again.
    pub(crate) fn note_awake(&self) {
        self.shared.mailbox.note_awake();
    }

    /// The last of it, after [`Sleep::Never`] or a panic.
    pub(crate) fn finish(self, panicked: bool) {
        let Self { shared, driver } = self;
        let broken = panicked || lock(&driver).is_broken();
        let (mut after, mut labels) = (After::default(), Vec::new());
        let closing = catch_unwind(AssertUnwindSafe(|| {
            shelf::collect(&mut labels, || end(&shared, driver, broken, &mut after))
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
}

/// The last of the driver; after a panic every record that has no verdict is given one.
fn end<S: Sockets>(
    shared: &Shared,
    driver: Arc<Mutex<Driver<S>>>,
    broken: bool,
    after: &mut After,
) -> Closing {
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

/// Runs a round on the caller's thread, unless another one is running.
fn run_inline<S: Sockets>(driver: &Weak<Mutex<Driver<S>>>) -> bool {
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
