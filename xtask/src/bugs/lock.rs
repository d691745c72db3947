//! A file that says which process uses a directory, so that two do not write to it at once. Std's
//! own file locks are newer than the oldest Rust that is supported.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kafka_harness::Process;

/// The directory is this process's until this is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: PathBuf,
}

impl Lock {
    /// Takes a directory, also from a process that ended without giving it back.
    ///
    /// # Errors
    /// When a process that runs has it, or the file cannot be written.
    pub(super) fn take(dir: &Path) -> Result<Self, String> {
        let about = |error: std::io::Error| format!("{}: {error}", dir.display());
        let me = Process::this().map_err(|error| error.to_string())?;
        let (file, scratch) = (dir.join("owner"), dir.join(format!("owner-{}", me.pid)));
        fs::write(&scratch, format!("{} {}", me.pid, me.started_at)).map_err(about)?;
        // A link appears with its text, so that nobody finds an empty file and takes it for stale.
        let mut linked = fs::hard_link(&scratch, &file);
        if linked
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::AlreadyExists)
        {
            let owner = owner(&file).filter(Process::is_alive);
            if let Some(owner) = owner {
                let _ = fs::remove_file(&scratch);
                let dir = dir.display();
                return Err(format!("process {} uses {dir} at the moment", owner.pid));
            }
            // Another process may have removed it at the same moment.
            let _ = fs::remove_file(&file);
            linked = fs::hard_link(&scratch, &file);
        }
        let _ = fs::remove_file(&scratch);
        linked.map_err(about)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If it stays, the next process finds that its owner has ended.
        let _ = fs::remove_file(&self.file);
    }
}

fn owner(file: &Path) -> Option<Process> {
    let text = fs::read_to_string(file).ok()?;
    let (pid, started_at) = text.split_once(' ')?;
    Some(Process {
        pid: pid.parse().ok()?,
        started_at: started_at.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_owner_until_it_is_given_back_or_its_owner_ends() {
        let dir = std::env::temp_dir().join(format!("xtask-lock-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let lock = Lock::take(&dir).unwrap();
        let refused = Lock::take(&dir).unwrap_err();
        assert!(
            refused.contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(lock);
        drop(Lock::take(&dir).unwrap());
        // A process with this id, but started at another time, has ended.
        fs::write(dir.join("owner"), format!("{} 1", std::process::id())).unwrap();
        drop(Lock::take(&dir).unwrap());
        let left = fs::read_dir(&dir).unwrap().count();
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(left, 0);
    }
}
