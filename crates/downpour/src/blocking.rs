//! The blocking facade: the same producer with verbs that block the calling thread.
//!
//! Not for an executor's threads; there the async [`Producer`](crate::Producer) is right. Nor
//! for the wakers, log subscribers and drops of labels that a producer calls: a verb that would
//! have to wait there refuses, or goes on without its caller, and says so.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use downpour_core::client::partition_info::PartitionInfo;

use crate::accept::{door, many};
use crate::delivery::deliveries::Deliveries;
use crate::delivery::delivery::Delivery;
use crate::delivery::many::{ProduceManyError, SendManyError};
use crate::delivery::report::Report;
use crate::error::produce::ProduceError;
use crate::error::send::{NotSent, SendError};
use crate::observe::statistics::Statistics;
use crate::record::message::Message;
use crate::record::record::{Addressed, Record, TopicRef};
use crate::record::unfinished::Unfinished;
use crate::shared::shared::Shared;
use crate::sys::callback;
use crate::sys::park::block_on;

pub use crate::producer::blocking::{Producer, TopicProducer};

impl Producer {
    /// Binds the producer to a topic, and blocks until that can be sent to, for at most `max_block`.
    ///
    /// What it returns has the same verbs without a topic in each record, see
    /// [`TopicProducer`](crate::TopicProducer).
    ///
    /// # Errors
    /// [`SendError`] as of a record to that topic.
    pub fn topic<'a>(&self, topic: impl Into<TopicRef<'a>>) -> Result<TopicProducer, SendError> {
        let bound = block_on(self.as_async().topic(topic));
        let bound = bound.unwrap_or_else(|| Err(SendError::new(NotSent::InCallback)))?;
        Ok(bound.blocking())
    }

    /// Asks the cluster now, blocks for its answer, and says what is wrong, as
    /// [`Producer::connect`](crate::Producer::connect).
    ///
    /// # Errors
    /// [`SendError`], with what was tried and why it failed: at once when each address that was given
    /// has been tried and none could be reached, or when a broker grants no producer id; otherwise
    /// after `max_block`.
    pub fn connect(&self) -> Result<(), SendError> {
        block_on(self.as_async().connect())
            .unwrap_or_else(|| Err(SendError::new(NotSent::InCallback)))
    }

    /// How many partitions a topic has, as far as is known; asked for if nothing is, which blocks for at
    /// most `max_block`.
    ///
    /// # Errors
    /// As with [`topic`](Self::topic).
    pub fn partition_count<'a>(&self, topic: impl Into<TopicRef<'a>>) -> Result<u32, SendError> {
        let count = block_on(self.as_async().partition_count(topic));
        count.unwrap_or_else(|| Err(SendError::new(NotSent::InCallback)))
    }

    /// Who holds each partition of a topic. The cluster is asked each time, which blocks for at most
    /// `max_block`.
    ///
    /// # Errors
    /// As with [`topic`](Self::topic).
    pub fn partitions_for<'a>(
        &self,
        topic: impl Into<TopicRef<'a>>,
    ) -> Result<Vec<PartitionInfo>, SendError> {
        let partitions = block_on(self.as_async().partitions_for(topic));
        partitions.unwrap_or_else(|| Err(SendError::new(NotSent::InCallback)))
    }

    /// Accepts a record; blocks only while there is no metadata or no memory for it, in turn and for
    /// at most `max_block`.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    #[inline]
    pub fn send(&self, record: Record<'_>) -> Result<Delivery, SendError> {
        door::accept_blocking(self.as_async().shared(), record.addressed())
    }

    /// Accepts a record and blocks until it is acknowledged.
    ///
    /// Where brokers are so near that they answer before a thread is fast asleep and awake again,
    /// it looks for the answer for up to 100 us first, which costs less than sleeping. Where they
    /// are not, it soon gives that up.
    ///
    /// # Errors
    /// [`ProduceError`]: not accepted, or no acknowledgement.
    pub fn send_and_wait(&self, record: Record<'_>) -> Result<Report, ProduceError> {
        wait_for(|| self.send(record))
    }

    /// Accepts records in order; blocks only while there is no metadata or no memory for one. All are
    /// checked before the first is accepted.
    ///
    /// # Errors
    /// [`SendManyError`] with the handles of those that were accepted; the rest is
    /// `&records[error.dispatched().len()..]`.
    pub fn send_many(&self, records: &[Record<'_>]) -> Result<Deliveries, SendManyError> {
        many::accept_many_blocking(self.as_async().shared(), records)
    }

    /// Accepts records and blocks until each that was accepted has its verdict. Where each one is,
    /// its handle tells without a wait.
    ///
    /// # Errors
    /// [`ProduceManyError`] if a record was not accepted or not acknowledged, with the handles
    /// of all that were accepted. All records are checked before the first is accepted.
    pub fn send_many_and_wait(
        &self,
        records: &[Record<'_>],
    ) -> Result<Deliveries, ProduceManyError> {
        many::wait_for_many(|| self.send_many(records))
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
        self.as_async().try_send(record)
    }

    /// [`send_and_wait`](Self::send_and_wait) under the name that it has in WaterDrop.
    ///
    /// # Errors
    /// [`ProduceError`]: not accepted, or no acknowledgement.
    pub fn produce_sync(&self, record: Record<'_>) -> Result<Report, ProduceError> {
        self.send_and_wait(record)
    }

    /// [`send`](Self::send) under the name that it has in WaterDrop.
    ///
    /// It is no `async fn`: it returns once the record is accepted, with a handle that can be waited
    /// on and awaited. It blocks only where [`send`](Self::send) does: for the first metadata of the
    /// topic, and for memory if `buffer_memory` is full, for at most `max_block`.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    #[inline]
    pub fn produce_async(&self, record: Record<'_>) -> Result<Delivery, SendError> {
        self.send(record)
    }

    /// [`send_many_and_wait`](Self::send_many_and_wait) under the name that it has in WaterDrop.
    ///
    /// # Errors
    /// [`ProduceManyError`] if a record was not accepted or not acknowledged.
    pub fn produce_many_sync(
        &self,
        records: &[Record<'_>],
    ) -> Result<Deliveries, ProduceManyError> {
        self.send_many_and_wait(records)
    }

    /// [`send_many`](Self::send_many) under the name that it has in WaterDrop. It is no `async fn`,
    /// as [`produce_async`](Self::produce_async) is none.
    ///
    /// # Errors
    /// [`SendManyError`] if a record was not accepted.
    pub fn produce_many_async(&self, records: &[Record<'_>]) -> Result<Deliveries, SendManyError> {
        self.send_many(records)
    }

    /// Sends what is waiting for more records, and blocks until every record that was accepted
    /// before has its verdict.
    pub fn flush(&self) {
        if block_on(self.as_async().flush()).is_none() {
            say_no_wait("flush");
        }
    }

    /// Takes no more records and blocks until all have their verdict, which the delivery
    /// timeout bounds.
    ///
    /// In a waker, a log subscriber or a label's drop that the producer calls it does not block:
    /// the producer ends on its own, and an error line says so.
    pub fn close(&self) {
        if block_on(self.as_async().close()).is_none() {
            say_no_wait("close");
        }
    }

    /// Takes no more records, blocks for at most this long, and hands back what was not
    /// delivered by then, as [`Producer::close_within`](crate::Producer::close_within). Where
    /// [`close`](Self::close) does not block, it hands back nothing; who closes again elsewhere gets it.
    pub fn close_within(&self, time: Duration) -> Unfinished {
        block_on(self.as_async().close_within(time)).unwrap_or_else(|| {
            say_no_wait("close_within");
            Unfinished::default()
        })
    }

    /// As [`Producer::statistics`](crate::Producer::statistics).
    pub fn statistics(&self) -> Statistics {
        self.as_async().statistics()
    }

    /// As [`Producer::buffered_bytes`](crate::Producer::buffered_bytes).
    pub fn buffered_bytes(&self) -> usize {
        self.as_async().buffered_bytes()
    }
}

impl TopicProducer {
    /// The topic's name.
    pub fn name(&self) -> &str {
        self.as_async().name()
    }

    /// How many partitions it has, as far as is known now.
    pub fn partitions(&self) -> u32 {
        self.as_async().partitions()
    }

    #[inline]
    fn shared(&self) -> &Arc<Shared> {
        self.as_async().producer().shared()
    }

    /// As [`Producer::send`].
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    #[inline(always)]
    pub fn send<'a>(&self, message: impl Into<Message<'a>>) -> Result<Delivery, SendError> {
        self.accept(message.into())
    }

    /// Apart from the conversion, which would copy what is a message already.
    #[inline]
    fn accept(&self, message: Message<'_>) -> Result<Delivery, SendError> {
        let (topic, message) = (&TopicRef::from(self), &message);
        door::accept_blocking(self.shared(), Addressed { topic, message })
    }

    /// As [`Producer::send_and_wait`].
    ///
    /// # Errors
    /// [`ProduceError`]: not accepted, or no acknowledgement.
    pub fn send_and_wait<'a>(
        &self,
        message: impl Into<Message<'a>>,
    ) -> Result<Report, ProduceError> {
        wait_for(|| self.send(message))
    }

    /// As [`Producer::send_many`].
    ///
    /// # Errors
    /// [`SendManyError`] with the handles of those that were accepted; the rest is
    /// `&messages[error.dispatched().len()..]`.
    pub fn send_many(&self, messages: &[Message<'_>]) -> Result<Deliveries, SendManyError> {
        many::accept_many_blocking(self.shared(), (&TopicRef::from(self), messages))
    }

    /// As [`Producer::send_many_and_wait`].
    ///
    /// # Errors
    /// [`ProduceManyError`] if a message was not accepted or not acknowledged, with the handles of
    /// all that were accepted.
    pub fn send_many_and_wait(
        &self,
        messages: &[Message<'_>],
    ) -> Result<Deliveries, ProduceManyError> {
        many::wait_for_many(|| self.send_many(messages))
    }

    /// As [`Producer::try_send`]. The topic's metadata is here. The message stays
    /// with the caller; what is only a value goes as `&"hello".into()`.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent. [`BufferFull`](crate::ErrorKind::BufferFull) if the message
    /// would have to wait for memory.
    pub fn try_send(&self, message: &Message<'_>) -> Result<Delivery, SendError> {
        self.as_async().try_send(message)
    }

    /// [`send_and_wait`](Self::send_and_wait) under the name that it has in WaterDrop.
    ///
    /// # Errors
    /// [`ProduceError`]: not accepted, or no acknowledgement.
    pub fn produce_sync<'a>(
        &self,
        message: impl Into<Message<'a>>,
    ) -> Result<Report, ProduceError> {
        self.send_and_wait(message)
    }

    /// [`send`](Self::send) under the name that it has in WaterDrop. It is no `async fn`, see
    /// [`Producer::produce_async`].
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    #[inline]
    pub fn produce_async<'a>(
        &self,
        message: impl Into<Message<'a>>,
    ) -> Result<Delivery, SendError> {
        self.send(message)
    }

    /// [`send_many_and_wait`](Self::send_many_and_wait) under the name that it has in WaterDrop.
    ///
    /// # Errors
    /// [`ProduceManyError`] if a message was not accepted or not acknowledged.
    pub fn produce_many_sync(
        &self,
        messages: &[Message<'_>],
    ) -> Result<Deliveries, ProduceManyError> {
        self.send_many_and_wait(messages)
    }

    /// [`send_many`](Self::send_many) under the name that it has in WaterDrop. It is no `async fn`.
    ///
    /// # Errors
    /// [`SendManyError`] if a message was not accepted.
    pub fn produce_many_async(
        &self,
        messages: &[Message<'_>],
    ) -> Result<Deliveries, SendManyError> {
        self.send_many(messages)
    }

    /// As [`Producer::flush`]: records of other topics are flushed, too.
    pub fn flush(&self) {
        self.producer().flush();
    }

    /// As [`Producer::close`]: it closes the producer, not the topic alone.
    pub fn close(&self) {
        self.producer().close();
    }

    /// As [`Producer::close_within`]: it closes the producer, not the topic alone.
    pub fn close_within(&self, time: Duration) -> Unfinished {
        self.producer().close_within(time)
    }
}

impl<'a> From<&'a TopicProducer> for TopicRef<'a> {
    #[inline]
    fn from(topic: &'a TopicProducer) -> Self {
        topic.as_async().into()
    }
}

/// Accepts a record by `send`, and waits for its verdict.
fn wait_for(send: impl FnOnce() -> Result<Delivery, SendError>) -> Result<Report, ProduceError> {
    if callback::is_running() {
        // Not accepted and then left: whoever calls this wants to know how it ended.
        return Err(SendError::new(NotSent::InCallback).into());
    }
    Ok(send()?.wait_at_once()?)
}

/// Says that a verb has begun what it does, and returns before the end of it.
#[cold]
fn say_no_wait(verb: &str) {
    callback::say(|| {
        tracing::error!(
            verb,
            "called in a waker, a log subscriber or a drop that the producer called, where nobody \
             may wait: it goes on without its caller"
        );
    });
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("blocking::Producer")
            .field(self.as_async())
            .finish()
    }
}

impl fmt::Debug for TopicProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("blocking::TopicProducer")
            .field(self.as_async())
            .finish()
    }
}
