//! The command line of chaos on real brokers: a storm of faults of all kinds, or, as `chaos one`, a
//! steady load with one kind of fault.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line prints"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use downpour::{Acks, CompressionType};
use downpour_conformance::chaos::Chaos;
use downpour_conformance::faults::Fault;
use downpour_conformance::storm::deck::Kind;
use downpour_conformance::storm::run::Storm;
use kafka_harness::{Error, Version};

/// Sends records of every kind to three brokers of Apache Kafka under faults of every kind, and has
/// librdkafka read back what the producers said they delivered. Exits with 1 if a promise was broken;
/// logs and a history are kept then.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    storm: StormArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A steady load, and one kind of fault after the other.
    One(One),
}

#[derive(Debug, Args)]
struct StormArguments {
    /// 4.3.1 or 3.9.2.
    #[arg(long, default_value = "4.3.1", value_parser = version)]
    kafka: Version,
    /// Faults come for so many minutes; the last one is waited for.
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
    /// What the faults are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The fewest faults of the cluster, however long they take.
    #[arg(long, default_value_t = 0)]
    faults: u32,
    /// Draws these kinds only, by names such as `kill` or `disk full`, with commas between.
    #[arg(long, value_delimiter = ',', value_parser = kind)]
    only: Vec<Kind>,
}

/// Sends to three brokers at a steady pace, with one kind of fault.
#[derive(Debug, Args)]
struct One {
    /// 4.3.1, 3.9.2 or 2.8.2.
    #[arg(long, default_value = "4.3.1", value_parser = version)]
    version: Version,
    /// kill (SIGKILL and restart), stop (SIGSTOP, SIGCONT) or proxy (connections are cut).
    #[arg(long, default_value = "kill")]
    fault: Fault,
    /// The fewest faults; 10, or 300 cuts.
    #[arg(long, visible_alias = "kills")]
    faults: Option<u32>,
    /// The fewest records.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// The most records per second.
    #[arg(long, default_value_t = 8000)]
    rate: u64,
    /// none, gzip, snappy, lz4 or zstd.
    #[arg(long, default_value = "none", value_parser = codec)]
    codec: CompressionType,
    /// all; with leader or none records are lost, which shows that losses are found.
    #[arg(long, default_value = "all", value_parser = acks)]
    acks: Acks,
    /// The delivery timeout in milliseconds; one that is shorter than an outage makes records fail.
    #[arg(long)]
    delivery_timeout: Option<u64>,
    /// A file for what the producer logs.
    #[arg(long)]
    log: Option<PathBuf>,
}

fn version(text: &str) -> Result<Version, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

fn codec(text: &str) -> Result<CompressionType, String> {
    Ok(match text {
        "none" => CompressionType::None,
        "gzip" => CompressionType::Gzip,
        "snappy" => CompressionType::Snappy,
        "lz4" => CompressionType::Lz4,
        "zstd" => CompressionType::Zstd,
        _ => return Err("none of none, gzip, snappy, lz4, zstd".to_owned()),
    })
}

fn acks(text: &str) -> Result<Acks, String> {
    Ok(match text {
        "none" => Acks::None,
        "leader" => Acks::Leader,
        "all" => Acks::All,
        _ => return Err("none of none, leader, all".to_owned()),
    })
}

fn kind(text: &str) -> Result<Kind, String> {
    let found = Kind::ALL.into_iter().find(|kind| kind.to_string() == text);
    found.ok_or_else(|| {
        format!(
            "none of {}",
            Kind::ALL.map(|kind| kind.to_string()).join(", ")
        )
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::One(one)) => run_one(&one),
        None => run_storm(arguments.storm),
    }
}

fn run_storm(arguments: StormArguments) -> ExitCode {
    let name = format!("{}-{}", arguments.kafka, arguments.seed);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = here
        .parent()
        .unwrap_or(here)
        .join("target/chaos")
        .join(name);
    // What an earlier run kept of this seed is what this one is to find again.
    let _ = fs::remove_dir_all(&dir);
    if let Err(error) = fs::create_dir_all(&dir) {
        eprintln!("{}: {error}", dir.display());
        return ExitCode::FAILURE;
    }
    if !log_to(&dir.join("producers.log")) {
        return ExitCode::FAILURE;
    }
    let kinds = if arguments.only.is_empty() {
        Kind::ALL.to_vec()
    } else {
        arguments.only
    };
    let storm = Storm {
        version: arguments.kafka,
        seed: arguments.seed,
        time: Duration::from_secs_f64(arguments.minutes.max(0.0) * 60.0),
        faults: arguments.faults,
        kinds,
        dir: dir.clone(),
    };
    match storm.run(&|what| println!("{what}")) {
        Ok(report) => {
            print!("{report}");
            if !report.is_good() {
                return ExitCode::FAILURE;
            }
            let _ = fs::remove_dir_all(&dir);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}\nkept: {}", dir.display());
            ExitCode::FAILURE
        }
    }
}

/// Writes what producers log to a file; whether that can be.
fn log_to(path: &Path) -> bool {
    let file = match File::create(path) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            return false;
        }
    };
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .init();
    true
}

fn run_one(arguments: &One) -> ExitCode {
    if arguments.log.as_deref().is_some_and(|path| !log_to(path)) {
        return ExitCode::FAILURE;
    }
    let cuts = if arguments.fault == Fault::Proxy {
        300
    } else {
        10
    };
    let chaos = Chaos {
        version: arguments.version,
        fault: arguments.fault,
        faults: arguments.faults.unwrap_or(cuts),
        records: arguments.records,
        per_second: arguments.rate,
        codec: arguments.codec,
        acks: arguments.acks,
        delivery_timeout: arguments.delivery_timeout.map(Duration::from_millis),
    };
    match chaos.run(&|what| println!("{what}")) {
        Ok(report) => {
            println!("{report}");
            if report.is_good() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
