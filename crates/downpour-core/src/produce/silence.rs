//! Brokers that are silent: they owe an answer, or are out of reach while records wait for them.
//!
//! The shell chooses other partitions for records without a key, and says so to whoever waits for
//! memory. A broker is not silent while nothing is asked of it; after that it is tried again.

use std::time::{Duration, Instant};

use crate::output::Output;
use crate::produce::engine::Engine;
use crate::produce::requests::in_flight;

/// Long beside what any broker needs that is well, short beside what callers wait for memory.
const SILENT_AFTER: Duration = Duration::from_secs(1);

impl<T: Clone> Engine<T> {
    /// Notes who owes an answer since when, and tells of those that became silent or are not any
    /// more.
    pub(super) fn watch_silence(&mut self, now: Instant) {
        for (&id, broker) in &mut self.brokers {
            let connection = self.connections.to(id);
            let listed = self.lists.len(id) > 0;
            let asked = connection.is_some_and(|connection| in_flight(connection) > 0);
            let is_usable = connection.is_some_and(|connection| connection.is_usable());
            if asked || (listed && !is_usable) {
                broker.owes_since.get_or_insert(now);
            } else if !listed || !broker.is_silent {
                // One that was silent and is in reach again has not answered yet.
                broker.owes_since = None;
            }
            let since = broker
                .owes_since
                .filter(|since| *since + SILENT_AFTER <= now);
            if since.is_some() == broker.is_silent {
                continue;
            }
            broker.is_silent = since.is_some();
            self.out.push_back(Output::Silence {
                broker: id,
                address: self.cluster.brokers().get(&id).cloned(),
                since,
            });
        }
    }

    /// When the next broker will have been silent for long enough.
    pub(super) fn silence_at(&self) -> impl Iterator<Item = Instant> {
        let owing = self.brokers.values().filter(|broker| !broker.is_silent);
        owing.filter_map(|broker| Some(broker.owes_since? + SILENT_AFTER))
    }
}
