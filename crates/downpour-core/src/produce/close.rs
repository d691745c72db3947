//! The end: draining what was accepted, or giving it up at a deadline.

use std::time::Instant;

use crate::output::Output;
use crate::produce::engine::Engine;
use crate::produce::questions::Asking;
use crate::produce::queues::Queues;
use crate::queue::Unsent;

impl<T: Clone> Engine<T> {
    /// From now on open batches leave at once.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Gives up everything that has no verdict and closes all connections. What was never sent
    /// is handed back.
    pub fn abort(&mut self, now: Instant, queues: &mut impl Queues<T>) -> Vec<Unsent<T>> {
        for connection_id in self.connections.take_all() {
            self.out.push_back(Output::Disconnect { connection_id });
        }
        let mut unsent = Vec::new();
        for partition in self.lists.all() {
            let out = &mut self.out;
            queues.with(partition, |queue| queue.abort(now, &mut unsent, out));
        }
        self.asking = Asking::default();
        self.brokers.clear();
        self.lists.clear();
        unsent
    }
}
