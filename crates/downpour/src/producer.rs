//! The async facade: a cheap handle that any executor can use, and the end of a producer.
//!
//! The builder's setters are in `builder`, the verbs of the blocking facade in `blocking`, those of a
//! producer that is bound to a topic in `topic_producer`; all of them call `accept`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::accept::asking;
use crate::accept::door;
use crate::accept::futures as future;
use crate::accept::wait::Deadline;
use crate::builder::{Blocking, ProducerBuilder};
use crate::config::servers::BootstrapServers;
use crate::config::settings::Settings;
use crate::delivery::delivery::Delivery;
use crate::error::config::ConfigError;
use crate::error::send::SendError;
use crate::io::thread;
use crate::observe::log::{Line, Lines};
use crate::observe::statistics::Statistics;
use crate::record::record::{Record, TopicRef};
use crate::shared::mailbox::Command;
use crate::shared::shared::{Shared, Start};
use crate::shared::statistics;
use crate::sys::clock::Clock;
use crate::topics::entry::TopicEntry;

/// A producer: cheap to clone, usable from any thread and any executor, or from none through
/// [`blocking`](Self::blocking).
///
/// Awaiting [`send`](Self::send) means accepted; awaiting the [`Delivery`] that it returns
/// means acknowledged. The futures that send borrow the producer; what is spawned as a task of its own
/// takes a clone: `async move { producer.send_and_wait(record).await }`.
///
/// Nothing is connected before the first use. Dropping the last clone
/// detaches: a thread of its own drains what was accepted, for at most the delivery timeout, and a
/// warning says at once how many records had no verdict.
///
/// A process that ends loses every record without a verdict: `return` from `main`,
/// [`std::process::exit`], a signal and a crash wait for no thread. What was in flight may be in the
/// log or not; what was not sent yet is gone, without a trace. Only [`close`](Self::close) waits, so
/// call it before the end of `main`.
///
/// ```
/// use downpour::{Producer, Record};
/// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
/// # let bootstrap = cluster.bootstrap_servers();
///
/// # smol::block_on(async {
/// let producer = Producer::builder(bootstrap).build()?;
/// let delivery = producer.send(Record::to("events").key("user-1").value("clicked")).await?;
/// let report = delivery.await?;
/// println!("partition {} offset {:?}", report.partition(), report.offset());
/// producer.close().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Producer {
    handle: Arc<Handle>,
}

/// A producer that is bound to a topic, from [`Producer::topic`]: it has the same verbs, takes
/// [`Message`](crate::Message)s, and sends nowhere else. Its sends skip the look-up of the topic's name.
///
/// It is a [`Producer`], too: while one lives that is bound, dropping the others ends nothing.
///
/// ```
/// use downpour::{Message, Producer};
/// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
/// # let bootstrap = cluster.bootstrap_servers();
///
/// # smol::block_on(async {
/// let events = Producer::builder(bootstrap).build()?.topic("events").await?;
/// assert_eq!(events.partitions(), 3);
/// events.send_and_wait("hello").await?;
/// let delivery = events.send(Message::new().key("user-1").value("clicked")).await?;
/// println!("offset {:?}", delivery.await?.offset());
/// events.close().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TopicProducer {
    producer: Producer,
    entry: Arc<TopicEntry>,
}

impl TopicProducer {
    /// The producer that is bound.
    #[inline]
    pub fn producer(&self) -> &Producer {
        &self.producer
    }

    /// The same with verbs that block.
    pub fn blocking(&self) -> blocking::TopicProducer {
        blocking::TopicProducer {
            inner: self.clone(),
        }
    }

    #[inline]
    pub(crate) fn entry(&self) -> &Arc<TopicEntry> {
        &self.entry
    }
}

/// The future of [`Producer::topic`].
///
/// Dropped before it ended, nothing is kept but that the topic was asked for.
#[must_use = "nothing is asked before it is awaited"]
pub struct BindTopic(Pin<Box<dyn Future<Output = Result<TopicProducer, SendError>> + Send>>);

impl BindTopic {
    fn new(producer: Producer, topic: TopicRef<'static>) -> Self {
        Self(Box::pin(async move {
            let deadline = Deadline::new(producer.shared());
            let entry = door::warm_up(producer.shared(), &topic, deadline).await?;
            Ok(TopicProducer { producer, entry })
        }))
    }
}

impl Future for BindTopic {
    type Output = Result<TopicProducer, SendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for BindTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BindTopic").finish_non_exhaustive()
    }
}

/// The types of the blocking facade. They are here because each facade leads to the other; their verbs
/// are in `crate::blocking`, which is where users find them.
pub(crate) mod blocking {
    use super::{Blocking, BootstrapServers, ProducerBuilder};

    /// A producer whose verbs block, from its [`builder`](Self::builder) or from
    /// [`Producer::blocking`](crate::Producer::blocking).
    ///
    /// The latter is the same producer: both may be used at once, and closing one closes the other.
    ///
    /// ```
    /// use downpour::Record;
    /// use downpour::blocking::Producer;
    /// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
    /// # let bootstrap = cluster.bootstrap_servers();
    ///
    /// let producer = Producer::builder(bootstrap).build()?;
    /// let report = producer.send_and_wait(Record::to("events").value("clicked"))?;
    /// assert_eq!(report.offset(), Some(0));
    /// producer.close();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[derive(Clone)]
    pub struct Producer {
        pub(super) inner: super::Producer,
    }

    impl Producer {
        /// As [`Producer::builder`](crate::Producer::builder); its `build` makes a blocking producer.
        pub fn builder(bootstrap: impl Into<BootstrapServers>) -> ProducerBuilder<Blocking> {
            ProducerBuilder::start().bootstrap(bootstrap)
        }

        /// The same producer with async verbs.
        #[inline]
        pub fn as_async(&self) -> &super::Producer {
            &self.inner
        }
    }

    /// A [`TopicProducer`](crate::TopicProducer) whose verbs block, from
    /// [`Producer::topic`](crate::blocking::Producer::topic).
    ///
    /// ```
    /// use downpour::{Message, Producer};
    /// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
    /// # let bootstrap = cluster.bootstrap_servers();
    ///
    /// let producer = Producer::builder(bootstrap).build()?.blocking();
    /// let events = producer.topic("events")?;
    /// let report = events.send_and_wait(Message::new().partition(2).value("clicked"))?;
    /// assert_eq!((report.partition(), report.offset()), (2, Some(0)));
    /// events.close();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[derive(Clone)]
    pub struct TopicProducer {
        pub(super) inner: super::TopicProducer,
    }

    impl TopicProducer {
        /// The same with async verbs.
        #[inline]
        pub fn as_async(&self) -> &super::TopicProducer {
            &self.inner
        }

        /// The producer that is bound.
        pub fn producer(&self) -> Producer {
            self.inner.producer.blocking()
        }
    }
}

/// Dropped with the last clone.
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // A forked child has the memory, but not the thread: it may lock and join nothing.
        if self.shared.is_forked() || self.shared.is_closing() {
            return;
        }
        self.shared.begin_closing();
        if self.shared.is_started_or_never() {
            self.warn_of_open_records();
            self.shared.mailbox.command(Command::Detach);
        }
    }
}

impl Handle {
    /// Says how many records have no verdict yet: a process that ends now loses them.
    fn warn_of_open_records(&self) {
        let unresolved = self.shared.unresolved();
        if unresolved > 0 {
            let within = self.shared.settings.core.delivery_timeout;
            let mut lines = Lines::default();
            lines.push(Line::DroppedOpen { unresolved, within });
            lines.write();
        }
    }
}

impl ProducerBuilder {
    /// Checks the settings and makes the producer. Nothing is connected before first use.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem: values out of range, contradictions, property names
    /// that do not work.
    pub fn build(self) -> Result<Producer, ConfigError> {
        let settings = self.resolve()?;
        Ok(Producer::new(
            settings,
            Clock::default(),
            Box::new(thread::start),
        ))
    }
}

impl ProducerBuilder<Blocking> {
    /// Checks the settings and makes the producer. Nothing is connected before first use.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem, as for the async facade.
    pub fn build(self) -> Result<blocking::Producer, ConfigError> {
        let settings = self.resolve()?;
        let clock = Clock::default();
        Ok(blocking::Producer {
            inner: Producer::new(settings, clock, Box::new(thread::start)),
        })
    }
}

impl Producer {
    pub(crate) fn new(settings: Settings, clock: Clock, start: Start) -> Self {
        let shared = Shared::new(settings, clock, start);
        Self {
            handle: Arc::new(Handle { shared }),
        }
    }

    /// Describes a producer that first asks these brokers: `host:port`, several separated by
    /// commas, or as an array, a slice or a vector.
    pub fn builder(bootstrap: impl Into<BootstrapServers>) -> ProducerBuilder {
        ProducerBuilder::new().bootstrap(bootstrap)
    }

    /// The same producer with verbs that block.
    pub fn blocking(&self) -> blocking::Producer {
        blocking::Producer {
            inner: self.clone(),
        }
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// Accepts a record, and waits for metadata and memory if it must, in turn and for at most
    /// `max_block`.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    ///
    /// # Cancel safety
    /// Safe: a record whose future is dropped before it ended is not sent, and its place in
    /// the queue for memory goes to the next.
    #[inline]
    pub fn send<'a>(&'a self, record: Record<'a>) -> future::Send<'a> {
        future::Send::new(self.shared(), record)
    }

    /// Accepts a record and waits until it is acknowledged.
    ///
    /// # Errors
    /// [`ProduceError`](crate::ProduceError): not accepted, or no acknowledgement.
    ///
    /// # Cancel safety
    /// A record that was accepted stays on its way when the future is dropped.
    #[inline]
    pub fn send_and_wait<'a>(&'a self, record: Record<'a>) -> future::SendAndWait<'a> {
        future::SendAndWait::new(self.shared(), record)
    }

    /// Accepts records in order. All are checked before the first is accepted, and each may wait for
    /// `max_block`; one that waits keeps those behind it waiting, too.
    ///
    /// # Errors
    /// [`SendManyError`](crate::SendManyError) with the handles of those that were accepted; the rest is
    /// `&records[error.dispatched().len()..]`.
    ///
    /// # Cancel safety
    /// Those that were accepted stay on their way when the future is dropped, and their
    /// handles are lost; the others are not sent.
    pub fn send_many<'a>(&'a self, records: &'a [Record<'_>]) -> future::SendMany<'a> {
        future::SendMany::new(self.shared(), records)
    }

    /// Accepts records as [`send_many`](Self::send_many) does and waits until each that was accepted
    /// has its verdict. Where each one is, its handle tells without a wait.
    ///
    /// # Errors
    /// [`ProduceManyError`](crate::ProduceManyError) if a record was not accepted or not acknowledged, with the handles of all
    /// that were accepted.
    ///
    /// # Cancel safety
    /// As with [`send_many`](Self::send_many).
    pub fn send_many_and_wait<'a>(
        &'a self,
        records: &'a [Record<'_>],
    ) -> future::SendManyAndWait<'a> {
        future::SendManyAndWait::new(self.send_many(records))
    }

    /// Accepts a record if it need not wait.
    ///
    /// The first record of a topic is never accepted, while its metadata is being asked for;
    /// [`topic`](Self::topic) waits for that.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent. If the record would have to wait,
    /// [`ErrorKind::NotReady`](crate::ErrorKind::NotReady) for metadata or
    /// [`ErrorKind::BufferFull`](crate::ErrorKind::BufferFull) for memory.
    pub fn try_send(&self, record: &Record<'_>) -> Result<Delivery, SendError> {
        door::try_accept(self.shared(), record.addressed())
    }

    /// Binds the producer to a topic, and waits until that can be sent to: its metadata is here, or was.
    ///
    /// What it returns has the same verbs without a topic in each record, see [`TopicProducer`].
    ///
    /// # Errors
    /// As with [`send`](Self::send).
    ///
    /// # Cancel safety
    /// Safe: nothing is kept but that the topic was asked for.
    pub fn topic<'a>(&self, topic: impl Into<TopicRef<'a>>) -> BindTopic {
        BindTopic::new(self.clone(), topic.into().into_owned())
    }

    /// Asks the cluster now, and says what is wrong: whether a broker can be reached, tells its versions and
    /// the cluster's brokers, and, with idempotence, grants a producer id. No topic is asked for. Without
    /// it the first record asks, and waits.
    ///
    /// ```
    /// use downpour::Producer;
    /// # let cluster = downpour_fake::FakeCluster::builder().start()?;
    /// # let bootstrap = cluster.bootstrap_servers();
    ///
    /// # smol::block_on(async {
    /// Producer::builder(bootstrap).build()?.connect().await?;
    /// // Nobody listens at port 1.
    /// let error = Producer::builder("127.0.0.1:1").build()?.connect().await.unwrap_err();
    /// assert!(error.to_string().contains("127.0.0.1:1 ("), "{error}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SendError`], with what was tried and why it failed: at once when each address that was given
    /// has been tried and none could be reached, or when a broker grants no producer id; otherwise
    /// after `max_block`.
    ///
    /// # Cancel safety
    /// Safe: connections that were begun stay.
    pub fn connect(&self) -> asking::Connect {
        asking::Connect::new(self.shared())
    }

    /// How many partitions a topic has, as far as is known; asked for and waited for if nothing is, for at
    /// most `max_block`. Partitions that are added are noticed within `metadata_max_age`.
    ///
    /// ```
    /// use downpour::Producer;
    /// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
    /// # let bootstrap = cluster.bootstrap_servers();
    ///
    /// # smol::block_on(async {
    /// let producer = Producer::builder(bootstrap).build()?;
    /// assert_eq!(producer.partition_count("events").await?, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As with [`topic`](Self::topic).
    ///
    /// # Cancel safety
    /// Safe: nothing is kept but that the topic was asked for.
    pub fn partition_count<'a>(&self, topic: impl Into<TopicRef<'a>>) -> asking::PartitionCount {
        asking::PartitionCount::new(self.shared(), topic.into().into_owned())
    }

    /// Who holds each partition of a topic. The cluster is asked each time, since nothing of that is kept
    /// but the leaders; it waits for the answer for at most `max_block`.
    ///
    /// ```
    /// use downpour::Producer;
    /// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
    /// # let bootstrap = cluster.bootstrap_servers();
    ///
    /// # smol::block_on(async {
    /// let producer = Producer::builder(bootstrap).build()?;
    /// for partition in producer.partitions_for("events").await? {
    ///     if let Some(leader) = &partition.leader {
    ///         println!("{}: broker {} at {}", partition.partition, leader.id, leader.address);
    ///     }
    ///     assert_eq!(partition.in_sync_replicas, partition.replicas);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As with [`topic`](Self::topic).
    ///
    /// # Cancel safety
    /// Safe: nothing is kept but that the topic was asked for.
    pub fn partitions_for<'a>(&self, topic: impl Into<TopicRef<'a>>) -> asking::PartitionsFor {
        asking::PartitionsFor::new(self.shared(), topic.into().into_owned())
    }

    /// Sends what is waiting for more records, and waits until every record that was accepted
    /// before has its verdict. What the verdicts are, handles tell.
    ///
    /// # Cancel safety
    /// Safe: records are on their way whether somebody waits or not.
    pub fn flush(&self) -> future::Flush {
        future::Flush::new(self.shared())
    }

    /// Takes no more records and waits until all have their verdict, which the delivery
    /// timeout bounds. Clones are closed with it; closing twice does nothing.
    ///
    /// # Cancel safety
    /// Once it was polled, closing goes on when the future is dropped.
    pub fn close(&self) -> future::Close {
        future::Close::new(self.shared())
    }

    /// Takes no more records, waits for verdicts for at most this long, and hands back what
    /// was not delivered by then. The first who asks gets it. The handles of those records say the same:
    /// [`Closed`](crate::ErrorKind::Closed), with [`Written::No`](crate::Written::No) for what never left
    /// and may be sent by another producer.
    ///
    /// # Cancel safety
    /// Once it was polled, closing goes on when the future is dropped.
    pub fn close_within(&self, time: Duration) -> future::CloseWithin {
        future::CloseWithin::new(self.shared(), Some(time))
    }

    /// What it has done so far: records, batches, requests, verdicts. It keeps nobody from sending
    /// and nothing from being sent.
    pub fn statistics(&self) -> Statistics {
        statistics::collect(self.shared())
    }

    /// Bytes of `buffer_memory` that are in use: whole chunks, of records without a verdict and of
    /// batches whose delivery timeout passed while they were in flight, until their request ends.
    /// None in a forked child.
    pub fn buffered_bytes(&self) -> usize {
        if self.shared().is_forked() {
            return 0;
        }
        self.shared().memory.used()
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Producer").field(self.shared()).finish()
    }
}
