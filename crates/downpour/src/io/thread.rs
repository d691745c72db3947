//! The I/O thread itself: it runs rounds and sleeps in between, until something happens.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::io::connections::WAKER;
use crate::io::driver::Sleep;
use crate::io::given::Given;
use crate::io::rounds::Rounds;
use crate::io::sockets::{SocketEvent, SystemSockets};
use crate::shared::shared::{RunInline, Shared};
use crate::sys::callback;

const EVENTS: usize = 256;

/// Starts the I/O thread of a producer.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<RunInline> {
    let poll = Poll::new()?;
    let waker = mio::Waker::new(poll.registry(), Token(WAKER))?;
    shared.mailbox.set_waker(Box::new(move || waker.wake()));
    let sockets = SystemSockets::new(poll.registry().try_clone()?);
    let (rounds, run_inline) = Rounds::new(shared, Given::of_system(sockets));
    std::thread::Builder::new()
        .name("downpour-io".into())
        .spawn(move || run(rounds, poll))?;
    Ok(run_inline)
}

fn run(rounds: Rounds<SystemSockets>, mut poll: Poll) {
    let looped = catch_unwind(AssertUnwindSafe(|| loop_until_end(&rounds, &mut poll)));
    rounds.finish(looped.is_err());
}

fn loop_until_end(rounds: &Rounds<SystemSockets>, poll: &mut Poll) {
    let mut events = Events::with_capacity(EVENTS);
    let mut failures = 0_u32;
    loop {
        let timeout = match rounds.run(events.iter().map(SocketEvent::from)) {
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
                failures = failures.saturating_add(1);
                if failures.is_power_of_two() {
                    callback::say(|| {
                        tracing::error!(%error, failures, "waiting for sockets failed");
                    });
                }
                // Not to be repeated as fast as it can be.
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        rounds.note_awake();
    }
}
