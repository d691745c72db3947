//! What a delivered record's handle tells: where it is.
//!
//! What a failed one tells is `DeliveryError`, in `error::delivery`.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::label::{self, Label};

/// Where a record is.
#[derive(Clone)]
pub struct Report {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    pub(super) offset: Option<i64>,
    pub(super) timestamp: i64,
    pub(super) label: Option<Label>,
}

impl Report {
    /// Topic of the record.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Partition of the record.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// Its offset. `None` with acks=0, where nobody answers, and where a broker only said
    /// that it has the record already.
    pub fn offset(&self) -> Option<i64> {
        self.offset
    }

    /// Milliseconds since 1970: the record's own time, or the broker's where the topic stamps
    /// records itself.
    pub fn timestamp_ms(&self) -> i64 {
        self.timestamp
    }

    /// What the caller put beside the record; `None` if that was nothing, or something of another
    /// type.
    pub fn label<T: Any>(&self) -> Option<&T> {
        label::as_type(self.label.as_ref())
    }
}

/// `topic-partition@offset`, or what is known of that.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)?;
        match self.offset {
            Some(offset) => write!(f, "@{offset}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .field("offset", &self.offset)
            .field("timestamp", &self.timestamp)
            .field("label", &self.label.is_some())
            .finish()
    }
}
