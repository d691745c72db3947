//! What one line of input says, and what can be wrong with one. Who reads it is `lines` and
//! `ndjson`.

use std::borrow::Cow;
use std::fmt;

/// A header: a name, and a value that may be null.
pub(crate) type Pair<'a> = (Cow<'a, str>, Option<Cow<'a, [u8]>>);

/// What a line says; the parts borrow from it where they can.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) key: Option<Cow<'a, [u8]>>,
    /// `None` is a tombstone.
    pub(crate) value: Option<Cow<'a, [u8]>>,
    pub(crate) headers: Vec<Pair<'a>>,
    pub(crate) partition: Option<i32>,
    pub(crate) partition_key: Option<Cow<'a, [u8]>>,
    pub(crate) timestamp: Option<i64>,
}

/// A line that is no record: which field, what is wrong, what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    pub(crate) field: Option<&'static str>,
    pub(crate) trouble: String,
    pub(crate) remedy: &'static str,
}

impl BadLine {
    pub(crate) fn new(
        field: impl Into<Option<&'static str>>,
        trouble: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self {
            field: field.into(),
            trouble: trouble.into(),
            remedy,
        }
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "{field} ")?;
        }
        write!(f, "{}; {}", self.trouble, self.remedy)
    }
}
