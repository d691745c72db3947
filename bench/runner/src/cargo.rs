//! Cargo itself, and how it builds a package of the bench's workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The cargo that runs this program.
pub(crate) fn program() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds a package of the bench's workspace in the release profile and returns its program.
pub(crate) fn package(bench: &Path, target: &Path, name: &str) -> Result<PathBuf, String> {
    let mut build = program();
    build
        .args(["build", "--release", "--package", name])
        .current_dir(bench);
    let status = build.status().map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err(format!("{name} was not built"));
    }
    let binary = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Ok(target.join("release").join(binary))
}
