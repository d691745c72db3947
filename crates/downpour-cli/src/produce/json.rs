//! Results for programs: one object per record, and one at the end, on standard output.

use std::io::{self, BufWriter, Stdout, Write};

use downpour::{DeliveryError, Report, Written};
use serde::Serialize;

use super::entry::InputLine;
use super::report::{Sink, Summary};
use super::tally::PartitionTally;
use crate::patient::{self, Patient};

#[derive(Debug)]
pub(super) struct Json {
    output: BufWriter<Patient<Stdout>>,
    names: Vec<String>,
    summary_only: bool,
}

impl Json {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self {
            output: BufWriter::new(patient::output()),
            names,
            summary_only: false,
        }
    }

    /// The same without a line for each record.
    pub(super) fn summary_only(mut self) -> Self {
        self.summary_only = true;
        self
    }

    fn record(&mut self, at: InputLine, record: &impl Serialize) -> io::Result<()> {
        if self.summary_only {
            return Ok(());
        }
        let source = name(&self.names, at);
        let line = at.line;
        write(
            &mut self.output,
            &AtPlace {
                source,
                line,
                record,
            },
        )
    }
}

fn name(names: &[String], at: InputLine) -> &str {
    names.get(at.source).map_or("?", String::as_str)
}

fn write(output: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, value)?;
    output.write_all(b"\n")
}

#[derive(Serialize)]
struct AtPlace<'a, R: Serialize> {
    source: &'a str,
    line: u64,
    #[serde(flatten)]
    record: &'a R,
}

#[derive(Serialize)]
struct Delivered<'a> {
    written: &'a str,
    topic: &'a str,
    partition: i32,
    offset: Option<i64>,
    timestamp: i64,
}

#[derive(Serialize)]
struct Failed<'a> {
    written: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    error: &'a str,
}

#[derive(Serialize)]
struct Partition {
    partition: i32,
    records: u64,
    first_offset: Option<i64>,
    last_offset: Option<i64>,
}

#[derive(Serialize)]
struct Stopped<'a> {
    source: Option<&'a str>,
    line: Option<u64>,
    reason: &'a str,
    not_read: Vec<&'a str>,
}

#[derive(Serialize)]
struct Total<'a> {
    topic: &'a str,
    complete: bool,
    acknowledged: u64,
    not_written: u64,
    unknown: u64,
    refused: u64,
    seconds: f64,
    records_per_second: u64,
    stopped: Option<Stopped<'a>>,
    partitions: Vec<Partition>,
}

#[derive(Serialize)]
struct Last<'a> {
    summary: Total<'a>,
}

impl Sink for Json {
    fn delivered(&mut self, at: InputLine, report: &Report) -> io::Result<()> {
        let record = Delivered {
            written: "yes",
            topic: report.topic(),
            partition: report.partition(),
            offset: report.offset(),
            timestamp: report.timestamp_ms(),
        };
        self.record(at, &record)
    }

    fn failed(&mut self, at: InputLine, error: &DeliveryError) -> io::Result<()> {
        let record = Failed {
            written: match error.written() {
                Written::No => "no",
                _ => "unknown",
            },
            topic: Some(error.topic()),
            partition: Some(error.partition()),
            attempts: Some(error.attempts()),
            error: &error.to_string(),
        };
        self.record(at, &record)
    }

    fn refused(&mut self, at: InputLine, reason: &str) -> io::Result<()> {
        let record = Failed {
            written: "no",
            topic: None,
            partition: None,
            attempts: None,
            error: reason,
        };
        self.record(at, &record)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn summary(&mut self, summary: &Summary<'_>) -> io::Result<()> {
        let tally = summary.tally;
        let partition = |(&partition, tally): (&i32, &PartitionTally)| Partition {
            partition,
            records: tally.records,
            first_offset: tally.offsets.map(|(low, _)| low),
            last_offset: tally.offsets.map(|(_, high)| high),
        };
        let last = Last {
            summary: Total {
                topic: summary.topic,
                complete: summary.is_complete(),
                acknowledged: tally.acknowledged,
                not_written: tally.not_written,
                unknown: tally.unknown,
                refused: tally.refused,
                seconds: (summary.elapsed.as_secs_f64() * 1e6).round() / 1e6,
                records_per_second: summary.rate() as u64,
                stopped: summary.halt.map(|halt| Stopped {
                    source: halt.at.map(|at| name(&self.names, at)),
                    line: halt.at.map(|at| at.line),
                    reason: &halt.reason,
                    not_read: halt
                        .untouched
                        .iter()
                        .filter_map(|&source| summary.names.get(source))
                        .map(String::as_str)
                        .collect(),
                }),
                partitions: tally.partitions.iter().map(partition).collect(),
            },
        };
        write(&mut self.output, &last)?;
        self.output.flush()
    }
}
