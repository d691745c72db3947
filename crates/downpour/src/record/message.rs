//! What a record says beside its topic: key, value, headers and where in the topic it goes.
//!
//! A [`Record`](crate::Record) is one of these with a topic, and has the same setters and getters.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::label::{self, Label};
use crate::record::headers::{HeaderValues, Headers};
use crate::record::part::{Part, PartBytes};

/// No partition was named. Kafka's own word for that, which callers may say, too.
pub(crate) const NO_PARTITION: i32 = -1;
/// No timestamp was given.
pub(crate) const NO_TIMESTAMP: i64 = i64::MIN;

/// A record without a topic, for a [`TopicProducer`](crate::TopicProducer), which has one.
///
/// Each part is borrowed or owned, and is set, read and changed as that of a [`Record`](crate::Record). What is only
/// a value can be given as it is: `&str`, `String`, `&[u8]`, `Vec<u8>`.
///
/// ```
/// use downpour::Message;
///
/// let message = Message::new().key("customer-7").value(r#"{"items":3}"#).partition(2);
/// assert_eq!(message.get_partition(), Some(2));
/// assert_eq!(Message::from("hello").get_value(), Some(&b"hello"[..]));
/// let record = message.to("orders");
/// assert_eq!(record.get_topic(), "orders");
/// ```
#[derive(Clone)]
pub struct Message<'a> {
    pub(crate) value: Option<PartBytes<'a>>,
    pub(crate) key: Option<PartBytes<'a>>,
    pub(crate) headers: Headers<'a>,
    /// [`NO_PARTITION`] if the partitioner chooses. Sentinels keep a record small: it is moved a
    /// lot.
    pub(crate) partition: i32,
    pub(crate) partition_key: Option<PartBytes<'a>>,
    /// [`NO_TIMESTAMP`] for the time of acceptance.
    pub(crate) timestamp: i64,
    pub(crate) label: Option<Label>,
    pub(crate) tombstone: bool,
    /// The timestamp was the very number that is the sentinel, and its neighbour stands in its place.
    is_least: bool,
}

impl<'a> Message<'a> {
    /// A message that has so far an empty value, no key and no headers.
    #[inline]
    pub fn new() -> Self {
        Self {
            value: None,
            key: None,
            headers: Headers::default(),
            partition: NO_PARTITION,
            partition_key: None,
            timestamp: NO_TIMESTAMP,
            label: None,
            tombstone: false,
            is_least: false,
        }
    }

    /// A message without a value, which deletes its key from a compacted topic.
    ///
    /// The key must not be empty.
    pub fn tombstone(key: impl Into<Part<'a>>) -> Self {
        Self::new().key(key).value(Part::NULL)
    }

    /// As [`Record::value`](crate::Record::value).
    #[inline]
    #[must_use]
    pub fn value(mut self, value: impl Into<Part<'a>>) -> Self {
        self.set_value(value);
        self
    }

    /// As [`Record::key`](crate::Record::key).
    #[inline]
    #[must_use]
    pub fn key(mut self, key: impl Into<Part<'a>>) -> Self {
        self.set_key(key);
        self
    }

    /// As [`Record::header`](crate::Record::header).
    #[must_use]
    pub fn header(
        mut self,
        name: impl Into<Cow<'a, str>>,
        values: impl Into<HeaderValues<'a>>,
    ) -> Self {
        self.headers.add(name, values);
        self
    }

    /// As [`Record::headers`](crate::Record::headers).
    #[must_use]
    pub fn headers<N, V>(mut self, pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Cow<'a, str>>,
        V: Into<HeaderValues<'a>>,
    {
        self.headers.extend(pairs);
        self
    }

    /// As [`Record::partition`](crate::Record::partition).
    #[inline]
    #[must_use]
    pub fn partition(mut self, partition: impl Into<Option<i32>>) -> Self {
        self.set_partition(partition);
        self
    }

    /// As [`Record::partition_key`](crate::Record::partition_key).
    #[must_use]
    pub fn partition_key(mut self, key: impl Into<Part<'a>>) -> Self {
        self.set_partition_key(key);
        self
    }

    /// As [`Record::timestamp_ms`](crate::Record::timestamp_ms).
    #[inline]
    #[must_use]
    pub fn timestamp_ms(mut self, millis: impl Into<Option<i64>>) -> Self {
        self.set_timestamp_ms(millis);
        self
    }

    /// As [`Record::timestamp`](crate::Record::timestamp).
    #[must_use]
    pub fn timestamp(mut self, time: impl Into<Option<SystemTime>>) -> Self {
        self.set_timestamp(time);
        self
    }

    /// As [`Record::label`](crate::Record::label).
    #[must_use]
    pub fn label<T: Any + Send + Sync>(mut self, label: T) -> Self {
        self.set_label(label);
        self
    }

    /// As [`value`](Self::value), in place.
    #[inline]
    pub fn set_value(&mut self, value: impl Into<Part<'a>>) {
        self.value = value.into().0;
        self.tombstone = self.value.is_none();
    }

    /// As [`key`](Self::key), in place.
    #[inline]
    pub fn set_key(&mut self, key: impl Into<Part<'a>>) {
        self.key = key.into().0;
    }

    /// As [`partition`](Self::partition), in place.
    #[inline]
    pub fn set_partition(&mut self, partition: impl Into<Option<i32>>) {
        self.partition = partition.into().unwrap_or(NO_PARTITION);
    }

    /// As [`partition_key`](Self::partition_key), in place.
    pub fn set_partition_key(&mut self, key: impl Into<Part<'a>>) {
        self.partition_key = key.into().0;
    }

    /// As [`timestamp_ms`](Self::timestamp_ms), in place.
    #[inline]
    pub fn set_timestamp_ms(&mut self, millis: impl Into<Option<i64>>) {
        let millis = millis.into();
        self.is_least = millis == Some(NO_TIMESTAMP);
        self.timestamp = match millis {
            // The least number stands for no timestamp; its neighbour is refused in its place.
            Some(millis) => millis.max(NO_TIMESTAMP + 1),
            None => NO_TIMESTAMP,
        };
    }

    /// As [`timestamp`](Self::timestamp), in place.
    pub fn set_timestamp(&mut self, time: impl Into<Option<SystemTime>>) {
        let millis = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            // Cut downwards, as what is before 1970 must stay there: validation refuses it.
            Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000))
                .map_or(i64::MIN, |millis| -millis),
        };
        self.set_timestamp_ms(time.into().map(millis));
    }

    /// As [`label`](Self::label), in place.
    pub fn set_label<T: Any + Send + Sync>(&mut self, label: T) {
        self.label = Some(Arc::new(label));
    }

    /// The headers, to be changed in place.
    pub fn headers_mut(&mut self) -> &mut Headers<'a> {
        &mut self.headers
    }

    /// As [`Record::get_key`](crate::Record::get_key).
    #[inline]
    pub fn get_key(&self) -> Option<&[u8]> {
        self.key.as_ref().map(PartBytes::as_slice)
    }

    /// As [`Record::get_value`](crate::Record::get_value).
    #[inline]
    pub fn get_value(&self) -> Option<&[u8]> {
        match &self.value {
            Some(value) => Some(value.as_slice()),
            None if self.tombstone => None,
            None => Some(&[]),
        }
    }

    /// As [`Record::get_headers`](crate::Record::get_headers).
    #[inline]
    pub fn get_headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// As [`Record::get_partition`](crate::Record::get_partition).
    pub fn get_partition(&self) -> Option<i32> {
        (self.partition != NO_PARTITION).then_some(self.partition)
    }

    /// As [`Record::get_partition_key`](crate::Record::get_partition_key).
    pub fn get_partition_key(&self) -> Option<&[u8]> {
        self.partition_key.as_ref().map(PartBytes::as_slice)
    }

    /// As [`Record::get_timestamp_ms`](crate::Record::get_timestamp_ms).
    pub fn get_timestamp_ms(&self) -> Option<i64> {
        if self.is_least {
            return Some(NO_TIMESTAMP);
        }
        (self.timestamp != NO_TIMESTAMP).then_some(self.timestamp)
    }

    /// As [`Record::get_label`](crate::Record::get_label).
    pub fn get_label<T: Any>(&self) -> Option<&T> {
        label::as_type(self.label.as_ref())
    }

    /// As [`Record::is_tombstone`](crate::Record::is_tombstone).
    pub fn is_tombstone(&self) -> bool {
        self.get_value().is_none()
    }

    /// The same message with every borrowed part copied, for keeping.
    pub fn into_owned(self) -> Message<'static> {
        Message {
            value: self.value.map(PartBytes::into_owned),
            key: self.key.map(PartBytes::into_owned),
            headers: self.headers.into_owned(),
            partition: self.partition,
            partition_key: self.partition_key.map(PartBytes::into_owned),
            timestamp: self.timestamp,
            label: self.label,
            tombstone: self.tombstone,
            is_least: self.is_least,
        }
    }

    /// What it shows of itself: no bytes of its value or headers.
    pub(super) fn show(&self, shown: &mut fmt::DebugStruct<'_, '_>) -> fmt::Result {
        shown
            .field("partition", &self.get_partition())
            .field("partition_key", &self.partition_key)
            .field("timestamp", &self.get_timestamp_ms())
            .field("key", &self.key)
            .field("value_bytes", &self.get_value().map(<[u8]>::len))
            .field("headers", &self.headers.len())
            .field("label", &self.label.is_some())
            .finish()
    }
}

impl Default for Message<'_> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(&mut f.debug_struct("Message"))
    }
}

/// What is a message by being its value.
macro_rules! values {
    ($($from:ty;)*) => {
        $(
            impl<'a> From<$from> for Message<'a> {
                #[inline]
                fn from(value: $from) -> Self {
                    Self::new().value(value)
                }
            }
        )*
    };
}

values! {
    &'a str;
    &'a String;
    &'a [u8];
    &'a Vec<u8>;
    String;
    Vec<u8>;
}

#[cfg(feature = "bytes")]
values! {
    bytes::Bytes;
}

impl<'a, const N: usize> From<&'a [u8; N]> for Message<'a> {
    #[inline]
    fn from(value: &'a [u8; N]) -> Self {
        Self::new().value(value)
    }
}
