//! `cargo xtask fuzz`: builds the programs of `fuzz/` with what libFuzzer needs to see, and runs them.
//! What they check is in `fuzz/README.md`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

/// Each target, and how many executions are part of every test run: a few seconds of each.
const TARGETS: [(&str, u64); 6] = [
    ("decoders", 80_000),
    ("batch", 1500),
    ("properties", 500),
    ("cli", 20_000),
    ("queue", 2500),
    ("engine", 600),
];

/// What has the compiler count which branches were taken; any toolchain knows it.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table";

/// Inputs are no longer than this: decoders and operations need no more.
const INPUT_MAX: u32 = 2048;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// One target for long, from the inputs that earlier runs found; without it all for a moment, from
    /// the beginning.
    target: Option<String>,
    /// So many executions; 1,000,000 without either.
    #[arg(long, requires = "target")]
    runs: Option<u64>,
    /// For so long.
    #[arg(long, requires = "target", conflicts_with = "runs")]
    minutes: Option<u64>,
    /// With this mistake of `sim/README.md` in core: it has to be found.
    #[arg(long, requires = "target")]
    mutant: Option<u32>,
}

/// How far one run goes, and from where.
struct Plan {
    limit: String,
    corpus: PathBuf,
    /// The same run each time.
    is_fixed: bool,
}

/// Runs what was asked for, and returns whether nothing was found, or the mistake was.
///
/// # Errors
/// When there is no such target, or it cannot be built or run.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<bool, String> {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = arguments.target.as_deref().filter(|t| !names.contains(t)) {
        let all = names.join(", ");
        return Err(format!("no target {unknown}; there are: {all}"));
    }
    let target = root.join("target").join(match arguments.mutant {
        Some(_) => "fuzz-mutants",
        None => "fuzz",
    });
    let programs = build(root, &target, arguments.mutant.is_some())?;
    let Some(name) = arguments.target.as_deref() else {
        let mut all_well = true;
        for (name, runs) in TARGETS {
            let corpus = target.join("quick").join(name);
            // What an earlier run left there would make this one another one.
            let _ = std::fs::remove_dir_all(&corpus);
            let plan = Plan {
                limit: format!("-runs={runs}"),
                corpus,
                is_fixed: true,
            };
            all_well &= fuzz(&target, &programs, name, &plan, None)?;
        }
        return Ok(all_well);
    };
    let plan = Plan {
        limit: match arguments.minutes {
            Some(minutes) => format!("-max_total_time={}", minutes * 60),
            None => format!("-runs={}", arguments.runs.unwrap_or(1_000_000)),
        },
        corpus: target.join("corpus").join(name),
        is_fixed: false,
    };
    let is_quiet = fuzz(&target, &programs, name, &plan, arguments.mutant)?;
    Ok(is_quiet == arguments.mutant.is_none())
}

/// Builds all programs; the directory that they are in.
fn build(root: &Path, target: &Path, has_mutants: bool) -> Result<PathBuf, String> {
    let host = host()?;
    let mut flags = COVERAGE.to_owned();
    if has_mutants {
        flags.push_str(" --cfg downpour_mutants");
    }
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build
        .args([
            "build",
            "--release",
            "--locked",
            "--bins",
            "--features",
            "shell",
        ])
        // With a target named, build scripts are built without these flags.
        .args(["--target", &host, "--target-dir"])
        .arg(target)
        .env("RUSTFLAGS", flags)
        // It would win over the flags that are set here.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(root.join("fuzz"));
    let status = build.status().map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err("the fuzz targets cannot be built".to_owned());
    }
    Ok(target.join(host).join("release"))
}

/// The name of this machine's target.
fn host() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = Command::new(rustc)
        .arg("-vV")
        .output()
        .map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| "rustc does not say what machine this is".to_owned())
}

/// Runs one target, and returns whether it found nothing.
fn fuzz(
    target: &Path,
    programs: &Path,
    name: &str,
    plan: &Plan,
    mutant: Option<u32>,
) -> Result<bool, String> {
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let program = programs.join(name);
    let seeds = Command::new(&program)
        .env("DOWNPOUR_FUZZ_SEEDS", &plan.corpus)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(failed)?;
    if !seeds.success() {
        return Err(format!("{name}: its first inputs cannot be written"));
    }
    let log = target.join(format!("{name}.log"));
    let mut command = Command::new(&program);
    command
        .arg(&plan.limit)
        .arg(format!("-max_len={INPUT_MAX}"))
        .args(["-timeout=60", "-rss_limit_mb=2048", "-print_final_stats=1"])
        .arg(format!(
            "-artifact_prefix={}/",
            target.join(format!("found-{name}")).display()
        ))
        .args(plan.is_fixed.then_some("-seed=1"))
        .arg(&plan.corpus)
        .current_dir(target)
        .stdout(Stdio::null())
        .stderr(File::create(&log).map_err(failed)?);
    std::fs::create_dir_all(target.join(format!("found-{name}"))).map_err(failed)?;
    if let Some(number) = mutant {
        command.env("DOWNPOUR_FUZZ_MUTANT", number.to_string());
    }
    let status = command.status().map_err(failed)?;
    let told = std::fs::read(&log).map_err(failed)?;
    let told = String::from_utf8_lossy(&told);
    println!("{name}: {}", summary(&told, status.success()));
    Ok(status.success())
}

/// The number of executions, and what was found: the panic's words, and where its input is.
fn summary(told: &str, found_nothing: bool) -> String {
    let after = |what: &str| told.lines().find_map(|line| line.split_once(what));
    let executions = after("stat::number_of_executed_units:").map_or("no", |(_, n)| n.trim());
    if found_nothing {
        return format!("{executions} executions, nothing found");
    }
    let mut lines = told
        .lines()
        .skip_while(|line| !line.contains("panicked at"));
    let words: Vec<&str> = lines
        .by_ref()
        .take_while(|line| !line.starts_with("stack backtrace"))
        .collect();
    let words = match words.is_empty() {
        true => told.lines().rev().take(20).collect::<Vec<_>>().join("\n"),
        false => words.join("\n"),
    };
    let input = after("Test unit written to ").map_or("", |(_, at)| at);
    format!("found after {executions} executions\n{words}\nits input: {input}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_told_with_its_input() {
        let told = "INFO: Seed: 1\nthread 'x' panicked at src/queue.rs:1:1:\nrecord 1 lies behind\n\
                    stack backtrace:\n 0: x\nTest unit written to /found/crash-1\n\
                    stat::number_of_executed_units: 77\n";
        assert_eq!(
            summary(told, false),
            "found after 77 executions\nthread 'x' panicked at src/queue.rs:1:1:\n\
             record 1 lies behind\nits input: /found/crash-1"
        );
        assert_eq!(summary(told, true), "77 executions, nothing found");
    }

    #[test]
    fn every_program_of_the_manifest_is_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        let bins = manifest.split("[[bin]]").skip(1);
        let names = bins.map(|bin| bin.split('"').nth(1).unwrap());
        let mut names: Vec<&str> = names.collect();
        let mut run: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        run.sort_unstable();
        assert_eq!(names, run);
    }
}
