//! Where to and how: what `produce` and `perf` have in common.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values;

/// The environment variable that names brokers.
pub(crate) const BROKERS: &str = "DOWNPOUR_BROKERS";

/// How many replicas must have a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AcksArg {
    /// All in-sync replicas (the default)
    #[value(alias = "-1")]
    All,
    /// The leader alone; switches idempotence off
    #[value(name = "1")]
    Leader,
    /// Nobody: a record counts once it is on the socket, and has no offset
    #[value(name = "0")]
    None,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster and producer")]
pub(crate) struct ConnectionArgs {
    /// Brokers to ask first, as HOST:PORT, several separated by commas; without it and -F the
    /// environment's DOWNPOUR_BROKERS
    #[arg(
        short = 'b',
        long = "bootstrap",
        value_name = "HOST:PORT",
        aliases = ["brokers", "bootstrap-server", "bootstrap-servers", "broker-list"]
    )]
    pub(crate) bootstrap: Option<String>,

    /// Sends to a fake Kafka cluster that lives as long as this command; no broker is needed
    #[arg(long, conflicts_with = "bootstrap")]
    pub(crate) embedded: bool,

    /// Partitions of the topic in the embedded cluster
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub(crate) embedded_partitions: i32,

    /// Who must have a record before it counts as acknowledged
    #[arg(
        short = 'a',
        long,
        value_name = "WHO",
        allow_hyphen_values = true,
        alias = "request-required-acks"
    )]
    pub(crate) acks: Option<AcksArg>,

    /// Compresses batches: none, gzip, snappy, lz4 or zstd, where a level may follow, as in gzip:9
    #[arg(short = 'z', long, value_name = "CODEC", alias = "compression-codec")]
    pub(crate) compression: Option<String>,

    /// A file of settings by Kafka's names, as Kafka's own tools read them (client.properties); the
    /// options win over it
    #[arg(short = 'F', long, value_name = "FILE", aliases = ["producer.config", "producer-config", "command-config"])]
    pub(crate) config: Option<PathBuf>,

    /// Any producer setting by Kafka's name, such as linger.ms=10 or delivery.timeout.ms=30000;
    /// may come again, and wins over the options above
    #[arg(short = 'X', long = "property", value_name = "NAME=VALUE", value_parser = values::pair, aliases = ["producer-property", "command-property"])]
    pub(crate) properties: Vec<(String, String)>,

    /// Skips settings that Kafka knows and downpour does not have, with a warning; what asks for
    /// security or transactions is never skipped
    #[arg(long)]
    pub(crate) ignore_unsupported: bool,

    /// How long the start may take, until a broker answers and the topic is there
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = values::seconds)]
    pub(crate) reach_within: Duration,
}
