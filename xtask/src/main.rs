//! The command line of the chores: parses, calls the library, prints. No chore is done here.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line prints"
)]

mod commands;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The chores of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Check the rules of the house: import cycles, crate directions, file sizes, first lines.
    Tidy,
    /// Start, end and disturb real Apache Kafka clusters.
    #[command(subcommand)]
    Kafka(commands::Kafka),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.chore {
        Chore::Tidy => tidy(&xtask::root()),
        Chore::Kafka(command) => commands::kafka(command)
            .map(|()| ExitCode::SUCCESS)
            .map_err(|error| error.to_string()),
    };
    match done {
        Ok(code) => code,
        Err(what) => {
            eprintln!("error: {what}");
            ExitCode::FAILURE
        }
    }
}

fn tidy(root: &Path) -> Result<ExitCode, String> {
    let problems = xtask::tidy::check(root)?;
    for problem in &problems {
        println!("{problem}");
    }
    println!("tidy: {} problems", problems.len());
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
