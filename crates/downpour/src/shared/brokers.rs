//! What went to each broker and came back, where anybody can read it without the driver's lock.

use std::collections::{BTreeMap, BTreeSet};
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
        self.show_all(statistics.brokers(), brokers);
    }

    fn show_all<'a>(
        &mut self,
        all: impl ExactSizeIterator<Item = (i32, &'a BrokerCounters)> + Clone,
        brokers: &Brokers,
    ) {
        let count = all.len();
        for (id, counters) in all.clone() {
            let figures = self.own.entry(id).or_insert_with(|| {
                let new = Arc::<BrokerFigures>::default();
                lock(&brokers.list).insert(id, new.clone());
                new
            });
            show(figures, counters);
        }
        if self.own.len() > count {
            // Core has forgotten some.
            let known: BTreeSet<i32> = all.map(|(id, _)| id).collect();
            self.own.retain(|id, _| known.contains(id));
            lock(&brokers.list).retain(|id, _| known.contains(id));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_that_core_has_forgotten_are_not_listed_any_more() {
        let (brokers, mut shown) = (Brokers::default(), BrokersShown::default());
        let counters = BrokerCounters::default();
        let some = |ids: &[i32]| ids.iter().map(|&id| (id, &counters)).collect::<Vec<_>>();
        shown.show_all(some(&[1, 2, 3]).into_iter(), &brokers);
        assert!(brokers.list().into_keys().eq([1, 2, 3]));
        shown.show_all(some(&[2, 4]).into_iter(), &brokers);
        assert!(brokers.list().into_keys().eq([2, 4]));
        assert_eq!(shown.own.len(), 2);
    }
}
