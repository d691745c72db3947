//! Times as people read them, for errors and log lines: `30 s`, not `30000000000ns`.

use std::fmt;
use std::time::Duration;

/// A time in its usual unit, with three digits after the point where they are not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a time is all there is")]
pub struct Readable(pub Duration);

/// From so many nanoseconds on a unit is used. Minutes are not: settings are read in seconds.
const UNITS: [(u128, u128, &str); 6] = [
    (48 * 3600 * 1_000_000_000, 24 * 3600 * 1_000_000_000, "d"),
    (2 * 3600 * 1_000_000_000, 3600 * 1_000_000_000, "h"),
    (1_000_000_000, 1_000_000_000, "s"),
    (1_000_000, 1_000_000, "ms"),
    (1_000, 1_000, "µs"),
    (1, 1, "ns"),
];

impl Readable {
    /// The same time without what is below a millisecond: nobody reads `205.716 ms` better than `205 ms`.
    /// Times below one stay as they are.
    pub fn coarse(time: Duration) -> Self {
        match time.as_millis() {
            0 => Self(time),
            millis => Self(Duration::from_millis(
                u64::try_from(millis).unwrap_or(u64::MAX),
            )),
        }
    }
}

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let Some((_, unit, name)) = UNITS.into_iter().find(|(from, ..)| nanos >= *from) else {
            return f.write_str("0 s");
        };
        let (whole, thousandths) = (nanos / unit, nanos % unit * 1000 / unit);
        let digits = format!("{thousandths:03}");
        match digits.trim_end_matches('0') {
            "" => write!(f, "{whole} {name}"),
            digits => write!(f, "{whole}.{digits} {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_its_usual_unit() {
        for (time, text) in [
            (Duration::ZERO, "0 s"),
            (Duration::from_nanos(999), "999 ns"),
            (Duration::from_micros(1500), "1.5 ms"),
            (Duration::from_millis(5), "5 ms"),
            (Duration::from_nanos(1_234_567_891), "1.234 s"),
            (Duration::from_secs(30), "30 s"),
            (Duration::from_millis(120_005), "120.005 s"),
            (Duration::from_secs(6 * 3600), "6 h"),
            (Duration::from_secs(3650 * 24 * 3600), "3650 d"),
        ] {
            assert_eq!(Readable(time).to_string(), text);
        }
        let measured = Duration::from_nanos(205_716_999);
        assert_eq!(Readable::coarse(measured).to_string(), "205 ms");
        assert_eq!(
            Readable::coarse(Duration::from_micros(999)).to_string(),
            "999 µs"
        );
        assert!(Readable::coarse(Duration::MAX).to_string().ends_with(" d"));
        assert!(Readable(Duration::MAX).to_string().ends_with(" d"));
    }
}
