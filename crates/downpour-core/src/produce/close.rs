//! The end: draining what was accepted, or giving it up at a deadline.

use std::time::Instant;

use crate::output::Output;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::topic_state::ReadyList;
use crate::queue::Unsent;

impl<T: Clone> Engine<T> {
    /// From now on open batches leave at once.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Gives up everything that has no verdict and closes all connections. What was never sent
    /// is handed back.
    pub fn abort(&mut self, now: Instant, queues: &mut impl Queues<T>) -> Vec<Unsent<T>> {
        let connections: Vec<_> = self.connections.keys().copied().collect();
        for connection_id in connections {
            self.connections.remove(&connection_id);
            self.out.push_back(Output::Disconnect { connection_id });
        }
        let mut unsent = Vec::new();
        for partition in self.partitions_where(|_| true) {
            let out = &mut self.out;
            queues.with(partition, |queue| queue.abort(now, &mut unsent, out));
            if let Some(state) = self.partition(partition) {
                (state.list, state.in_flight) = (ReadyList::None, 0);
            }
        }
        self.brokers.clear();
        self.leaderless.clear();
        self.dirty.clear();
        unsent
    }
}
