//! The `downpour` command: which part of it runs, and what the process answers.
//!
//! Each command lives in its own module: `produce`, `perf`, and the broker process that
//! `perf --embedded` starts, in `embedded`.

#![forbid(unsafe_code)]

mod args;
mod console;
mod embedded;
mod ending;
mod input;
mod logging;
mod patient;
mod perf;
mod produce;
mod settings;
mod signals;
mod usage;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use console::Console;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(cli.quiet);
    logging::start(cli.verbose, cli.quiet, &console);
    let ending = match &cli.command {
        Command::Produce(args) => produce::run(args, &console),
        Command::Perf(args) => perf::run(args, &console),
        Command::EmbeddedBroker(args) => embedded::serve(args),
    };
    ending
        .unwrap_or_else(|error| {
            console.error(&error);
            ending::Ending::Refused
        })
        .into()
}
