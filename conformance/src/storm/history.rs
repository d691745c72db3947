//! What happened in a storm, line by line, for people: to a file, and to whoever looks on.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use kafka_harness::Error;

/// A file of lines with the seconds since the beginning.
pub struct History<'a> {
    began: Instant,
    file: Mutex<File>,
    progress: &'a (dyn Fn(&str) + Sync),
}

impl std::fmt::Debug for History<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").finish_non_exhaustive()
    }
}

impl<'a> History<'a> {
    /// An empty history; `progress` is called with its lines too, unless they are quiet ones.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn new(path: &Path, progress: &'a (dyn Fn(&str) + Sync)) -> Result<Self, Error> {
        Ok(Self {
            began: Instant::now(),
            file: Mutex::new(File::create(path).map_err(Error::io(path.display()))?),
            progress,
        })
    }

    /// Adds a line that people may want to see at once.
    pub fn say(&self, what: &str) {
        let line = self.note(what);
        (self.progress)(&line);
    }

    /// Adds a line and returns it.
    pub fn note(&self, what: &str) -> String {
        // The producers' log has the time of day, by which the two are compared.
        let line = format!("{:8.3} {what}", self.began.elapsed().as_secs_f64());
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A history that cannot be written is no reason to end a run.
        let _ = writeln!(file, "{line}");
        line
    }
}
