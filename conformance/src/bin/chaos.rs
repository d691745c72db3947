//! The command line of a chaos run: a load on real brokers with one fault after the other.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line prints"
)]

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use clap::Parser;
use downpour::{Acks, CompressionType};
use downpour_conformance::chaos::Chaos;
use downpour_conformance::faults::Fault;
use kafka_harness::{Error, Version};

/// Sends records to three brokers of Apache Kafka, injects faults meanwhile, and has librdkafka read
/// back what the producer said it delivered.
#[derive(Debug, Parser)]
struct Arguments {
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

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(path) = &arguments.log {
        let file = match File::create(path) {
            Ok(file) => file,
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        };
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
            .with_ansi(false)
            .with_writer(Mutex::new(file))
            .init();
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
