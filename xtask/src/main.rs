//! The command line of the chores: parses, calls the library, prints. No chore is done here.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line prints"
)]

mod bench;
mod commands;
mod suite;

use std::path::Path;
use std::process::{Command, ExitCode};

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
    /// Check and test everything, or only some sections.
    Test {
        /// Which sections; all when none is named.
        sections: Vec<String>,
        /// Name the sections and run none.
        #[arg(long)]
        list: bool,
    },
    /// Run the simulation in the release profile.
    Sim {
        /// How many seeds.
        #[arg(long, default_value_t = 2000)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Send to real brokers that are killed, paused or cut off, and check what arrived; `--help`
    /// after two dashes tells how.
    Storm {
        /// What the storm is told.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure producers against a null broker that verifies every batch.
    Bench(bench::Arguments),
    /// Start, end and disturb real Apache Kafka clusters.
    #[command(subcommand)]
    Kafka(commands::Kafka),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.chore {
        Chore::Tidy => tidy(&xtask::root()),
        Chore::Test { list: true, .. } => {
            println!("{}", suite::names().join("\n"));
            Ok(ExitCode::SUCCESS)
        }
        Chore::Test { sections, .. } => suite::run(&xtask::root(), &sections).map(code),
        Chore::Sim { seeds, from } => release(
            &xtask::root(),
            "downpour-sim",
            &[
                "--seeds".to_owned(),
                seeds.to_string(),
                "--from".to_owned(),
                from.to_string(),
            ],
        ),
        Chore::Storm { arguments } => release(&xtask::root(), "downpour-conformance", &arguments),
        Chore::Bench(arguments) => bench::run(&xtask::root(), &arguments).map(code),
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
    Ok(code(problems.is_empty()))
}

/// Runs the program of one of our packages in the release profile.
fn release(root: &Path, package: &str, arguments: &[String]) -> Result<ExitCode, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["run", "--release", "--package", package, "--"])
        .args(arguments)
        .current_dir(root);
    let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
    Ok(code(status.success()))
}

fn code(is_good: bool) -> ExitCode {
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
