//! `cargo xtask mutants`: builds the simulator with the mistakes that are switches in core and in the
//! shell, and has it look for each. What they are, and within how many seeds each has to be found, is
//! in `sim/src/mutants.rs`.

use std::path::Path;
use std::process::{Command, ExitStatus};

use clap::Args;

/// The most seeds that a mistake may have to be looked for in a quick run.
const QUICK_BUDGET: u64 = 1000;

/// Apart from other builds, so that neither makes the other build anew. As quick to build as is
/// sensible for some thousand seeds, and without debug assertions, which would find mistakes in the
/// simulator's place.
const PROFILE: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_INCREMENTAL", "1"),
    ("RUSTFLAGS", "--cfg downpour_mutants"),
];

/// Which mistakes to look for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Their numbers; all when none is named.
    numbers: Vec<u32>,
    /// Only those that have to be found within 1,000 seeds.
    #[arg(long)]
    quick: bool,
    /// Without any mistake so many seeds have to pass.
    #[arg(long, default_value_t = 2000)]
    seeds: u64,
}

/// Looks for mistakes and prints the table of `sim/README.md`. False if one is not found, or a seed
/// fails without any.
///
/// # Errors
/// When the simulator cannot be built or run.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<bool, String> {
    let target = root.join("target").join("mutants");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build
        .args(["build", "--quiet", "--release", "--package", "downpour-sim"])
        .arg("--target-dir")
        .arg(&target)
        .envs(PROFILE)
        // It would win over the flags that are set here.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(root);
    if !status(&mut build)?.success() {
        return Err("the simulator cannot be built with mistakes in it".to_owned());
    }
    let name = format!("downpour-sim{}", std::env::consts::EXE_SUFFIX);
    let mut simulator = Command::new(target.join("release").join(name));
    simulator.arg("--seeds").arg(arguments.seeds.to_string());
    if arguments.quick {
        simulator.arg("--budget").arg(QUICK_BUDGET.to_string());
    }
    simulator.arg("--mutants");
    simulator.args(arguments.numbers.iter().map(u32::to_string));
    Ok(status(&mut simulator)?.success())
}

fn status(command: &mut Command) -> Result<ExitStatus, String> {
    command
        .status()
        .map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))
}
