//! The end: draining what was accepted, or giving it up at a deadline.

use std::time::Instant;

use crate::engine::state::{Engine, Output, Place, Queues};
use crate::queue::Unsent;

impl<T: Clone> Engine<T> {
    /// From now on open batches leave at once.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether every record that the engine was told of has its verdict.
    pub fn is_idle(&self) -> bool {
        self.fresh.is_empty()
            && self.orphans.is_empty()
            && self.brokers.values().all(|b| b.active.is_empty())
            && self
                .topics
                .iter()
                .all(|t| t.partitions.iter().all(|p| p.in_flight == 0))
    }

    /// Gives up everything that has no verdict and closes all connections. What was never sent
    /// is handed back.
    pub fn abort(&mut self, now: Instant, queues: &mut impl Queues<T>) -> Vec<Unsent<T>> {
        let links: Vec<_> = self.links.keys().copied().collect();
        for link in links {
            self.links.remove(&link);
            self.out.push_back(Output::Disconnect { link });
        }
        let mut unsent = Vec::new();
        for slot in self.slots_where(|_| true) {
            let effects = &mut self.effects;
            queues.with(slot, |queue| queue.abort(now, &mut unsent, effects));
            if let Some(state) = self.partition(slot) {
                (state.place, state.in_flight) = (Place::Idle, 0);
            }
        }
        self.brokers.clear();
        self.orphans.clear();
        self.fresh.clear();
        self.carry_out_effects();
        unsent
    }
}
