//! The one error of the clusters: a sentence, because only people read it.

use std::fmt;

/// Why a cluster or one of its tools did not do as told.
#[derive(Debug)]
pub struct Error {
    what: String,
}

impl Error {
    /// An error with this text.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }

    /// Says what was being done when an I/O error came.
    pub fn io(doing: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::new(format!("{doing}: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {}
