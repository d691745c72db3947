//! The record as the caller describes it, each part borrowed or owned: a topic and a message.
//!
//! What makes a record valid is in `accept::validate`; its bytes on the wire are `downpour-wire`'s.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::record::headers::{HeaderValues, Headers};
use crate::record::message::Message;
use crate::record::part::Part;
use crate::topic::Topic;
use crate::topics::entry::TopicEntry;

/// The topic that a record goes to: a name, a [`Topic`], or a
/// [`TopicProducer`](crate::TopicProducer), which saves the look-up of the name.
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

    pub(crate) fn into_owned(self) -> TopicRef<'static> {
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

impl<'a> From<&'a Arc<str>> for TopicRef<'a> {
    #[inline]
    fn from(name: &'a Arc<str>) -> Self {
        Self(Target::Name(Cow::Borrowed(name)))
    }
}

impl<'a> From<&'a Topic> for TopicRef<'a> {
    #[inline]
    fn from(topic: &'a Topic) -> Self {
        Self(Target::Name(Cow::Borrowed(topic.name())))
    }
}

impl From<Topic> for TopicRef<'_> {
    #[inline]
    fn from(topic: Topic) -> Self {
        Self(Target::Name(topic.into_name()))
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

/// A record: where to, and what.
///
/// Each part is borrowed or owned, as the caller likes; the bytes are copied once, when the
/// record is accepted. Whatever [`Part`] is made from may be given, also as an `Option`.
///
/// Sending consumes it. Whoever may want to send it again, after an error, sends a clone, which copies
/// parts that are owned and none that are borrowed.
///
/// A record is built by setters that have the parts' names, read by getters that begin with `get_`,
/// and changed in place, as middleware does, by those that begin with `set_`.
///
/// ```
/// use downpour::Record;
///
/// let trace: Option<String> = None;
/// let mut order = Record::to("orders")
///     .key("customer-7")
///     .value(r#"{"items":3}"#)
///     .header("tag", ["new", "eu"])
///     .header("trace", trace)
///     .label(7_u64);
/// assert_eq!(order.get_topic(), "orders");
/// assert_eq!(order.get_label::<u64>(), Some(&7));
/// order.set_partition(2);
/// let gone = Record::tombstone("orders", "customer-7");
/// assert!(gone.is_tombstone());
/// ```
#[derive(Clone)]
pub struct Record<'a> {
    pub(crate) topic: TopicRef<'a>,
    pub(crate) message: Message<'a>,
}

impl<'a> Message<'a> {
    /// The same with a topic.
    #[inline]
    pub fn to(self, topic: impl Into<TopicRef<'a>>) -> Record<'a> {
        Record {
            topic: topic.into(),
            message: self,
        }
    }
}

/// A record to be accepted, wherever its parts lie: a message of many, and the topic of all.
#[derive(Clone, Copy)]
pub(crate) struct Addressed<'r> {
    pub(crate) topic: &'r TopicRef<'r>,
    pub(crate) message: &'r Message<'r>,
}

/// Records that are accepted together.
pub(crate) trait Many<'r>: Copy {
    fn len(self) -> usize;

    fn get(self, at: usize) -> Option<Addressed<'r>>;
}

impl<'r> Many<'r> for &'r [Record<'r>] {
    #[inline(always)]
    fn len(self) -> usize {
        <[_]>::len(self)
    }

    #[inline(always)]
    fn get(self, at: usize) -> Option<Addressed<'r>> {
        <[_]>::get(self, at).map(Record::addressed)
    }
}

/// Messages that all go to one topic.
impl<'r> Many<'r> for (&'r TopicRef<'r>, &'r [Message<'r>]) {
    #[inline(always)]
    fn len(self) -> usize {
        self.1.len()
    }

    #[inline(always)]
    fn get(self, at: usize) -> Option<Addressed<'r>> {
        let (topic, messages) = self;
        let message = messages.get(at)?;
        Some(Addressed { topic, message })
    }
}

impl<'a> Record<'a> {
    #[inline(always)]
    pub(crate) fn addressed(&self) -> Addressed<'_> {
        Addressed {
            topic: &self.topic,
            message: &self.message,
        }
    }

    /// A record for this topic, so far with an empty value, no key and no headers.
    #[inline]
    pub fn to(topic: impl Into<TopicRef<'a>>) -> Self {
        Message::new().to(topic)
    }

    /// A record without a value, which deletes its key from a compacted topic.
    ///
    /// The key must not be empty.
    pub fn tombstone(topic: impl Into<TopicRef<'a>>, key: impl Into<Part<'a>>) -> Self {
        Self::to(topic).key(key).value(Part::NULL)
    }

    /// The value. Default: empty (zero bytes, which is not a tombstone). `None` makes it a
    /// tombstone.
    #[inline]
    #[must_use]
    pub fn value(mut self, value: impl Into<Part<'a>>) -> Self {
        self.set_value(value);
        self
    }

    /// The key: stored with the record, and unless a partition or a partition key is given,
    /// what chooses the partition. Default: none.
    ///
    /// Bytes or text, never a number: there would be several ways to write it, and another client
    /// that reads the key, or finds its partition by it, would have to choose the same. Say which: for
    /// text, as most do, `.key(id.to_string())`; for Java's `IntegerSerializer` and `LongSerializer`
    /// `.key(id.to_be_bytes())` of an `i32` or `i64`.
    #[inline]
    #[must_use]
    pub fn key(mut self, key: impl Into<Part<'a>>) -> Self {
        self.set_key(key);
        self
    }

    /// Adds a header, or several of one name if several values are given: `["a", "b"]`. Headers
    /// keep their order, and a name may come more than once. A value that is `None` is Kafka's
    /// null.
    #[must_use]
    pub fn header(
        mut self,
        name: impl Into<Cow<'a, str>>,
        values: impl Into<HeaderValues<'a>>,
    ) -> Self {
        self.message.headers.add(name, values);
        self
    }

    /// Adds headers: pairs of a name and a value, such as a map has.
    #[must_use]
    pub fn headers<N, V>(mut self, pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Cow<'a, str>>,
        V: Into<HeaderValues<'a>>,
    {
        self.message.headers.extend(pairs);
        self
    }

    /// The partition, from 0 on. Default, and what `None` and -1 mean: the partitioner chooses.
    ///
    /// An explicit partition comes before a partition key, and that before the key.
    #[inline]
    #[must_use]
    pub fn partition(mut self, partition: impl Into<Option<i32>>) -> Self {
        self.set_partition(partition);
        self
    }

    /// What chooses the partition in the key's place; not stored. Must not be empty.
    /// Default: none.
    #[must_use]
    pub fn partition_key(mut self, key: impl Into<Part<'a>>) -> Self {
        self.set_partition_key(key);
        self
    }

    /// Milliseconds since 1970, 0 or more. Default, and what `None` means: the time at which the record
    /// is accepted.
    #[inline]
    #[must_use]
    pub fn timestamp_ms(mut self, millis: impl Into<Option<i64>>) -> Self {
        self.set_timestamp_ms(millis);
        self
    }

    /// The time of the record, cut to milliseconds. Default, and what `None` means: the time at
    /// which it is accepted.
    #[must_use]
    pub fn timestamp(mut self, time: impl Into<Option<SystemTime>>) -> Self {
        self.set_timestamp(time);
        self
    }

    /// A value of the caller's own that is handed back with the handle, the report or the error,
    /// as the type that it has. It is never sent. Records with a label take a slower way, and the
    /// label is moved into an `Arc`.
    #[must_use]
    pub fn label<T: Any + Send + Sync>(mut self, label: T) -> Self {
        self.set_label(label);
        self
    }

    /// Sends it to another topic.
    pub fn set_topic(&mut self, topic: impl Into<TopicRef<'a>>) {
        self.topic = topic.into();
    }

    /// As [`value`](Self::value), in place.
    #[inline]
    pub fn set_value(&mut self, value: impl Into<Part<'a>>) {
        self.message.set_value(value);
    }

    /// As [`key`](Self::key), in place.
    #[inline]
    pub fn set_key(&mut self, key: impl Into<Part<'a>>) {
        self.message.set_key(key);
    }

    /// As [`partition`](Self::partition), in place.
    #[inline]
    pub fn set_partition(&mut self, partition: impl Into<Option<i32>>) {
        self.message.set_partition(partition);
    }

    /// As [`partition_key`](Self::partition_key), in place.
    pub fn set_partition_key(&mut self, key: impl Into<Part<'a>>) {
        self.message.set_partition_key(key);
    }

    /// As [`timestamp_ms`](Self::timestamp_ms), in place.
    #[inline]
    pub fn set_timestamp_ms(&mut self, millis: impl Into<Option<i64>>) {
        self.message.set_timestamp_ms(millis);
    }

    /// As [`timestamp`](Self::timestamp), in place.
    pub fn set_timestamp(&mut self, time: impl Into<Option<SystemTime>>) {
        self.message.set_timestamp(time);
    }

    /// As [`label`](Self::label), in place.
    pub fn set_label<T: Any + Send + Sync>(&mut self, label: T) {
        self.message.set_label(label);
    }

    /// The headers, to be changed in place.
    pub fn headers_mut(&mut self) -> &mut Headers<'a> {
        &mut self.message.headers
    }

    /// The name of the topic that it goes to, however it was given.
    #[inline]
    pub fn get_topic(&self) -> &str {
        self.topic.name()
    }

    /// The key that is stored with it; `None` if it has none, which is not an empty one.
    #[inline]
    pub fn get_key(&self) -> Option<&[u8]> {
        self.message.get_key()
    }

    /// The value that is stored; empty if none was given, `None` for a tombstone.
    #[inline]
    pub fn get_value(&self) -> Option<&[u8]> {
        self.message.get_value()
    }

    /// All headers in the order in which they were added.
    pub fn get_headers(&self) -> &Headers<'a> {
        self.message.get_headers()
    }

    /// The partition that was asked for; `None` leaves the choice to the partitioner.
    pub fn get_partition(&self) -> Option<i32> {
        self.message.get_partition()
    }

    /// What chooses the partition in the key's place, where that was given.
    pub fn get_partition_key(&self) -> Option<&[u8]> {
        self.message.get_partition_key()
    }

    /// Milliseconds since 1970; `None` stands for the time at which it is accepted.
    pub fn get_timestamp_ms(&self) -> Option<i64> {
        self.message.get_timestamp_ms()
    }

    /// What travels beside it and is never sent; `None` if there is nothing, or something of
    /// another type.
    pub fn get_label<T: Any>(&self) -> Option<&T> {
        self.message.get_label()
    }

    /// Whether it deletes its key: it has no value, not even an empty one.
    pub fn is_tombstone(&self) -> bool {
        self.message.is_tombstone()
    }

    /// The same without its topic.
    #[inline]
    pub fn into_message(self) -> Message<'a> {
        self.message
    }

    /// The same record with every borrowed part copied, for keeping.
    pub fn into_owned(self) -> Record<'static> {
        Record {
            topic: self.topic.into_owned(),
            message: self.message.into_owned(),
        }
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Record");
        self.message.show(shown.field("topic", &self.topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn options_that_are_none_leave_a_part_out() {
        let record = Record::to("t")
            .key(None::<&str>)
            .partition_key(None::<String>)
            .partition(None)
            .timestamp_ms(None)
            .timestamp(None);
        assert_eq!((record.get_key(), record.get_partition_key()), (None, None));
        assert_eq!(record.get_partition(), None);
        assert_eq!(record.get_timestamp_ms(), None);
        assert_eq!(record.get_value(), Some(&[][..]));
        for least in [i64::MIN, i64::MIN + 1] {
            let record = Record::to("t").timestamp_ms(least).into_owned();
            assert_eq!(record.get_timestamp_ms(), Some(least));
            let record = record.timestamp_ms(None);
            assert_eq!(record.get_timestamp_ms(), None);
        }
        let record = record.partition(-1).value(None::<Vec<u8>>);
        assert_eq!(record.get_partition(), None);
        assert!(record.is_tombstone());
        assert!(!record.value("v").is_tombstone());
    }

    #[test]
    fn a_record_is_changed_in_place_and_read_back() {
        let mut record = Record::to("t").header("a", "1");
        record.set_topic("u");
        record.set_key("k");
        record.set_value(String::from("v"));
        record.set_partition(3);
        record.set_partition_key("p");
        record.set_timestamp(UNIX_EPOCH + Duration::from_micros(7_900));
        record.headers_mut().add("b", "2");
        record.set_label("mine");
        let record = record.into_owned();
        assert_eq!(record.get_topic(), "u");
        assert_eq!(record.get_key(), Some(&b"k"[..]));
        assert_eq!(record.get_value(), Some(&b"v"[..]));
        assert_eq!(record.get_partition(), Some(3));
        assert_eq!(record.get_partition_key(), Some(&b"p"[..]));
        assert_eq!(record.get_timestamp_ms(), Some(7));
        assert_eq!(record.get_headers().len(), 2);
        assert_eq!(record.get_label::<&str>(), Some(&"mine"));
        assert_eq!(record.get_label::<String>(), None);
    }
}
