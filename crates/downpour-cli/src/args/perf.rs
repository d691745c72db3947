//! The arguments of `perf`, and its help.

use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::connection::ConnectionArgs;
use super::values;

const AFTER: &str = "\
What is measured:
  Throughput from the first send to the last verdict; CPU as user and system time of this whole
  process (getrusage), divided by the records; peak RSS as the operating system knows it. The
  topic is warmed up before. With --embedded the cluster is another process, so that its CPU and
  memory are not counted. Build with --release before you believe a number.

Examples:
  # A million records of 100 bytes
  downpour perf events -b localhost:9092

  # Without a broker: the fake cluster in a process of its own
  downpour perf events --embedded --records 500k --size 1k --compression lz4

  # Awaits each record before the next: round trips
  downpour perf events -b localhost:9092 --await each --records 10k

  # Explicit partitions in turn, four threads, handles dropped
  downpour perf events -b localhost:9092 --partition each --threads 4 --await none";

/// Measures throughput, CPU per record and memory.
#[derive(Debug, Args)]
#[command(
    after_long_help = AFTER,
    after_help = "'--help' tells what is measured, with examples.",
    override_usage = "downpour perf [OPTIONS] <TOPIC>"
)]
pub(crate) struct PerfArgs {
    /// The topic
    #[arg(
        required_unless_present = "named_topic",
        conflicts_with = "named_topic"
    )]
    topic: Option<String>,

    /// As kcat has it
    #[arg(short = 't', long = "topic", value_name = "TOPIC", hide = true)]
    named_topic: Option<String>,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,

    /// Records to send, all threads together
    #[arg(short = 'n', long, value_name = "N", default_value = "1M", value_parser = values::count)]
    pub(crate) records: u64,

    /// Bytes of each value
    #[arg(short, long, value_name = "BYTES", default_value = "100", value_parser = values::bytes)]
    pub(crate) size: usize,

    /// Threads that send
    #[arg(short = 'j', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: u16,

    /// auto: the partitioner chooses; each: all partitions in turn, named by each record; or the
    /// number of one
    #[arg(short, long, value_name = "auto|each|N", default_value = "auto")]
    pub(crate) partition: PartitionMode,

    /// How verdicts are waited for
    #[arg(long = "await", value_enum, value_name = "HOW", default_value_t = AwaitMode::Handles)]
    pub(crate) mode: AwaitMode,

    /// Prints the result as one JSON line
    #[arg(long)]
    pub(crate) json: bool,
}

impl PerfArgs {
    pub(crate) fn topic(&self) -> &str {
        let named = self.topic.as_ref().or(self.named_topic.as_ref());
        named.map_or("", String::as_str)
    }
}

/// Which partition a record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartitionMode {
    Auto,
    Each,
    One(i32),
}

impl FromStr for PartitionMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "each" => Ok(Self::Each),
            _ => match text.parse() {
                Ok(number) if number >= 0 => Ok(Self::One(number)),
                _ => Err("is neither auto nor each nor the number of a partition".into()),
            },
        }
    }
}

/// How verdicts are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AwaitMode {
    /// A handle per record is kept and read, later
    Handles,
    /// Each record is acknowledged before the next is sent
    Each,
    /// A thousand records per call, with one handle
    Many,
    /// Handles are dropped; a flush at the end
    None,
}

impl AwaitMode {
    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handles => "handles",
            Self::Each => "each",
            Self::Many => "many",
            Self::None => "none",
        }
    }
}
