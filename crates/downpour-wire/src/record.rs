//! A record as the caller hands it over: borrowed parts, nothing copied yet.
//! What a batch gives back after decoding is `batch::OwnedRecord`; topics and partitions are not
//! known here.

use std::borrow::Cow;

/// One header of a record: a name and a value that may be null.
///
/// Kafka keeps headers in order and allows the same name several times.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Header<'a> {
    /// The name. It may be empty, but not null.
    pub key: Cow<'a, str>,
    /// The value; `None` is Kafka's null, which is not an empty value.
    pub value: Option<Cow<'a, [u8]>>,
}

impl<'a> Header<'a> {
    /// A header that borrows its name and its value.
    #[must_use]
    pub const fn new(key: &'a str, value: &'a [u8]) -> Self {
        Self {
            key: Cow::Borrowed(key),
            value: Some(Cow::Borrowed(value)),
        }
    }

    /// A header whose value is null.
    #[must_use]
    pub const fn null(key: &'a str) -> Self {
        Self {
            key: Cow::Borrowed(key),
            value: None,
        }
    }
}

/// One record, borrowed for as long as it takes to copy it into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordRef<'a> {
    /// The key; `None` is null.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null, a tombstone in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// The headers, in the order in which they are sent.
    pub headers: &'a [Header<'a>],
    /// Milliseconds since 1970 (UTC). The batch writes it as given, so the caller sees to it that
    /// it is not negative.
    pub timestamp: i64,
}
