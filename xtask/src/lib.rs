//! The chores of this repository as a library, so that the conformance tests start the same real
//! clusters as the command line does. Nothing of downpour is known here.

use std::path::{Path, PathBuf};

pub mod kafka;
pub mod referee;
pub mod tidy;

/// The workspace, which is the directory above this crate.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
