//! A copy of the tree below `target`, in which bugs are planted and the simulator is built and run.
//! The tree itself is only read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lock::Lock;

/// What the simulator is built with: as quick to build as is sensible for a few thousand seeds.
/// Like the release profile it has no debug assertions, which would find bugs in its place.
const PROFILE: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_INCREMENTAL", "1"),
    // A mistake may leave something without a use, which is not what it is planted for.
    ("RUSTFLAGS", "-Awarnings"),
];

/// A bug that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// How many seeds passed before it.
    pub(super) seeds: u64,
    /// What the simulator says is wrong.
    pub(super) what: String,
}

/// The copy, without any bug between two calls.
#[derive(Debug)]
pub(super) struct Scratch {
    root: PathBuf,
    tree: PathBuf,
    target: PathBuf,
    /// Two that plant at once would count each other's bugs.
    _lock: Lock,
}

impl Scratch {
    /// Makes the copy the same as what git tracks, or would track, in the tree as it is now. Files
    /// that are the same already stay as they are, so that cargo does not build them again.
    ///
    /// # Errors
    /// When another process plants bugs, git does not list the files, or one cannot be copied.
    pub(super) fn new(root: &Path) -> Result<Self, String> {
        let dir = root.join("target").join("bugs");
        fs::create_dir_all(&dir).map_err(about(&dir))?;
        let scratch = Self {
            _lock: Lock::take(&dir)?,
            root: root.to_path_buf(),
            tree: dir.join("tree"),
            target: dir.join("target"),
        };
        let mut list = Command::new("git");
        list.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let listed = output(list.current_dir(root))?;
        let names = listed.split('\0').filter(|name| !name.is_empty());
        let files: BTreeSet<PathBuf> = names
            .map(PathBuf::from)
            // Git still lists what was deleted but not committed so.
            .filter(|name| root.join(name).is_file())
            .collect();
        for name in &files {
            scratch.copy(name)?;
        }
        scratch.remove_others(&scratch.tree, &files)?;
        Ok(scratch)
    }

    /// Copies one file unless it is the same already.
    fn copy(&self, name: &Path) -> Result<(), String> {
        let (from, to) = (self.root.join(name), self.tree.join(name));
        let text = fs::read(&from).map_err(about(&from))?;
        if fs::read(&to).is_ok_and(|known| known == text) {
            return Ok(());
        }
        let dir = to.parent().unwrap_or(&self.tree);
        fs::create_dir_all(dir).map_err(about(dir))?;
        fs::write(&to, text).map_err(about(&to))
    }

    /// Removes files that an older tree had: cargo builds a program that it finds.
    fn remove_others(&self, dir: &Path, files: &BTreeSet<PathBuf>) -> Result<(), String> {
        for entry in fs::read_dir(dir).map_err(about(dir))?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                self.remove_others(&path, files)?;
            } else if path
                .strip_prefix(&self.tree)
                .is_ok_and(|name| !files.contains(name))
            {
                fs::remove_file(&path).map_err(about(&path))?;
            }
        }
        Ok(())
    }

    /// Plants a bug, runs the simulator and takes the bug out again; `None` if it was not found.
    ///
    /// # Errors
    /// When the patch does not apply, what it makes does not compile, or the simulator ends without
    /// a word about seeds.
    pub(super) fn count(&mut self, bug: &str, seeds: u64) -> Result<Option<Found>, String> {
        self.apply(bug, &[])?;
        let found = self
            .simulate(seeds)
            .map_err(|what| format!("{bug}: {what}"));
        self.apply(bug, &["--reverse"])?;
        found
    }

    fn apply(&self, bug: &str, how: &[&str]) -> Result<(), String> {
        let patch = self
            .root
            .join("sim")
            .join("bugs")
            .join(format!("{bug}.patch"));
        let mut apply = Command::new("git");
        apply
            .arg("apply")
            .args(how)
            .arg(&patch)
            .current_dir(&self.tree);
        // Within the repository git would look for the files at its root, and skip them silently.
        apply.env(
            "GIT_CEILING_DIRECTORIES",
            self.tree.parent().unwrap_or(&self.tree),
        );
        output(apply.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE")).map(drop)
    }

    fn simulate(&self, seeds: u64) -> Result<Option<Found>, String> {
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build
            .args([
                "build",
                "--quiet",
                "--release",
                "--package",
                "downpour-sim",
                "--target-dir",
            ])
            .arg(&self.target)
            .envs(PROFILE)
            .current_dir(&self.tree);
        let status = build.status().map_err(|error| format!("cargo: {error}"))?;
        if !status.success() {
            return Err("the simulator cannot be built with it".to_owned());
        }
        let name = format!("downpour-sim{}", std::env::consts::EXE_SUFFIX);
        let program = self.target.join("release").join(name);
        let run = Command::new(&program)
            // With one thread the number of the seed is the number of those that passed before.
            .args(["--threads", "1", "--seeds", &seeds.to_string()])
            .output()
            .map_err(about(&program))?;
        let told = String::from_utf8_lossy(&run.stdout);
        match (run.status.code(), failure(&told)) {
            (Some(0), None) => Ok(None),
            (Some(1), Some(found)) => Ok(Some(found)),
            _ => Err(format!(
                "the simulator ended with {} and named no seed: {}",
                run.status,
                String::from_utf8_lossy(&run.stderr)
            )),
        }
    }
}

/// The last line that names a failed seed: what stands before it tells how that came.
fn failure(told: &str) -> Option<Found> {
    told.lines().rev().find_map(|line| {
        let (seed, what) = line.strip_prefix("seed ")?.split_once(": ")?;
        Some(Found {
            seeds: seed.parse().ok()?,
            what: what.to_owned(),
        })
    })
}

fn about(path: &Path) -> impl FnOnce(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}

/// What a command prints; an error with its complaints when it fails.
fn output(command: &mut Command) -> Result<String, String> {
    let told = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if told.status.success() {
        return Ok(String::from_utf8_lossy(&told.stdout).into_owned());
    }
    let complaints = String::from_utf8_lossy(&told.stderr).into_owned();
    Err(format!("{command:?}: {}", complaints.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failed_seed_is_the_last_one_that_is_named() {
        let told = "12 seed 3: of a trace\nseed 4: of a trace\nseed 15: record 3 is there twice\n\
                    again: cargo run -- --from 15\n0.1 s\n15 passed, 1 failed\n";
        let found = Found {
            seeds: 15,
            what: "record 3 is there twice".to_owned(),
        };
        assert_eq!(failure(told), Some(found));
        assert_eq!(failure("10 passed, 0 failed\n"), None);
    }
}
