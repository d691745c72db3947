//! A measurement in words or as JSON.

use std::io::Write;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use serde_json::json;

use super::outcome::Outcomes;
use crate::args::PerfArgs;
use crate::console::Console;
use crate::ending::Refusal;
use crate::patient;
use crate::usage::Usage;

pub(super) struct Measured<'a> {
    pub(super) args: &'a PerfArgs,
    pub(super) outcomes: Outcomes,
    pub(super) elapsed: Duration,
    pub(super) before: Usage,
    pub(super) after: Usage,
}

fn print(text: &str) -> Result<(), Refusal> {
    let mut output = patient::output();
    writeln!(output, "{text}")
        .and_then(|()| output.flush())
        .map_err(|error| Refusal::new(format!("the result could not be written out: {error}")))
}

/// Nanoseconds per record.
fn nanos_each(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count.max(1) as f64
}

impl Measured<'_> {
    pub(super) fn print(&self, console: &Console) -> Result<(), Refusal> {
        for trouble in &self.outcomes.troubles {
            console.line(&format!("error: {trouble}"));
        }
        if self.args.json {
            print(&self.json().to_string())
        } else {
            print(&self.words())
        }
    }

    /// How many records were accepted and ended, well or not.
    fn ended(&self) -> u64 {
        let o = &self.outcomes;
        o.acknowledged + o.not_written + o.unknown + o.unread
    }

    fn rate(&self) -> f64 {
        self.ended() as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    fn user(&self) -> Duration {
        self.after.user.saturating_sub(self.before.user)
    }

    fn system(&self) -> Duration {
        self.after.system.saturating_sub(self.before.system)
    }

    /// Median, 99th percentile and maximum of the round trips, in microseconds.
    fn round_trips(&self) -> Option<[u32; 3]> {
        let mut sorted = self.outcomes.round_trips.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        Some([sorted[last / 2], sorted[last * 99 / 100], sorted[last]])
    }

    fn words(&self) -> String {
        let (ended, outcomes) = (self.ended(), &self.outcomes);
        let cpu = self.after.cpu_since(&self.before);
        let seconds = self.elapsed.as_secs_f64();
        let mut text = format!(
            "{} records of {} bytes in {seconds:.2} s: {} records/s, {}/s\n\
             CPU       {:.0} ns per record (user {:.0}, system {:.0}), {:.2} cores, {:.3} context \
             switches per record\n\
             memory    peak RSS {}\n",
            HumanCount(ended),
            self.args.size,
            HumanCount(self.rate() as u64),
            HumanBytes((self.rate() * self.args.size as f64) as u64),
            nanos_each(cpu, ended),
            nanos_each(self.user(), ended),
            nanos_each(self.system(), ended),
            cpu.as_secs_f64() / seconds.max(1e-9),
            (self.after.switches - self.before.switches) as f64 / ended.max(1) as f64,
            HumanBytes(self.after.peak_rss),
        );
        if let Some([median, p99, max]) = self.round_trips() {
            text +=
                &format!("await     median {median} us, 99 % within {p99} us, longest {max} us\n");
        }
        text += &if outcomes.unread > 0 {
            format!(
                "verdicts  not read, {} accepted",
                HumanCount(outcomes.unread)
            )
        } else {
            format!(
                "verdicts  {} acknowledged, {} not written, {} unknown",
                HumanCount(outcomes.acknowledged),
                HumanCount(outcomes.not_written),
                HumanCount(outcomes.unknown),
            )
        };
        if ended < self.args.records {
            text += &format!(", {} not sent", HumanCount(self.args.records - ended));
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let (ended, outcomes) = (self.ended(), &self.outcomes);
        let cpu = self.after.cpu_since(&self.before);
        let trips = self.round_trips();
        json!({
            "records": ended,
            "size": self.args.size,
            "threads": self.args.threads,
            "await": self.args.mode.name(),
            "compression": self.args.connection.compression.as_deref().unwrap_or("none"),
            "seconds": self.elapsed.as_secs_f64(),
            "records_per_second": self.rate(),
            "cpu_ns_per_record": nanos_each(cpu, ended),
            "user_ns_per_record": nanos_each(self.user(), ended),
            "system_ns_per_record": nanos_each(self.system(), ended),
            "context_switches": self.after.switches - self.before.switches,
            "peak_rss_bytes": self.after.peak_rss,
            "acknowledged": outcomes.acknowledged,
            "not_written": outcomes.not_written,
            "unknown": outcomes.unknown,
            "verdicts_not_read": outcomes.unread,
            "not_sent": self.args.records - ended.min(self.args.records),
            "round_trip_us": trips.map(|[median, p99, max]| {
                json!({ "median": median, "p99": p99, "max": max })
            }),
        })
    }
}
