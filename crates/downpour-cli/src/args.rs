//! The command line: what can be said, and the help. What it means is with each command.

mod connection;
mod perf;
mod produce;
pub(crate) mod values;

use clap::{ArgAction, Parser, Subcommand};

pub(crate) use connection::{AcksArg, BROKERS, ConnectionArgs};
pub(crate) use perf::{AwaitMode, PartitionMode, PerfArgs};
pub(crate) use produce::{InputArgs, InputFormat, JsonReport, ProduceArgs, RecordArgs};

const AFTER: &str = "\
Examples:
  # Try it without a broker: a fake cluster inside this process takes the records
  downpour produce events --embedded events.ndjson

  # Lines from a pipe, with keys
  seq 1000 | sed 's/.*/user-&=hello/' | downpour produce events -b localhost:9092 --key-separator '='

  # How fast is it, and what does a record cost
  downpour perf events -b localhost:9092 --records 1000000 --size 100

Exit codes:
  0    every record was acknowledged
  1    at least one record was not; each is listed with what is known of it
  2    nothing was sent: arguments, settings, input, or no cluster
  130  interrupted (128 and the signal's number); what is not acknowledged is listed
  141  standard output was closed, as by '| head': reading stopped, and what had been accepted
       got its verdict

Environment:
  DOWNPOUR_BROKERS  brokers, where neither an option nor -F names them

'downpour COMMAND --help' tells more, with examples; '-h' is the short form.";

/// Sends records to Apache Kafka, and says of each whether it is there.
#[derive(Debug, Parser)]
#[command(name = "downpour", version, after_help = AFTER, max_term_width = 100)]
pub(crate) struct Cli {
    /// Logs more to standard error: connections and retries; twice: everything
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 900)]
    pub(crate) verbose: u8,

    /// Prints errors, failed records and JSON only: no progress, no warnings, no summary
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        display_order = 901
    )]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Produce(Box<ProduceArgs>),
    Perf(Box<PerfArgs>),
    #[command(hide = true)]
    EmbeddedBroker(EmbeddedBrokerArgs),
}

/// Serves a fake cluster on loopback ports until standard input ends.
#[derive(Debug, clap::Args)]
pub(crate) struct EmbeddedBrokerArgs {
    /// The topic that it has
    pub(crate) topic: String,
    /// Its partitions
    #[arg(long, default_value_t = 3)]
    pub(crate) partitions: i32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
