//! Why a text is not what it should be the name of, such as a codec. The names are beside the types
//! that have them.

use std::fmt;

/// A text names nothing that is known; the error says what would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    what: String,
}

impl ParseError {
    /// With a sentence for people.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for ParseError {}
