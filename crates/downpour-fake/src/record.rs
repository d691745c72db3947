//! A record as it lies in the fake's log, decoded for a test to look at. How a log stores it is
//! `logic::log`.

/// One record out of a partition's log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeRecord {
    /// Counted within the partition, from 0.
    pub offset: i64,
    /// Milliseconds since 1970: the producer's, or the broker's in a topic with log append time.
    pub timestamp: i64,
    /// `None` is null, which is not an empty key.
    pub key: Option<Vec<u8>>,
    /// `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers in the order in which they were sent; a name may occur more than once.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// The producer id of the batch that it came in; -1 without idempotence.
    pub producer_id: i64,
    /// The producer epoch of that batch; -1 without idempotence.
    pub producer_epoch: i16,
    /// The record's own sequence number; -1 without idempotence.
    pub sequence: i32,
    /// The leader epoch under which the broker appended it.
    pub leader_epoch: i32,
}

impl FakeRecord {
    /// The key as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn key_str(&self) -> Option<String> {
        self.key
            .as_deref()
            .map(|key| String::from_utf8_lossy(key).into_owned())
    }

    /// The value as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn value_str(&self) -> Option<String> {
        self.value
            .as_deref()
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }
}
