//! When an answer may leave. Both delays are a date, so that one outbox serves both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The delays that hold now, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    network: AtomicU64,
    service: AtomicU64,
}

impl Delays {
    pub(crate) fn set(&self, network: u64, service: u64) {
        self.network.store(network, Ordering::Relaxed);
        self.service.store(service, Ordering::Relaxed);
    }

    /// When the answer to a request that arrived `now` is due, or `None` for at once.
    /// `served_until` is when the connection's request before is through: service is one at a
    /// time, the network has room for all.
    pub(crate) fn due(&self, now: Instant, served_until: &mut Instant) -> Option<Instant> {
        let network = Duration::from_micros(self.network.load(Ordering::Relaxed));
        let service = Duration::from_micros(self.service.load(Ordering::Relaxed));
        if network.is_zero() && service.is_zero() {
            return None;
        }
        *served_until = now.max(*served_until) + service;
        Some(*served_until + network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_network_carries_many_requests_at_once() {
        let delays = Delays::default();
        delays.set(2000, 0);
        let now = Instant::now();
        let mut served = now;
        assert_eq!(delays.due(now, &mut served), Some(now + 2 * MS));
        assert_eq!(delays.due(now, &mut served), Some(now + 2 * MS));
    }

    #[test]
    fn service_takes_one_request_after_the_other() {
        let delays = Delays::default();
        delays.set(0, 2000);
        let now = Instant::now();
        let mut served = now;
        assert_eq!(delays.due(now, &mut served), Some(now + 2 * MS));
        assert_eq!(delays.due(now, &mut served), Some(now + 4 * MS));
        assert_eq!(delays.due(now + 9 * MS, &mut served), Some(now + 11 * MS));
    }
}
