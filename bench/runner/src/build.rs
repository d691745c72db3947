//! Builds the broker and the peers, each on its own, so that no peer's features reach another.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::cargo::{package, program};
use crate::contestants::{Contestant, Program};
use crate::foreign::{self, Call};

pub(crate) const BROKER: &str = "bench-broker";

/// The programs that take part, built.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) broker: PathBuf,
    peers: BTreeMap<Program, Call>,
}

impl Programs {
    pub(crate) fn command(&self, peer: &Contestant) -> Command {
        self.peers[&peer.program].command()
    }
}

/// Builds what these contestants need.
pub(crate) fn all(bench: &Path, peers: &[&Contestant]) -> Result<Programs, String> {
    let target = target(bench)?;
    let mut programs = Programs {
        broker: package(bench, &target, BROKER)?,
        peers: BTreeMap::new(),
    };
    for peer in peers {
        if let Entry::Vacant(entry) = programs.peers.entry(peer.program) {
            let call = match peer.program {
                Program::Cargo(name) => [package(bench, &target, name)?.into()].into(),
                Program::Built(path) => [path.into()].into(),
                Program::Foreign(which) => foreign::build(bench, &target, which)?,
            };
            entry.insert(call);
        }
    }
    Ok(programs)
}

/// The target directory of the bench's workspace, wherever the environment puts it.
pub(crate) fn target(bench: &Path) -> Result<PathBuf, String> {
    let mut metadata = program();
    metadata
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(bench);
    let output = metadata
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let told: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        format!("cargo metadata in {}: {said}", bench.display())
    })?;
    let directory = told["target_directory"]
        .as_str()
        .ok_or("no target directory")?;
    Ok(directory.into())
}
