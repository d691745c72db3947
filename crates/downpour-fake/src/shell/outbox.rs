//! What a connection sends: at once, or through a thread that holds answers back as a network
//! would. What is sent is decided in `connection`.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::gate::Gate;
use super::stream::Stream;

/// So many answers may be delayed at once; then the broker waits before it serves on.
const DELAYED_MAX: usize = 1024;

struct DelayedAnswer {
    due: Instant,
    bytes: Vec<u8>,
    close: bool,
}

enum Route {
    /// No answer was ever delayed.
    Direct(Stream),
    /// One was, so all later ones follow it through the thread, which keeps their order.
    Delayed {
        answers: SyncSender<DelayedAnswer>,
        thread: JoinHandle<()>,
    },
    /// The connection is closed.
    Closed,
}

/// The sending half of a connection.
pub(super) struct Outbox {
    route: Route,
    gate: Arc<Gate>,
}

impl Outbox {
    pub(super) fn new(stream: Stream, gate: Arc<Gate>) -> Self {
        Self {
            route: Route::Direct(stream),
            gate,
        }
    }

    /// Sends `bytes` so that they arrive after `delay`, and closes the connection after them if
    /// asked. False if nothing can be sent any more.
    pub(super) fn send(&mut self, bytes: Vec<u8>, delay: Duration, close: bool) -> bool {
        if let Route::Direct(stream) = &mut self.route {
            if delay.is_zero() {
                let sent = bytes.is_empty() || stream.write_all(&bytes).is_ok();
                if close {
                    stream.shutdown();
                }
                return sent && !close;
            }
            self.delay_from_now_on();
        }
        let Route::Delayed { answers, .. } = &self.route else {
            return false;
        };
        let due = Instant::now() + delay;
        answers.send(DelayedAnswer { due, bytes, close }).is_ok() && !close
    }

    fn delay_from_now_on(&mut self) {
        let Route::Direct(stream) = std::mem::replace(&mut self.route, Route::Closed) else {
            return;
        };
        let (answers, delayed) = sync_channel(DELAYED_MAX);
        let gate = Arc::clone(&self.gate);
        let thread = std::thread::Builder::new()
            .name("fake-network".to_owned())
            .spawn(move || deliver(&delayed, stream, &gate));
        if let Ok(thread) = thread {
            self.route = Route::Delayed { answers, thread };
        }
    }

    /// Waits until everything is delivered, or the gate is closed.
    pub(super) fn finish(&mut self) {
        if let Route::Delayed { answers, thread } =
            std::mem::replace(&mut self.route, Route::Closed)
        {
            drop(answers);
            // A thread that panicked has nothing to deliver any more.
            let _ = thread.join();
        }
    }
}

fn deliver(delayed: &Receiver<DelayedAnswer>, mut stream: Stream, gate: &Gate) {
    while let Ok(answer) = delayed.recv() {
        if !gate.wait_until(answer.due) || stream.write_all(&answer.bytes).is_err() || answer.close
        {
            stream.shutdown();
            return;
        }
    }
}
