//! Where a producer's time comes from: the system's clocks, or the simulator's.
//!
//! Records are stamped by the caller, from the cheap clock: one that is cached by an idle I/O
//! thread would be minutes old. Deadlines are told by [`Clock::now`]. What times out on a thread
//! that is parked is `park`'s, and the system's alone.

use std::time::Instant;

/// One producer's clocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    #[cfg(feature = "simulation")]
    simulated: Option<std::sync::Arc<SimulatedClock>>,
}

impl Clock {
    /// The time that deadlines are told by.
    #[inline]
    pub(crate) fn now(&self) -> Instant {
        #[cfg(feature = "simulation")]
        if let Some(simulated) = &self.simulated {
            return simulated.now();
        }
        Instant::now()
    }

    /// Milliseconds since 1970, never negative. On Linux up to one kernel tick (4 ms) behind.
    #[inline]
    pub(crate) fn unix_millis(&self) -> i64 {
        #[cfg(feature = "simulation")]
        if let Some(simulated) = &self.simulated {
            return simulated.unix_millis();
        }
        unix_millis()
    }
}

#[cfg(target_os = "linux")]
fn unix_millis() -> i64 {
    // The coarse clock costs a quarter of the precise one, and this is read for every record.
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    (now.tv_sec.saturating_mul(1000) + now.tv_nsec / 1_000_000).max(0)
}

#[cfg(not(target_os = "linux"))]
fn unix_millis() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(feature = "simulation")]
pub(crate) use simulated::SimulatedClock;

#[cfg(feature = "simulation")]
mod simulated {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    use super::Clock;

    /// Clocks that show what they are set to.
    #[derive(Debug)]
    pub(crate) struct SimulatedClock {
        base: Instant,
        /// Nanoseconds since `base`.
        elapsed: AtomicU64,
        unix_millis: AtomicI64,
    }

    impl SimulatedClock {
        pub(crate) fn new() -> Self {
            Self {
                base: Instant::now(),
                elapsed: AtomicU64::new(0),
                unix_millis: AtomicI64::new(0),
            }
        }

        pub(crate) fn set(&self, elapsed: Duration, unix_millis: i64) {
            let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
            self.elapsed.store(nanos, Ordering::Relaxed);
            self.unix_millis.store(unix_millis, Ordering::Relaxed);
        }

        pub(crate) fn base(&self) -> Instant {
            self.base
        }

        pub(super) fn now(&self) -> Instant {
            self.base + Duration::from_nanos(self.elapsed.load(Ordering::Relaxed))
        }

        pub(super) fn unix_millis(&self) -> i64 {
            self.unix_millis.load(Ordering::Relaxed)
        }
    }

    impl Clock {
        pub(crate) fn simulated(clock: std::sync::Arc<SimulatedClock>) -> Self {
            Self {
                simulated: Some(clock),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn coarse_clock_agrees_with_the_precise_one() {
        let precise = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis() as i64;
        let coarse = super::unix_millis();
        assert!((coarse - precise).abs() < 1000, "{coarse} and {precise}");
    }
}
