//! What a topic is, apart from any producer: its name, and what its keys and values are.
//!
//! The verbs of a producer that is bound to one are in `topic_producer`, what is known of it in
//! `topics`.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// Keys or values that are bytes as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Raw;

/// A topic as a program writes it down once: its name, and what its keys and values are. It needs no
/// producer and asks nobody.
///
/// ```
/// use downpour::{Producer, Record, Topic};
/// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
/// # let bootstrap = cluster.bootstrap_servers();
///
/// const EVENTS: Topic = Topic::new("events");
///
/// let producer = Producer::builder(bootstrap).build()?.blocking();
/// producer.send_and_wait(Record::to(&EVENTS).value("hello"))?;
/// // A program that sends more than a few records there binds it, which saves the look-up of the name.
/// let events = producer.topic(&EVENTS)?;
/// events.send_and_wait("hello again")?;
/// assert_eq!(Topic::from(format!("{}s", "event")), EVENTS);
/// # producer.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Topic<K = Raw, V = Raw> {
    name: Cow<'static, str>,
    /// As of a function, so that no such type keeps a topic on its thread.
    kinds: PhantomData<fn() -> (K, V)>,
}

impl Topic {
    /// The topic of this name, also in a `const`. From a name that is made at run time,
    /// `Topic::from(name)` makes one. Whether Kafka allows it, whoever sends to it is told.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kinds: PhantomData,
        }
    }

    pub(crate) fn into_name(self) -> Cow<'static, str> {
        self.name
    }
}

impl From<&str> for Topic {
    fn from(name: &str) -> Self {
        Self::from(name.to_owned())
    }
}

impl From<String> for Topic {
    fn from(name: String) -> Self {
        Self {
            name: Cow::Owned(name),
            kinds: PhantomData,
        }
    }
}

impl<K, V> Topic<K, V> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

// By hand, because those that are derived would ask the same of keys and values.
impl<K, V> Clone for Topic<K, V> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            kinds: PhantomData,
        }
    }
}

impl<K, V> PartialEq for Topic<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<K, V> Eq for Topic<K, V> {}

impl<K, V> Hash for Topic<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl<K, V> fmt::Debug for Topic<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Topic").field(&self.name).finish()
    }
}

impl<K, V> fmt::Display for Topic<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn topics_of_one_name_are_one_topic() {
        const NAMED: Topic = Topic::new("events");
        let made = Topic::from(String::from("events"));
        assert_eq!(NAMED, made);
        assert_eq!(NAMED, Topic::from(made.name()));
        assert_ne!(NAMED, Topic::new("orders"));
        let topics = HashSet::from([NAMED, made.clone()]);
        assert_eq!(topics.len(), 1);
        assert_eq!(
            (made.to_string(), format!("{made:?}")),
            ("events".to_owned(), "Topic(\"events\")".to_owned())
        );
    }
}
