//! What the connections share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::delays::Delays;
use crate::ledger::Ledger;

/// One broker.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Where it listens, as it tells clients.
    pub(crate) port: u16,
    pub(crate) delays: Delays,
    ledger: Mutex<Ledger>,
    connections: AtomicUsize,
}

impl Shared {
    pub(crate) fn new(port: u16, partitions: i32) -> Self {
        Self {
            port,
            delays: Delays::default(),
            ledger: Mutex::new(Ledger::new(partitions)),
            connections: AtomicUsize::new(0),
        }
    }

    /// The books. A thread that panicked must not hide what it had counted.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn open_connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    pub(crate) fn opened(&self) {
        self.connections.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn closed(&self) {
        self.connections.fetch_sub(1, Ordering::AcqRel);
    }
}
