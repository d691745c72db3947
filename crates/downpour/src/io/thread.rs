//! The I/O thread itself: how it starts, and what holds if it ever panics.
//!
//! *Invariant:* when the thread is gone, every accepted record has a verdict and nobody waits.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mio::Poll;

use crate::io::closing;
use crate::io::driver::Driver;
use crate::io::links::WAKER;
use crate::shared::Shared;
use crate::wake;

/// Starts the I/O thread of a producer.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    let poll = Poll::new()?;
    shared
        .mailbox
        .set_waker(mio::Waker::new(poll.registry(), WAKER)?);
    let shared = shared.clone();
    std::thread::Builder::new()
        .name("downpour-io".into())
        .spawn(move || run(&shared, poll))?;
    Ok(())
}

fn run(shared: &Arc<Shared>, poll: Poll) {
    let mut driver = Driver::new(shared.clone(), poll);
    let panicked = catch_unwind(AssertUnwindSafe(|| driver.run())).is_err();
    if panicked {
        tracing::error!("the I/O thread panicked; please report this");
        closing::orphan_all(shared, "the I/O thread panicked");
    }
    let (mut woken, closing) = driver.into_rest();
    closing.report();
    shared.timers.drain(&mut woken);
    shared.end.finish(closing.left, &mut woken);
    wake::wake_all(&mut woken);
}
