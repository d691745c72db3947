//! `cargo xtask minimal-versions`: whether the published crates work with the lowest versions that
//! their manifests allow. A copy of them is resolved so, since the lock file of the workspace stays
//! as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::Value;

/// How much is tried.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only resolve, and check the library and the fake without what needs C; for every run of the suite.
    #[arg(long)]
    quick: bool,
}

/// Resolves, builds and tests a copy; false if something does not hold.
///
/// # Errors
/// When the copy cannot be made, or nightly's cargo cannot be run.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<bool, String> {
    let copy = root.join("target").join("minimal-versions");
    make(root, &copy)?;
    let mut commands = vec![vec!["update", "-Z", "direct-minimal-versions"]];
    if arguments.quick {
        let features = ["--features", "downpour/bytes,downpour/simulation"];
        commands.push(
            [
                &["check", "-p", "downpour", "-p", "downpour-fake"],
                &features[..],
            ]
            .concat(),
        );
    } else {
        let all = ["--workspace", "--all-features"];
        commands.push([&["check", "--all-targets"], &all[..]].concat());
        commands.push([&["test", "--lib", "--bins"], &all[..]].concat());
    }
    for words in commands {
        let mut rustup = Command::new("rustup");
        // Variables that cargo sets for its children name the toolchain in use, not this one.
        rustup
            .args(["run", "nightly", "cargo"])
            .args(&words)
            .env_remove("RUSTC")
            .env_remove("RUSTDOC")
            .env_remove("CARGO")
            .env("CARGO_TARGET_DIR", copy.join("target"))
            .current_dir(&copy);
        let status = rustup
            .status()
            .map_err(|error| format!("rustup: {error}"))?;
        if !status.success() {
            println!("with the lowest versions: cargo {} fails", words.join(" "));
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the copy anew, but for what was built in it.
fn make(root: &Path, copy: &Path) -> Result<(), String> {
    let told = |what: &Path| {
        let what = what.display().to_string();
        move |error: std::io::Error| format!("{what}: {error}")
    };
    let crates = copy.join("crates");
    if crates.exists() {
        fs::remove_dir_all(&crates).map_err(told(&crates))?;
    }
    let mut members = Vec::new();
    for dir in published(root)? {
        let name = dir.strip_prefix(root).unwrap_or(&dir);
        copy_dir(&dir, &copy.join(name))?;
        members.push(name.display().to_string());
    }
    let manifest = root.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(told(&manifest))?;
    let text = with_members(&text, &members).ok_or("Cargo.toml has no list of members")?;
    let (manifest, lock) = (copy.join("Cargo.toml"), copy.join("Cargo.lock"));
    fs::write(&manifest, text).map_err(told(&manifest))?;
    // What an earlier run has resolved counts for nothing.
    match fs::remove_file(&lock) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(told(&lock)(error)),
        _ => Ok(()),
    }
}

/// The directories of the crates that may be published.
fn published(root: &Path) -> Result<Vec<PathBuf>, String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version=1", "--no-deps"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    Ok(packages
        .filter(|package| package["publish"].is_null())
        .filter_map(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(Path::to_path_buf)
        .collect())
}

/// A manifest of a workspace with other members.
fn with_members(manifest: &str, members: &[String]) -> Option<String> {
    let (start, rest) = manifest.split_once("members = [")?;
    let (_, end) = rest.split_once(']')?;
    Some(format!("{start}members = {members:?}{end}"))
}

/// Copies a directory; what a link leads to is copied as well.
fn copy_dir(from: &Path, to: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(told)?;
    for entry in fs::read_dir(from).map_err(told)? {
        let entry = entry.map_err(told)?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_dir(&from, &to)?;
        } else {
            fs::copy(&from, &to).map_err(told)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_replaced_and_nothing_else() {
        let manifest = "[workspace]\nmembers = [\n    \"a\",\n    \"b\",\n]\nexclude = [\"c\"]\n";
        assert_eq!(
            with_members(manifest, &["x".into(), "y".into()]).unwrap(),
            "[workspace]\nmembers = [\"x\", \"y\"]\nexclude = [\"c\"]\n"
        );
        assert_eq!(with_members("[package]\n", &[]), None);
    }

    #[test]
    fn what_is_published_is_known() {
        let root = xtask::root();
        let mut names: Vec<_> = published(&root)
            .unwrap()
            .iter()
            .map(|dir| dir.strip_prefix(&root).unwrap().display().to_string())
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["", "-cli", "-core", "-fake", "-wire"].map(|name| format!("crates/downpour{name}"))
        );
    }
}
