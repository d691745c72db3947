//! What a delivered record's handle tells: where it is.
//!
//! What a failed one tells is [`DeliveryError`].

use std::fmt;
use std::sync::Arc;

use crate::error::delivery::DeliveryError;
use crate::label::Label;

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

    /// What the caller put beside the record.
    pub fn label(&self) -> Option<&Label> {
        self.label.as_ref()
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

/// The end of a record that was accepted, good or bad, as one value.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// In the log (or, with acks=0, on the socket).
    Delivered(Report),
    /// Not in the log, or nobody can say.
    Undelivered(DeliveryError),
}

impl Outcome {
    /// Whether the record was acknowledged.
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered(_))
    }

    /// Topic of the record.
    pub fn topic(&self) -> &str {
        match self {
            Self::Delivered(report) => report.topic(),
            Self::Undelivered(error) => error.topic(),
        }
    }

    /// Partition of the record.
    pub fn partition(&self) -> i32 {
        match self {
            Self::Delivered(report) => report.partition(),
            Self::Undelivered(error) => error.partition(),
        }
    }

    /// Its offset, where it has one that is known.
    pub fn offset(&self) -> Option<i64> {
        match self {
            Self::Delivered(report) => report.offset(),
            Self::Undelivered(_) => None,
        }
    }

    /// What went wrong, if anything did.
    pub fn error(&self) -> Option<&DeliveryError> {
        match self {
            Self::Delivered(_) => None,
            Self::Undelivered(error) => Some(error),
        }
    }

    /// What the caller put beside the record.
    pub fn label(&self) -> Option<&Label> {
        match self {
            Self::Delivered(report) => report.label(),
            Self::Undelivered(error) => error.label(),
        }
    }

    /// The same as a result.
    ///
    /// # Errors
    /// The [`DeliveryError`] of a record that was not acknowledged.
    pub fn into_result(self) -> Result<Report, DeliveryError> {
        match self {
            Self::Delivered(report) => Ok(report),
            Self::Undelivered(error) => Err(error),
        }
    }
}
