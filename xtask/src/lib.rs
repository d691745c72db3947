//! The rules that `cargo xtask tidy` checks and the messages that `cargo xtask messages` writes, as
//! a library. The other chores are in the program.

use std::path::{Path, PathBuf};

pub mod messages;
pub mod tidy;

/// The workspace, which is the directory above this crate.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
