//! The one line that a peer prints.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::meter::Spent;

/// Who ran.
#[derive(Debug, Clone)]
pub struct About {
    /// The peer's name.
    pub peer: &'static str,
    /// The version of what is measured.
    pub version: String,
}

/// What came of the records of one stretch.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many records failed.
    pub errors: u64,
    /// How many of those may be in the log all the same; `None` if the library does not tell.
    pub unknown: Option<u64>,
    /// What the first failure said.
    pub first_error: Option<String>,
    /// How long each took, in nanoseconds, in modes that wait for each.
    pub latencies: Vec<u64>,
}

impl Tally {
    /// Counts a failure.
    #[cold]
    pub fn fail(&mut self, error: impl std::fmt::Display) {
        self.errors += 1;
        if self.first_error.is_none() {
            self.first_error = Some(error.to_string());
        }
    }

    /// Counts a failure of which the library says whether the record may be in the log.
    #[cold]
    pub fn fail_knowing(&mut self, maybe_written: bool, error: impl std::fmt::Display) {
        self.fail(error);
        self.unknown = Some(self.unknown.unwrap_or(0) + u64::from(maybe_written));
    }

    /// Adds what came of another part.
    pub fn add(&mut self, part: Self) {
        self.errors += part.errors;
        self.unknown = match (self.unknown, part.unknown) {
            (Some(here), Some(there)) => Some(here + there),
            (here, there) => here.or(there),
        };
        self.first_error = self.first_error.take().or(part.first_error);
        if self.latencies.is_empty() {
            self.latencies = part.latencies;
        } else {
            self.latencies.extend(part.latencies);
        }
    }
}

/// The line's content.
pub(crate) fn line(about: &About, mode: &str, records: u64, spent: &Spent, tally: Tally) -> Value {
    let per_record = spent.cpu.as_nanos() as f64 / records.max(1) as f64;
    let rate = records as f64 / spent.wall.as_secs_f64();
    json!({
        "peer": about.peer,
        "version": about.version,
        "mode": mode,
        "records": records,
        "wall_s": spent.wall.as_secs_f64(),
        "cpu_ns_per_record": per_record,
        "us_per_record": 1e6 / rate,
        "records_per_s": rate,
        "voluntary_switches": spent.voluntary_switches,
        "involuntary_switches": spent.involuntary_switches,
        "peak_rss_bytes": spent.peak_rss,
        "errors": tally.errors,
        "unknown": tally.unknown,
        "first_error": tally.first_error,
        "latency_us": percentiles(tally.latencies),
    })
}

fn percentiles(mut nanos: Vec<u64>) -> Value {
    if nanos.is_empty() {
        return Value::Null;
    }
    nanos.sort_unstable();
    let at = |share: f64| {
        let index = (share * (nanos.len() - 1) as f64).round() as usize;
        nanos[index] as f64 / 1000.0
    };
    json!({ "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "max": at(1.0) })
}

/// Prints it.
pub(crate) fn print(line: &Value) {
    let mut out = std::io::stdout().lock();
    // Nobody is left to tell if standard output is closed.
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_written_is_told_by_those_who_know() {
        let mut tally = Tally::default();
        tally.fail("no word");
        assert_eq!((tally.errors, tally.unknown), (1, None));
        let mut part = Tally::default();
        part.fail_knowing(false, "refused");
        part.fail_knowing(true, "lost");
        tally.add(part);
        tally.add(Tally::default());
        assert_eq!((tally.errors, tally.unknown), (3, Some(1)));
        let mut another = Tally::default();
        another.fail_knowing(true, "lost");
        tally.add(another);
        assert_eq!((tally.errors, tally.unknown), (4, Some(2)));
    }
}
