//! `cargo xtask tidy`: the rules of the house that no compiler checks. Each rule is a file of its
//! own; this one collects what they look at and tells what they found.

mod api;
mod cycles;
mod directions;
mod files;
mod manifests;
mod map;
mod messages;
mod metadata;
mod modules;
mod no_c;
mod others;
mod problem;
mod promises;
mod rooms;
mod scan;
mod structs;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use map::Map;
pub use problem::Problem;

/// Checks the workspace at `root` and answers every broken rule.
///
/// # Errors
/// When git or cargo cannot be asked what belongs to the workspace.
pub fn check(root: &Path) -> Result<Vec<Problem>, String> {
    let graph = output(cargo(root).args(["metadata", "--format-version=1", "--all-features"]))?;
    let graph: Value = serde_json::from_slice(&graph)
        .map_err(|error| format!("cargo metadata does not answer in JSON: {error}"))?;
    let read = |file: &str| {
        std::fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))
    };
    let architecture = read(map::FILE)?;
    let mut problems = directions::check(&graph, &Map::read(&architecture, "crates")?);
    problems.extend(manifests::check(&graph));
    let rules = others::Rules::parse(&read("deny.toml")?)?;
    problems.extend(others::check(&graph, &rules));
    let tree = output(cargo(root).args(no_c::TREE))?;
    problems.extend(no_c::check(&String::from_utf8_lossy(&tree)));
    let mut reached = BTreeSet::new();
    let mut libraries = BTreeMap::new();
    for (package, target) in metadata::own_targets(&graph) {
        let file = Path::new(metadata::text(&target["src_path"]));
        let file = file.strip_prefix(root).unwrap_or(file);
        let modules =
            modules::read_modules(file, &|path| std::fs::read_to_string(root.join(path)).ok());
        problems.extend(cycles::check(&modules));
        problems.extend(modules.problems.iter().cloned());
        reached.extend(modules.modules.values().map(|module| module.file.clone()));
        if target["kind"][0] == "lib" {
            libraries.insert(package, modules);
        }
    }
    for package in rooms::CRATES {
        let modules = libraries
            .get(package)
            .ok_or_else(|| format!("{package} has no library, and its rooms are judged"))?;
        let map = Map::read(&architecture, &rooms::title(package))?;
        problems.extend(rooms::check(modules, &map));
    }
    let files = listed_files(root)?;
    let mut tests = BTreeSet::new();
    problems.extend(messages::check(root)?);
    problems.extend(api::check(root)?);
    for file in files {
        // Binary files hold no lines, and a file may be deleted but not yet committed so.
        let Ok(text) = read(&file) else {
            continue;
        };
        problems.extend(files::check_paths(&file, &text));
        if !file.ends_with(".rs") {
            continue;
        }
        problems.extend(files::check_rust(&file, &text));
        tests.extend(promises::tests(&text));
        if is_in_workspace(&file) && !reached.contains(Path::new(&file)) {
            problems.push(Problem::new(
                file,
                "no target reaches this file: it is never compiled",
            ));
        }
    }
    problems.extend(promises::check(&read(promises::PAGE)?, &tests));
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    problems.dedup();
    Ok(problems)
}

/// Writes the listings of the public API, and says where they are.
///
/// # Errors
/// When the source cannot be read, or a file not be written.
pub fn write_api(root: &Path) -> Result<Vec<String>, String> {
    api::write(root)
}

/// Crates outside the main workspace have targets that its metadata does not list.
fn is_in_workspace(file: &str) -> bool {
    !["bench/", "fuzz/", "foreign-reader/"]
        .iter()
        .any(|dir| file.starts_with(dir))
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
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
