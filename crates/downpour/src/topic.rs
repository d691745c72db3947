//! A topic that was looked up once: sends to it skip the look-up.

use std::fmt;
use std::sync::Arc;

use crate::accept::door;
use crate::accept::futures as future;
use crate::delivery::delivery::Delivery;
use crate::error::send::SendError;
use crate::record::record::{Record, TopicRef};
use crate::shared::shared::Shared;
use crate::topics::entry::TopicEntry;

/// A topic whose metadata is known, from [`Producer::topic`](crate::Producer::topic).
///
/// It keeps the producer's memory, not the producer: dropping the last
/// [`Producer`](crate::Producer) ends it, and sends then answer [`ErrorKind::Closed`](crate::ErrorKind::Closed).
///
/// ```
/// use downpour::{Producer, Record};
/// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
/// # let bootstrap = cluster.bootstrap_servers();
///
/// # smol::block_on(async {
/// let producer = Producer::builder(bootstrap).build()?;
/// let events = producer.topic("events").await?;
/// assert_eq!(events.partitions(), 3);
/// for number in 0..10 {
///     let delivery = events.try_send(&events.record().value(number.to_string()));
///     # let _ = delivery;
/// }
/// producer.close().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Topic {
    shared: Arc<Shared>,
    state: Arc<TopicEntry>,
}

impl Topic {
    pub(crate) fn new(shared: Arc<Shared>, state: Arc<TopicEntry>) -> Self {
        Self { shared, state }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.state.name()
    }

    /// How many partitions it has, as far as is known now.
    pub fn partitions(&self) -> u32 {
        self.state.partitions.count()
    }

    /// A record for this topic. Sent to any other producer it goes by name.
    #[inline]
    pub fn record(&self) -> Record<'_> {
        Record::to(self)
    }

    /// As [`Producer::send`](crate::Producer::send): the record goes to the topic that it names,
    /// which need not be this one.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    ///
    /// # Cancel safety
    /// As with [`Producer::send`](crate::Producer::send).
    #[inline]
    pub fn send<'a>(&'a self, record: Record<'a>) -> future::Send<'a> {
        future::Send::new(&self.shared, record)
    }

    /// As [`Producer::try_send`](crate::Producer::try_send): the record goes to the topic that it
    /// names, which need not be this one.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    pub fn try_send(&self, record: &Record<'_>) -> Result<Delivery, SendError> {
        door::try_accept(&self.shared, record)
    }
}

impl<'a> From<&'a Topic> for TopicRef<'a> {
    #[inline]
    fn from(topic: &'a Topic) -> Self {
        Self::known(&topic.state)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic")
            .field("name", &self.name())
            .field("partitions", &self.partitions())
            .finish()
    }
}
