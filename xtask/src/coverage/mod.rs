//! `cargo xtask coverage`: which code of core and of the shell no seed of the simulator reaches. It
//! builds, runs and prints; what was reached is read in `reached`, what each piece of code is called
//! in `source`, and the list of what may stay unreached in `list`.

mod list;
mod reached;
mod source;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use list::List;
use reached::{Count, File};

/// What is measured: what it is called, and where its code is.
const MEASURED: [(&str, &str); 2] = [
    ("core", "crates/downpour-core/src"),
    ("shell", "crates/downpour/src"),
];

/// What no seed reaches for a reason; the reasons are there.
const LIST: &str = "sim/UNREACHED.md";

/// Without debug assertions, whose failing branches nothing reaches.
const PROFILE: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_INCREMENTAL", "0"),
    ("RUSTFLAGS", "-C instrument-coverage"),
];

/// How many seeds, and of which code.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How many seeds, from 0 on.
    #[arg(long, default_value_t = 5000)]
    seeds: u64,
    /// Measure the checkout in this directory instead, and compare it with no list.
    #[arg(long)]
    tree: Option<PathBuf>,
    /// One line for each room instead of each file.
    #[arg(long)]
    rooms: bool,
}

/// Measures, prints a table, and writes what was not reached below `target/coverage`. False if
/// something was not reached that `sim/UNREACHED.md` does not name, or the list names what is reached
/// or is not there any more.
///
/// # Errors
/// When a tool is missing, the simulator cannot be built, or a seed fails.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<bool, String> {
    let tools = tools()?;
    let tree = match &arguments.tree {
        Some(tree) => fs::canonicalize(tree).map_err(|e| format!("{}: {e}", tree.display()))?,
        None => root.to_path_buf(),
    };
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    // Cargo takes a relative one from the directory it runs in, which is another one here.
    let target = std::path::absolute(target)
        .map_err(|error| error.to_string())?
        .join("coverage");
    let simulator = build(&tree, &target)?;
    let profile = simulate(&tools, &simulator, &target, arguments.seeds)?;
    let export = output(
        Command::new(tools.join("llvm-cov"))
            .args(["export", "--format=text", "--skip-branches"])
            .arg(format!("--instr-profile={}", profile.display()))
            .arg(&simulator),
    )?;
    let files = reached::read(&tree, &MEASURED, &export)?;
    let list = match &arguments.tree {
        Some(_) => List::default(),
        None => List::read(&root.join(LIST))?,
    };
    print!("{}", table(&files, &list, arguments.rooms));
    let report = target.join("unreached.txt");
    let told = told(&files, &list);
    let others = told.matches("NOT LISTED").count();
    fs::write(&report, told).map_err(|e| format!("{}: {e}", report.display()))?;
    println!(
        "what was not reached: {}, {others} places are not in the list",
        report.display()
    );
    if arguments.tree.is_some() {
        return Ok(true);
    }
    let problems = list.compare(&files);
    for problem in &problems {
        println!("{LIST}: {problem}");
    }
    println!("coverage: {} problems", problems.len());
    Ok(problems.is_empty())
}

/// The directory of LLVM's tools that fit the compiler in use; rustup installs them if they are
/// missing.
fn tools() -> Result<PathBuf, String> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("rustc does not say for which machine it is")?;
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let tools = Path::new(sysroot.trim()).join(format!("lib/rustlib/{host}/bin"));
    let profdata = tools.join(format!("llvm-profdata{}", std::env::consts::EXE_SUFFIX));
    if !profdata.exists() {
        let added = output(Command::new("rustup").args(["component", "add", "llvm-tools"]));
        if !profdata.exists() {
            let why = added.err().unwrap_or_else(|| "it is not there".to_owned());
            return Err(format!(
                "coverage needs the component llvm-tools, and rustup did not install it: {why}"
            ));
        }
    }
    Ok(tools)
}

fn build(tree: &Path, target: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--release", "--package", "downpour-sim"])
        .arg("--target-dir")
        .arg(target)
        .envs(PROFILE)
        // It would win over the flags that are set here.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // Build scripts count, too, and would leave what they counted where they run.
        .env("LLVM_PROFILE_FILE", target.join("build-scripts.profraw"))
        .current_dir(tree);
    let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err("the simulator cannot be built with counters in it".to_owned());
    }
    let name = format!("downpour-sim{}", std::env::consts::EXE_SUFFIX);
    Ok(target.join("release").join(name))
}

/// Runs the seeds and returns what was counted.
fn simulate(tools: &Path, simulator: &Path, target: &Path, seeds: u64) -> Result<PathBuf, String> {
    let (raw, merged) = (target.join("sim.profraw"), target.join("sim.profdata"));
    output(
        Command::new(simulator)
            .args(["--seeds", &seeds.to_string()])
            .env("LLVM_PROFILE_FILE", &raw),
    )?;
    output(
        Command::new(tools.join("llvm-profdata"))
            .args(["merge", "--sparse", "-o"])
            .args([&merged, &raw]),
    )?;
    Ok(merged)
}

/// What a command prints; an error if it fails, with the end of what it said.
fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    let out = String::from_utf8_lossy(&done.stdout);
    if done.status.success() {
        return Ok(out.into_owned());
    }
    let said = format!("{out}{}", String::from_utf8_lossy(&done.stderr));
    let lines: Vec<&str> = said.lines().collect();
    let last = &lines[lines.len().saturating_sub(10)..];
    Err(format!("{name} failed: {}", last.join("\n")))
}

/// The table, in Markdown: files or rooms, and the sums.
fn table(files: &[File], list: &List, rooms: bool) -> String {
    let mut table =
        "| | regions | reached | % | functions | reached |\n|---|---|---|---|---|---|\n".to_owned();
    let mut rows: Vec<(String, Count)> = Vec::new();
    for file in files {
        let name = if rooms { file.room() } else { &file.name };
        match rows.last_mut().filter(|(last, _)| last == name) {
            Some((_, count)) => *count += file.count(),
            None => rows.push((name.to_owned(), file.count())),
        }
    }
    for (name, _) in MEASURED {
        let of = |file: &&File| file.name.split('/').next() == Some(name);
        let sum = files.iter().filter(of).map(File::count).sum();
        let counted = |file: &File| file.count_without(|function| list.has(&file.name, function));
        let without = files.iter().filter(of).map(counted).sum();
        rows.push((format!("all of {name}"), sum));
        if !list.is_empty() {
            rows.push((format!("{name} without the functions of the list"), without));
        }
    }
    for (name, count) in rows {
        let _ = writeln!(table, "| {name} | {count} |");
    }
    table
}

/// Everything that was not reached, with its code.
fn told(files: &[File], list: &List) -> String {
    let mut told = String::new();
    for file in files {
        for gap in file.gaps() {
            let mark = if list.has(&file.name, &gap.function)
                || list.has_branch(&file.name, &gap.function, &gap.code)
            {
                "listed"
            } else if gap.is_bare {
                "only leaves"
            } else {
                "NOT LISTED"
            };
            let what = if gap.is_whole { "all of " } else { "" };
            let _ = writeln!(
                told,
                "{}:{}-{} {what}`{}`, {mark}",
                file.name, gap.first, gap.last, gap.function
            );
            for line in gap.code.lines() {
                let _ = writeln!(told, "    {line}");
            }
        }
    }
    told
}
