//! The command line of the chores: parses, calls what does the chore, prints. No chore is done here.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line prints"
)]

mod coverage;
mod fuzz;
mod guests;
mod kafka;
mod minimal;
mod mutants;
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
    /// Check the project's rules that no compiler checks; CONTRIBUTING.md lists them.
    Tidy,
    /// Write the listings of the public API, which `tidy` compares with the source.
    Api,
    /// Write the wire messages anew from Kafka's definitions.
    Messages,
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
    /// Switch the known mistakes on, one at a time, and count the seeds until each is found.
    Mutants(mutants::Arguments),
    /// Give decoders bytes and core operations that nobody thought of; `fuzz/README.md` says how.
    Fuzz(fuzz::Arguments),
    /// Say which code of core and of the shell no seed of the simulation reaches.
    Coverage(coverage::Arguments),
    /// Resolve, build and test the published crates with the lowest versions that they allow.
    MinimalVersions(minimal::Arguments),
    /// Send to real brokers under faults of every kind, and check what arrived;
    /// `chaos --help` says how.
    #[command(disable_help_flag = true)]
    Chaos {
        /// The arguments of the program in `conformance`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Find what grows with topics, with producers and with time; `soak --help` says how.
    #[command(disable_help_flag = true)]
    Soak {
        /// The arguments of the program in `soak`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure producers against a null broker that verifies every batch; `bench --help` says how.
    #[command(disable_help_flag = true)]
    Bench {
        /// The arguments of the program in `bench/runner`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Let producers that others wrote send to the fake, as every Kafka that it plays, and count.
    Guests(guests::Arguments),
    /// Start, end and disturb real Apache Kafka clusters.
    #[command(subcommand)]
    Kafka(kafka::Command),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.chore {
        Chore::Tidy => tidy(&xtask::root()),
        Chore::Api => xtask::tidy::write_api(&xtask::root()).map(|files| {
            println!("{}", files.join("\n"));
            ExitCode::SUCCESS
        }),
        Chore::Messages => xtask::messages::write(&xtask::root()).map(|files| {
            println!("messages: {files} files");
            ExitCode::SUCCESS
        }),
        Chore::Test { list: true, .. } => {
            println!("{}", suite::names().join("\n"));
            Ok(ExitCode::SUCCESS)
        }
        Chore::Test { sections, .. } => suite::run(&xtask::root(), &sections).map(code),
        Chore::Sim { seeds, from } => program(
            &xtask::root(),
            &["downpour-sim", "--release"],
            &[
                "--seeds".to_owned(),
                seeds.to_string(),
                "--from".to_owned(),
                from.to_string(),
            ],
        ),
        Chore::Mutants(arguments) => mutants::run(&xtask::root(), &arguments).map(code),
        Chore::Fuzz(arguments) => fuzz::run(&xtask::root(), &arguments).map(code),
        Chore::Coverage(arguments) => coverage::run(&xtask::root(), &arguments).map(code),
        Chore::MinimalVersions(arguments) => minimal::run(&xtask::root(), &arguments).map(code),
        Chore::Guests(arguments) => guests::run(&xtask::root(), &arguments).map(code),
        Chore::Chaos { arguments } => program(
            &xtask::root(),
            &["downpour-conformance", "--release"],
            &arguments,
        ),
        Chore::Soak { arguments } => {
            program(&xtask::root(), &["downpour-soak", "--release"], &arguments)
        }
        // The runner is not what is measured: those are other processes, which it builds in the
        // release profile.
        Chore::Bench { arguments } => program(
            &xtask::root().join("bench"),
            &["bench-runner", "--quiet"],
            &arguments,
        ),
        Chore::Kafka(command) => kafka::run(command)
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

/// Runs the program of one of our packages, with its exit code as the answer. `package` is its name
/// and, if there are any, options of `cargo run`.
fn program(workspace: &Path, package: &[&str], arguments: &[String]) -> Result<ExitCode, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["run", "--package"])
        .args(package)
        .arg("--")
        .args(arguments)
        .current_dir(workspace);
    let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
    // A program that a signal ended has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn code(is_good: bool) -> ExitCode {
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
