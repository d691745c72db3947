//! Answers on their way out: at once, or on a thread of their own when their time has come.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::produce::Booked;
use crate::shared::Shared;

/// More requests than any client has in flight; then the reader waits.
const WAITING_MAX: usize = 256;

struct Delayed {
    due: Instant,
    frame: Vec<u8>,
    booked: Booked,
}

/// The way back of one connection.
pub(crate) struct Outbox {
    shared: Arc<Shared>,
    socket: TcpStream,
    waiting: Option<SyncSender<Delayed>>,
    writer: Option<JoinHandle<()>>,
}

impl Outbox {
    pub(crate) fn new(shared: Arc<Shared>, socket: TcpStream) -> Self {
        Self {
            shared,
            socket,
            waiting: None,
            writer: None,
        }
    }

    /// Sends an answer when it is due; `None` is at once. An empty frame only books.
    pub(crate) fn send(
        &mut self,
        due: Option<Instant>,
        frame: &[u8],
        booked: &mut Booked,
    ) -> io::Result<()> {
        if due.is_none() && self.waiting.is_none() {
            settle(&self.shared, booked);
            booked.clear();
            return self.socket.write_all(frame);
        }
        // Once one answer waited, all take this way, for their order must hold.
        let delayed = Delayed {
            due: due.unwrap_or_else(Instant::now),
            frame: frame.to_vec(),
            booked: std::mem::take(booked),
        };
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.writer()?.send(delayed).map_err(|_| gone())
    }

    fn writer(&mut self) -> io::Result<&SyncSender<Delayed>> {
        if self.waiting.is_none() {
            let (sender, receiver) = sync_channel(WAITING_MAX);
            let (shared, socket) = (self.shared.clone(), self.socket.try_clone()?);
            let writer = thread::Builder::new()
                .name("answers".into())
                .spawn(move || write(&shared, socket, &receiver))?;
            self.waiting = Some(sender);
            self.writer = Some(writer);
        }
        self.waiting
            .as_ref()
            .ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for Outbox {
    /// What is late is booked before the connection counts as closed.
    fn drop(&mut self) {
        drop(self.waiting.take());
        if let Some(writer) = self.writer.take() {
            // It panics nowhere; if it did, the run's counts are wrong and say so.
            let _ = writer.join();
        }
    }
}

fn settle(shared: &Shared, booked: &Booked) {
    if booked.is_empty() {
        return;
    }
    let mut ledger = shared.ledger();
    for &(topic, index) in booked {
        ledger.answered(topic, index);
    }
}

fn write(shared: &Shared, mut socket: TcpStream, waiting: &Receiver<Delayed>) {
    let mut is_open = true;
    for delayed in waiting {
        if is_open {
            thread::sleep(delayed.due.saturating_duration_since(Instant::now()));
        }
        settle(shared, &delayed.booked);
        is_open = is_open && socket.write_all(&delayed.frame).is_ok();
    }
}
