//! What is wrong with a record that is refused before anything is sent.
//!
//! The rules themselves are in `accept::validate` and beside the metadata that they need.

use std::borrow::Cow;
use std::fmt;

/// The part of a record that a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// Its name, or a topic that has no partitions.
    Topic,
    /// It alone is too large.
    Value,
    /// It is missing where it must be there: in a tombstone.
    Key,
    /// All headers together are too large, without the rest.
    Headers,
    /// Below -1, or beyond those that the topic has.
    Partition,
    /// Empty, so that it chooses nothing.
    PartitionKey,
    /// Before 1970.
    Timestamp,
    /// It is too large, and neither its value nor its headers are so alone.
    Record,
}

impl Field {
    /// Its name as the setters spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Value => "value",
            Self::Key => "key",
            Self::Headers => "headers",
            Self::Partition => "partition",
            Self::PartitionKey => "partition_key",
            Self::Timestamp => "timestamp",
            Self::Record => "record",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A record that was refused before anything was sent: which field, what is wrong with its
/// value, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRecord {
    field: Field,
    trouble: String,
    remedy: Cow<'static, str>,
}

impl InvalidRecord {
    pub(crate) fn new(
        field: Field,
        trouble: impl Into<String>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Box<Self> {
        Box::new(Self {
            field,
            trouble: trouble.into(),
            remedy: remedy.into(),
        })
    }

    /// The field.
    pub fn field(&self) -> Field {
        self.field
    }

    /// What is wrong with its value.
    pub fn trouble(&self) -> &str {
        &self.trouble
    }

    /// Whether it is about the size of the record, or of a part of it.
    pub fn is_too_large(&self) -> bool {
        matches!(self.field, Field::Value | Field::Headers | Field::Record)
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

impl fmt::Display for InvalidRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid record: {} {}; {}",
            self.field, self.trouble, self.remedy
        )
    }
}

impl std::error::Error for InvalidRecord {}
