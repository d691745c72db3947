//! Where clusters live: the workspace, `target/kafka` below it, and one directory per cluster
//! there. What is in such a directory is written by `setup` and `state`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::state::State;

/// The workspace, which is the directory above this crate.
pub(crate) fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The directory of all clusters and of the jars that they are started from.
pub(crate) fn home() -> PathBuf {
    workspace().join("target").join("kafka")
}

/// A directory for a new cluster; no two clusters get the same one.
pub(crate) fn new_dir(home: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    home.join(format!("run-{}-{count}", std::process::id()))
}

/// Removes what clusters left whose owner was killed; their processes ended with it.
pub(crate) fn sweep(home: &Path) {
    for dir in State::dirs(home) {
        let owner = State::load(&dir).ok().and_then(|state| state.owner);
        if owner.is_some_and(|owner| !owner.is_alive()) {
            // A directory that cannot be removed now is swept at the next start.
            let _ = fs::remove_dir_all(&dir);
        }
    }
}
