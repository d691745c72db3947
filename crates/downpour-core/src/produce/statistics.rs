//! What went to each broker and what came back, in plain numbers that only grow.
//!
//! They move once per request. What a partition has done is in its queue's `counters`.

use std::collections::BTreeMap;

/// Up to so many brokers keep their sums though they are gone. More than that only a cluster has
/// whose brokers get a new number with each start.
const BROKERS_MAX: usize = 1024;

/// Sums of all brokers since the engine began.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    brokers: BTreeMap<i32, BrokerCounters>,
    changes: u64,
}

/// One broker's. A request is one that carries records; others are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokerCounters {
    /// Requests that were handed to the connection.
    pub requests: u64,
    /// Their bytes, all told.
    pub request_bytes: u64,
    /// Requests that were answered.
    pub answers: u64,
    /// Requests whose answer will never come, because their connection ended.
    pub lost: u64,
}

impl Statistics {
    /// The brokers that were sent records, in the order of their numbers.
    pub fn brokers(&self) -> impl ExactSizeIterator<Item = (i32, &BrokerCounters)> + Clone {
        self.brokers.iter().map(|(&id, counters)| (id, counters))
    }

    /// Grows whenever anything in here does, so that nobody need compare.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    fn broker(&mut self, id: i32) -> &mut BrokerCounters {
        self.changes += 1;
        self.brokers.entry(id).or_default()
    }

    /// Forgets brokers that are not known any more, once there are more than anybody looks at.
    pub(super) fn forget_brokers(&mut self, is_known: impl Fn(i32) -> bool) {
        if self.brokers.len() > BROKERS_MAX {
            self.changes += 1;
            self.brokers.retain(|id, _| is_known(*id));
        }
    }

    pub(super) fn handle_request(&mut self, broker: i32, bytes: usize) {
        let counters = self.broker(broker);
        counters.requests += 1;
        counters.request_bytes += bytes as u64;
    }

    pub(super) fn handle_answer(&mut self, broker: Option<i32>) {
        if let Some(id) = broker {
            self.broker(id).answers += 1;
        }
    }

    pub(super) fn handle_lost(&mut self, broker: Option<i32>, requests: usize) {
        if let Some(id) = broker.filter(|_| requests > 0) {
            self.broker(id).lost += requests as u64;
        }
    }
}
