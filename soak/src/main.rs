//! What a producer costs over time: topics by the thousand, producers by the thousand, hours at one
//! rate. Prints tables, and fails where something grows that must not. Linux: it reads `/proc`.
//!
//! The fake cluster that it sends to runs in a process of its own, reached over TCP, so that what
//! is measured here is the producer.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line prints"
)]

mod cycles;
mod meter;
mod rate;
mod relay;
mod server;
mod topics;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// What a producer costs over time.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
struct Arguments {
    #[command(subcommand)]
    soak: Soak,
}

#[derive(Debug, Subcommand)]
enum Soak {
    /// One record to each of many topics, one after the other.
    Topics(topics::Arguments),
    /// Producers that are made, used once and closed, with brokers and without.
    Cycles(cycles::Arguments),
    /// Records at one rate.
    Rate(rate::Arguments),
    /// The cluster; started by the others.
    #[command(hide = true)]
    Serve(server::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().soak {
        Soak::Topics(arguments) => topics::run(&arguments),
        Soak::Cycles(arguments) => cycles::run(&arguments),
        Soak::Rate(arguments) => rate::run(&arguments),
        Soak::Serve(arguments) => server::serve(&arguments).map(|()| true),
    };
    exit(done)
}

fn exit(done: Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
