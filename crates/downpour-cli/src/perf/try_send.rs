//! `--try-send`: many calls on a full buffer. None may wait, and no record may be lost: each is
//! accepted and gets a verdict, or comes back.

use std::time::{Duration, Instant};

use downpour::{Delivery, Record, SendError, WaitedFor};
use indicatif::{HumanBytes, HumanCount};
use serde_json::json;

use super::outcome::Outcomes;
use super::payload::Payload;
use super::result::{nanos_each, print};
use super::target::Target;
use crate::args::{PartitionMode, PerfArgs};
use crate::console::Console;
use crate::ending::{Ending, Refusal};
use crate::usage::{self, Usage};

/// While the buffer is filled and the calls are made, an embedded cluster takes so long over each
/// request.
const STALL: Duration = Duration::from_secs(2);
/// The order to stall travels through a pipe; by then it has arrived.
const ARRIVED: Duration = Duration::from_millis(100);
/// Filling ends here although there is room: the brokers are as fast as this thread.
const FILL_WITHIN: Duration = Duration::from_secs(10);
/// The default of `buffer.memory`.
const BUFFER: usize = 64 << 20;

/// What the calls answered.
#[derive(Debug, Default)]
struct Calls {
    accepted: u64,
    handed_back: u64,
    /// Came back changed, or with another reason than a full buffer.
    wrong: Vec<String>,
    longest: Duration,
    total: Duration,
    cpu: Duration,
    most_buffered: usize,
}

struct Check<'a> {
    args: &'a PerfArgs,
    target: &'a Target,
    payload: Payload,
    handles: Vec<Delivery>,
    partitions: u64,
}

/// Fills the buffer, calls, lets go, and says what came of it.
pub(super) fn run(
    args: &PerfArgs,
    mut target: Target,
    console: &Console,
) -> Result<Ending, Refusal> {
    let limit = buffer_memory(args);
    let size = args.size.unwrap_or(1024);
    let first = Record::to(&target.topic).value("first");
    target
        .producer
        .produce_sync(first)
        .map_err(|error| Refusal::new(error.to_string()))?;
    let before = usage::now();
    if let Some(apart) = &mut target.apart {
        apart.set_service_delay(STALL)?;
        std::thread::sleep(ARRIVED);
    }
    let mut check = Check {
        args,
        target: &target,
        payload: Payload::new(size),
        handles: Vec::new(),
        partitions: target.topic.partitions().max(1) as u64,
    };
    let is_full = check.fill()?;
    let filled = check.handles.len();
    let calls = check.call(args.records.unwrap_or(10_000));
    let handles = std::mem::take(&mut check.handles);
    drop(check);
    if let Some(apart) = &mut target.apart {
        apart.set_service_delay(Duration::ZERO)?;
    }
    let mut outcomes = Outcomes::default();
    for handle in &handles {
        let outcome = loop {
            if let Ok(outcome) = handle.wait_outcome(Duration::MAX) {
                break outcome;
            }
        };
        outcomes.end(&outcome);
    }
    target.producer.close();
    let report = Report {
        args,
        limit,
        size,
        filled,
        is_full,
        calls,
        outcomes,
        before,
    };
    report.print(console)?;
    Ok(if report.is_good() {
        Ending::Complete
    } else {
        Ending::Incomplete
    })
}

/// What `-X` says, or the default.
fn buffer_memory(args: &PerfArgs) -> usize {
    let property = |name: &str, unit: usize| {
        let found = args
            .connection
            .properties
            .iter()
            .rev()
            .find(|(n, _)| n.trim() == name);
        found
            .and_then(|(_, v)| v.trim().parse::<usize>().ok())
            .map(|v| v.saturating_mul(unit))
    };
    property("buffer.memory", 1)
        .or_else(|| property("queue.buffering.max.kbytes", 1024))
        .unwrap_or(BUFFER)
}

impl<'a> Check<'a> {
    fn record(&self, number: u64) -> Record<'_> {
        let record = Record::to(&self.target.topic).value(self.payload.value(number));
        match self.args.partition {
            PartitionMode::Auto => record,
            PartitionMode::Each => record.partition((number % self.partitions) as i32),
            PartitionMode::One(partition) => record.partition(partition),
        }
    }

    /// Whether it got full.
    fn fill(&mut self) -> Result<bool, Refusal> {
        let began = Instant::now();
        for number in 0.. {
            match self
                .target
                .producer
                .as_async()
                .try_send(self.record(number))
            {
                Ok(handle) => self.handles.push(handle),
                Err(error) => match error.reason() {
                    SendError::NotReady(WaitedFor::Memory) => return Ok(true),
                    reason => return Err(Refusal::new(reason.to_string())),
                },
            }
            if number % 1024 == 0 && began.elapsed() > FILL_WITHIN {
                break;
            }
        }
        Ok(false)
    }

    fn call(&mut self, count: u64) -> Calls {
        let mut calls = Calls::default();
        self.handles.reserve(usize::try_from(count).unwrap_or(0));
        let before = usage::now();
        for number in 0..count {
            let record = self.record(number);
            let began = Instant::now();
            let answer = self.target.producer.as_async().try_send(record);
            let took = began.elapsed();
            calls.total += took;
            calls.longest = calls.longest.max(took);
            match answer {
                Ok(handle) => {
                    calls.accepted += 1;
                    self.handles.push(handle);
                }
                Err(error) => {
                    let (record, reason) = error.into_parts();
                    calls.handed_back += 1;
                    let is_whole = record.value_bytes() == Some(self.payload.value(number));
                    let is_full = matches!(reason, SendError::NotReady(WaitedFor::Memory));
                    if calls.wrong.len() < 10 && !(is_whole && is_full) {
                        calls
                            .wrong
                            .push(format!("call {number}: {reason}, whole: {is_whole}"));
                    }
                }
            }
            let buffered = self.target.producer.as_async().buffered_bytes();
            calls.most_buffered = calls.most_buffered.max(buffered);
        }
        calls.cpu = usage::now().cpu_since(&before);
        calls
    }
}

struct Report<'a> {
    args: &'a PerfArgs,
    limit: usize,
    size: usize,
    filled: usize,
    is_full: bool,
    calls: Calls,
    outcomes: Outcomes,
    before: Usage,
}

impl Report<'_> {
    fn is_good(&self) -> bool {
        let accepted = self.filled as u64 + self.calls.accepted;
        self.outcomes.is_complete(accepted)
            && self.calls.wrong.is_empty()
            && self.calls.most_buffered <= self.limit
    }

    fn print(&self, console: &Console) -> Result<(), Refusal> {
        for trouble in self.outcomes.troubles.iter().chain(&self.calls.wrong) {
            console.line(&format!("error: {trouble}"));
        }
        if !self.is_full {
            console.note("the buffer did not get full: the brokers take all that comes");
        }
        let peak = usage::now().peak_rss;
        if self.args.json {
            print(&self.json(peak).to_string())
        } else {
            print(&self.words(peak))
        }
    }

    fn words(&self, peak: u64) -> String {
        let (calls, outcomes) = (&self.calls, &self.outcomes);
        let made = calls.accepted + calls.handed_back;
        format!(
            "buffer    {} of {} in use, filled with {} records of {} bytes\n\
             calls     {}: {} accepted, {} handed back\n\
             a call    {:.0} ns on average, longest {:.0} us; CPU {:.0} ns\n\
             verdicts  {} acknowledged, {} not written, {} unknown, of {} accepted in all\n\
             memory    peak RSS {} ({} before the buffer was filled)",
            HumanBytes(calls.most_buffered as u64),
            HumanBytes(self.limit as u64),
            HumanCount(self.filled as u64),
            self.size,
            HumanCount(made),
            HumanCount(calls.accepted),
            HumanCount(calls.handed_back),
            nanos_each(calls.total, made),
            calls.longest.as_secs_f64() * 1e6,
            nanos_each(calls.cpu, made),
            HumanCount(outcomes.acknowledged),
            HumanCount(outcomes.not_written),
            HumanCount(outcomes.unknown),
            HumanCount(self.filled as u64 + calls.accepted),
            HumanBytes(peak),
            HumanBytes(self.before.peak_rss),
        )
    }

    fn json(&self, peak: u64) -> serde_json::Value {
        let (calls, outcomes) = (&self.calls, &self.outcomes);
        let made = calls.accepted + calls.handed_back;
        json!({
            "buffer_memory": self.limit,
            "most_buffered": calls.most_buffered,
            "buffer_was_full": self.is_full,
            "filled_with": self.filled,
            "calls": made,
            "accepted": calls.accepted,
            "handed_back": calls.handed_back,
            "ns_per_call": nanos_each(calls.total, made),
            "longest_call_us": calls.longest.as_secs_f64() * 1e6,
            "cpu_ns_per_call": nanos_each(calls.cpu, made),
            "acknowledged": outcomes.acknowledged,
            "not_written": outcomes.not_written,
            "unknown": outcomes.unknown,
            "peak_rss_bytes": peak,
            "peak_rss_before_bytes": self.before.peak_rss,
        })
    }
}
