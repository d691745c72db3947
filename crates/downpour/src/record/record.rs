//! The record as the caller describes it, each part borrowed or owned.
//!
//! What makes a record valid is in `accept::validate`; its bytes on the wire are `downpour-wire`'s.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use downpour_wire::record::Header;

use crate::label::Label;
use crate::record::part::Part;
use crate::topics::entry::TopicEntry;

/// The topic that a record goes to: a name, or a [`Topic`](crate::Topic) that was looked up
/// before and saves the look-up.
#[derive(Clone)]
pub struct TopicRef<'a>(Target<'a>);

#[derive(Clone)]
pub(crate) enum Target<'a> {
    Name(Cow<'a, str>),
    Known(Cow<'a, Arc<TopicEntry>>),
}

impl<'a> TopicRef<'a> {
    pub(crate) fn known(state: &'a Arc<TopicEntry>) -> Self {
        Self(Target::Known(Cow::Borrowed(state)))
    }

    /// The topic's name.
    pub fn name(&self) -> &str {
        match &self.0 {
            Target::Name(name) => name,
            Target::Known(state) => state.name(),
        }
    }

    #[inline]
    pub(crate) fn target(&self) -> &Target<'a> {
        &self.0
    }

    fn into_owned(self) -> TopicRef<'static> {
        TopicRef(match self.0 {
            Target::Name(name) => Target::Name(Cow::Owned(name.into_owned())),
            Target::Known(state) => Target::Known(Cow::Owned(state.into_owned())),
        })
    }
}

impl fmt::Debug for TopicRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name())
    }
}

impl<'a> From<&'a str> for TopicRef<'a> {
    #[inline]
    fn from(name: &'a str) -> Self {
        Self(Target::Name(Cow::Borrowed(name)))
    }
}

impl<'a> From<&'a String> for TopicRef<'a> {
    #[inline]
    fn from(name: &'a String) -> Self {
        Self(Target::Name(Cow::Borrowed(name)))
    }
}

impl From<String> for TopicRef<'_> {
    fn from(name: String) -> Self {
        Self(Target::Name(Cow::Owned(name)))
    }
}

impl<'a> From<Cow<'a, str>> for TopicRef<'a> {
    fn from(name: Cow<'a, str>) -> Self {
        Self(Target::Name(name))
    }
}

/// No partition was named. Kafka's own word for that, which callers may say, too.
pub(crate) const NO_PARTITION: i32 = -1;
/// No timestamp was given.
pub(crate) const NO_TIMESTAMP: i64 = i64::MIN;

/// A record: where to, and what.
///
/// Each part is borrowed or owned, as the caller likes; the bytes are copied once, when the
/// record is accepted.
///
/// ```
/// use downpour::Record;
///
/// let order = Record::to("orders").key("customer-7").value(r#"{"items":3}"#).header("trace", "a1");
/// assert_eq!(order.topic(), "orders");
/// let gone = Record::tombstone("orders", "customer-7");
/// ```
#[derive(Clone)]
pub struct Record<'a> {
    pub(crate) topic: TopicRef<'a>,
    pub(crate) value: Option<Part<'a>>,
    pub(crate) key: Option<Part<'a>>,
    pub(crate) headers: Vec<Header<'a>>,
    /// [`NO_PARTITION`] if the partitioner chooses. Sentinels keep a record small: it is moved a
    /// lot.
    pub(crate) partition: i32,
    pub(crate) partition_key: Option<Part<'a>>,
    /// [`NO_TIMESTAMP`] for the time of acceptance.
    pub(crate) timestamp: i64,
    pub(crate) label: Option<Label>,
    pub(crate) tombstone: bool,
}

impl<'a> Record<'a> {
    /// A record for this topic, so far with an empty value, no key and no headers.
    #[inline]
    pub fn to(topic: impl Into<TopicRef<'a>>) -> Self {
        Self {
            topic: topic.into(),
            value: None,
            key: None,
            headers: Vec::new(),
            partition: NO_PARTITION,
            partition_key: None,
            timestamp: NO_TIMESTAMP,
            label: None,
            tombstone: false,
        }
    }

    /// A record without a value, which deletes its key from a compacted topic.
    ///
    /// The key must not be empty.
    pub fn tombstone(topic: impl Into<TopicRef<'a>>, key: impl Into<Part<'a>>) -> Self {
        let mut record = Self::to(topic).key(key);
        record.tombstone = true;
        record
    }

    /// The value. Default: empty (zero bytes, which is not a tombstone).
    #[inline]
    #[must_use]
    pub fn value(mut self, value: impl Into<Part<'a>>) -> Self {
        self.value = Some(value.into());
        self.tombstone = false;
        self
    }

    /// The key: stored with the record, and unless a partition or a partition key is given,
    /// what chooses the partition. Default: none.
    #[inline]
    #[must_use]
    pub fn key(mut self, key: impl Into<Part<'a>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Adds a header. Headers keep their order, and a name may come more than once.
    #[must_use]
    pub fn header(self, name: impl Into<Cow<'a, str>>, value: impl Into<HeaderValue<'a>>) -> Self {
        self.headers([Header {
            key: name.into(),
            value: value.into().0,
        }])
    }

    /// Adds several headers.
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = Header<'a>>) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The partition, from 0 on. Default, and what -1 means: the partitioner chooses.
    ///
    /// An explicit partition comes before a partition key, and that before the key.
    #[inline]
    #[must_use]
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = partition;
        self
    }

    /// What chooses the partition in the key's place; not stored. Must not be empty.
    /// Default: none.
    #[must_use]
    pub fn partition_key(mut self, key: impl Into<Part<'a>>) -> Self {
        self.partition_key = Some(key.into());
        self
    }

    /// Milliseconds since 1970. Default: the time at which the record is accepted.
    #[inline]
    #[must_use]
    pub fn timestamp_ms(mut self, millis: i64) -> Self {
        // The least number stands for no timestamp; its neighbour is refused in its place.
        self.timestamp = millis.max(NO_TIMESTAMP + 1);
        self
    }

    /// The time of the record, cut to milliseconds. Default: the time at which it is accepted.
    #[must_use]
    pub fn timestamp(self, time: SystemTime) -> Self {
        let millis = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            // Cut downwards, as what is before 1970 must stay there: validation refuses it.
            Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000))
                .map_or(i64::MIN, |millis| -millis),
        };
        self.timestamp_ms(millis)
    }

    /// A value of the caller's own that is handed back with the report or the error. It is never
    /// sent. Records with a label take a slower way.
    #[inline]
    #[must_use]
    pub fn label(mut self, label: Label) -> Self {
        self.label = Some(label);
        self
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        self.topic.name()
    }

    /// The name of the topic that it goes to, also where it was given as a
    /// [`Topic`](crate::Topic).
    pub fn get_topic(&self) -> &str {
        self.topic.name()
    }

    /// The key that is stored with it; `None` if it has none, which is not an empty one.
    pub fn get_key(&self) -> Option<&[u8]> {
        self.key_bytes()
    }

    /// The value that is stored; empty if none was given, `None` for a tombstone.
    pub fn get_value(&self) -> Option<&[u8]> {
        self.value_bytes()
    }

    /// All headers in the order in which they were added.
    pub fn get_headers(&self) -> &[Header<'a>] {
        &self.headers
    }

    /// The partition that was asked for; `None` leaves the choice to the partitioner.
    pub fn get_partition(&self) -> Option<i32> {
        (self.partition != NO_PARTITION).then_some(self.partition)
    }

    /// What chooses the partition in the key's place, where that was given.
    pub fn get_partition_key(&self) -> Option<&[u8]> {
        self.partition_key.as_ref().map(Part::as_bytes)
    }

    /// Milliseconds since 1970; `None` stands for the time at which it is accepted.
    pub fn get_timestamp_ms(&self) -> Option<i64> {
        (self.timestamp != NO_TIMESTAMP).then_some(self.timestamp)
    }

    /// What travels beside it and is never sent.
    pub fn get_label(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    /// Whether it deletes its key: it has no value, not even an empty one.
    pub fn is_tombstone(&self) -> bool {
        self.value_bytes().is_none()
    }

    /// The same record with every borrowed part copied, for keeping.
    pub fn into_owned(self) -> Record<'static> {
        Record {
            topic: self.topic.into_owned(),
            value: self.value.map(Part::into_owned),
            key: self.key.map(Part::into_owned),
            headers: self
                .headers
                .into_iter()
                .map(|h| Header {
                    key: Cow::Owned(h.key.into_owned()),
                    value: h.value.map(|v| Cow::Owned(v.into_owned())),
                })
                .collect(),
            partition: self.partition,
            partition_key: self.partition_key.map(Part::into_owned),
            timestamp: self.timestamp,
            label: self.label,
            tombstone: self.tombstone,
        }
    }

    /// The key as stored.
    #[inline]
    pub fn key_bytes(&self) -> Option<&[u8]> {
        self.key.as_ref().map(Part::as_bytes)
    }

    /// The value as stored; `None` for a tombstone.
    #[inline]
    pub fn value_bytes(&self) -> Option<&[u8]> {
        match &self.value {
            Some(value) => Some(value.as_bytes()),
            None if self.tombstone => None,
            None => Some(&[]),
        }
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("topic", &self.topic)
            .field("partition", &self.get_partition())
            .field("partition_key", &self.partition_key)
            .field("timestamp", &self.get_timestamp_ms())
            .field("key", &self.key)
            .field("value_bytes", &self.value_bytes().map(<[u8]>::len))
            .field("headers", &self.headers.len())
            .field("label", &self.label.is_some())
            .finish()
    }
}

/// The value of a header: bytes, or Kafka's null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderValue<'a>(Option<Cow<'a, [u8]>>);

impl HeaderValue<'_> {
    /// Kafka's null, which is not an empty value.
    pub const NULL: Self = Self(None);
}

impl<'a> From<&'a [u8]> for HeaderValue<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Some(Cow::Borrowed(bytes)))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for HeaderValue<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(Some(Cow::Borrowed(bytes)))
    }
}

impl<'a> From<&'a str> for HeaderValue<'a> {
    fn from(text: &'a str) -> Self {
        Self(Some(Cow::Borrowed(text.as_bytes())))
    }
}

impl From<String> for HeaderValue<'_> {
    fn from(text: String) -> Self {
        Self(Some(Cow::Owned(text.into_bytes())))
    }
}

impl From<Vec<u8>> for HeaderValue<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Some(Cow::Owned(bytes)))
    }
}
