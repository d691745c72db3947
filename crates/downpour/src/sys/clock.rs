//! The time that records are stamped with: milliseconds since 1970, from the cheap clock.
//!
//! Read by the caller, because a clock cached by an idle I/O thread would be minutes old.
//! Deadlines are not measured here; they use [`std::time::Instant`].

/// Milliseconds since 1970, never negative. On Linux up to one kernel tick (4 ms) behind.
#[cfg(target_os = "linux")]
pub(crate) fn unix_millis() -> i64 {
    // The coarse clock costs a quarter of the precise one, and this is read for every record.
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    (now.tv_sec.saturating_mul(1000) + now.tv_nsec / 1_000_000).max(0)
}

/// Milliseconds since 1970, never negative.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unix_millis() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
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
