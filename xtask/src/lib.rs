//! The rules that `cargo xtask tidy` checks, as a library. The other chores are in the program;
//! nothing of downpour is known here.

use std::path::{Path, PathBuf};

pub mod tidy;

/// The workspace, which is the directory above this crate.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
