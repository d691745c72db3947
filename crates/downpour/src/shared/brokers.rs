//! What went to each broker and came back, where anybody can read it without the driver's lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use downpour_core::produce::{BrokerCounters, Statistics};

use crate::sys::lock::lock;
use crate::sys::sync::Mutex;
use crate::sys::sync::atomic::{AtomicU64, Ordering};

/// Published copies of one broker's counters.
#[derive(Debug, Default)]
pub(crate) struct BrokerFigures {
    pub(crate) requests: AtomicU64,
    pub(crate) request_bytes: AtomicU64,
    pub(crate) answers: AtomicU64,
    pub(crate) lost: AtomicU64,
}

type List = BTreeMap<i32, Arc<BrokerFigures>>;

/// All brokers that were sent records, for those who ask.
#[derive(Debug, Default)]
pub(crate) struct Brokers {
    /// Locked to add a broker and to list them, never to count.
    list: Mutex<List>,
}

impl Brokers {
    /// All of them now.
    pub(crate) fn list(&self) -> List {
        lock(&self.list).clone()
    }
}

/// What a driver shows of them.
#[derive(Debug, Default)]
pub(crate) struct BrokersShown {
    own: List,
    /// What was shown last; see [`Statistics::changes`].
    changes: u64,
}

impl BrokersShown {
    /// Shows what is new. Called once per round.
    pub(crate) fn publish(&mut self, statistics: &Statistics, brokers: &Brokers) {
        if self.changes == statistics.changes() {
            return;
        }
        self.changes = statistics.changes();
        for (id, counters) in statistics.brokers() {
            let figures = self.own.entry(id).or_insert_with(|| {
                let new = Arc::<BrokerFigures>::default();
                lock(&brokers.list).insert(id, new.clone());
                new
            });
            show(figures, counters);
        }
    }
}

fn show(figures: &BrokerFigures, counters: &BrokerCounters) {
    let shown = [
        (&figures.requests, counters.requests),
        (&figures.request_bytes, counters.request_bytes),
        (&figures.answers, counters.answers),
        (&figures.lost, counters.lost),
    ];
    for (figure, new) in shown {
        figure.store(new, Ordering::Relaxed);
    }
}
