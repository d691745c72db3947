//! What ends a run before its input does: a signal, or results that cannot be told. Who notices says
//! so here; reading and sending stop, and what was accepted gets its time.

use std::fmt;
use std::io;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use downpour::blocking::Producer;

use super::message::Message;

/// How long records that were accepted before may take to their verdict.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// The number is the signal's.
    Signal(u8),
    /// Nobody reads standard output any more.
    Unread,
    /// It cannot be written to, for this reason.
    Unwritable(String),
}

impl Why {
    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Unwritable(error.to_string()),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(_) => f.write_str("interrupted"),
            Self::Unread => f.write_str("standard output was closed"),
            Self::Unwritable(error) => write!(f, "standard output cannot be written to: {error}"),
        }
    }
}

/// Shared by all threads of a run. The first reason counts.
#[derive(Debug)]
pub(super) struct Stop {
    why: OnceLock<Why>,
    /// Who is closed then.
    producer: Mutex<Option<Producer>>,
    messages: SyncSender<Message>,
}

impl Stop {
    pub(super) fn new(messages: SyncSender<Message>) -> Self {
        Self {
            why: OnceLock::new(),
            producer: Mutex::default(),
            messages,
        }
    }

    pub(super) fn why(&self) -> Option<&Why> {
        self.why.get()
    }

    /// Closes this producer when it comes to that, and no longer the one before.
    pub(super) fn closes(&self, producer: &Producer) {
        let before = self.lock().replace(producer.clone());
        drop(before);
        if self.why().is_some() {
            drop(producer.close_within(Duration::ZERO));
        }
    }

    /// Stops it, without waiting for anything.
    pub(super) fn now(&self, why: Why) {
        if self.why.set(why).is_err() {
            return;
        }
        let producer = self.lock().take();
        let messages = self.messages.clone();
        // Closing lets a send that waits for memory go; each accepted record gets its verdict, and
        // the reporting side lists it.
        thread::spawn(move || {
            if let Some(producer) = producer {
                // What was not delivered is told by the records' handles.
                drop(producer.close_within(GRACE));
            }
            let _ = messages.send(Message::Stopped);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Producer>> {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
