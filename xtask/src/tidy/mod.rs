//! `cargo xtask tidy`: the rules of the house that no compiler checks. Each rule is a file of its
//! own; this one collects what they look at and tells what they found.

mod bugs;
mod cycles;
mod directions;
mod files;
mod modules;
mod no_c;
mod others;
mod problem;
mod scan;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub use files::{CODE_LINES_MAX, code_lines};
pub use problem::Problem;

/// Checks the workspace at `root` and answers every broken rule.
///
/// # Errors
/// When git or cargo cannot be asked what belongs to the workspace.
pub fn check(root: &Path) -> Result<Vec<Problem>, String> {
    let metadata = metadata(root)?;
    let mut problems = directions::check(&metadata);
    let rules = std::fs::read_to_string(root.join("deny.toml"))
        .map_err(|error| format!("deny.toml: {error}"))
        .and_then(|text| others::Rules::parse(&text))?;
    problems.extend(others::check(&metadata, &rules));
    let tree = output(cargo(root).args(no_c::TREE))?;
    problems.extend(no_c::check(&String::from_utf8_lossy(&tree)));
    let mut reached = BTreeSet::new();
    for target in own_targets(&metadata) {
        let modules = modules::read_modules(&target, &|path| std::fs::read_to_string(path).ok());
        problems.extend(cycles::check(&modules, root));
        problems.extend(modules.problems.into_iter().map(|problem| {
            let place = Path::new(&problem.place);
            let place = place
                .strip_prefix(root)
                .unwrap_or(place)
                .display()
                .to_string();
            Problem { place, ..problem }
        }));
        reached.extend(modules.files.into_values());
    }
    let files = listed_files(root)?;
    problems.extend(bugs::check(root, &files)?);
    for file in files {
        let path = root.join(&file);
        // Binary files hold no lines, and a file may be deleted but not yet committed so.
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        problems.extend(files::check_paths(&file, &text));
        if !file.ends_with(".rs") {
            continue;
        }
        problems.extend(files::check_rust(&file, &text));
        if is_in_workspace(&file) && !reached.contains(&path) {
            problems.push(Problem::new(
                file,
                "no target reaches this file: it is never compiled",
            ));
        }
    }
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    problems.dedup();
    Ok(problems)
}

/// Crates outside the main workspace have targets that its metadata does not list.
fn is_in_workspace(file: &str) -> bool {
    !["bench/", "fuzz/", "foreign-reader/"]
        .iter()
        .any(|dir| file.starts_with(dir))
}

fn metadata(root: &Path) -> Result<Value, String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["metadata", "--format-version=1", "--all-features"])
        .current_dir(root);
    serde_json::from_slice(&output(&mut command)?)
        .map_err(|error| format!("cargo metadata does not answer in JSON: {error}"))
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// The root files of all targets of our own crates.
fn own_targets(metadata: &Value) -> Vec<PathBuf> {
    let members = metadata["workspace_members"]
        .as_array()
        .into_iter()
        .flatten();
    let members: BTreeSet<&str> = members.filter_map(Value::as_str).collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let ours = packages.filter(|package| {
        package["id"]
            .as_str()
            .is_some_and(|id| members.contains(id))
    });
    let targets = ours.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    targets
        .filter_map(|target| target["src_path"].as_str())
        .map(PathBuf::from)
        .collect()
}

/// What git tracks or would track.
fn listed_files(root: &Path) -> Result<Vec<String>, String> {
    let mut command = Command::new("git");
    command.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed = output(command.current_dir(root))?;
    let names = listed
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect())
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let told = command
        .output()
        .map_err(|error| format!("{command:?} does not start: {error}"))?;
    if told.status.success() {
        return Ok(told.stdout);
    }
    Err(format!(
        "{command:?} failed: {}",
        String::from_utf8_lossy(&told.stderr).trim()
    ))
}
