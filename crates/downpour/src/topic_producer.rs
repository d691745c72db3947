//! The verbs of a producer that is bound to a topic.
//!
//! Its type is in `producer`, which makes it, its blocking twin's verbs are in `blocking`; what a topic
//! is without a producer is in `topic`.

use std::fmt;
use std::time::Duration;

use crate::accept::door;
use crate::accept::futures as future;
use crate::delivery::delivery::Delivery;
use crate::error::send::SendError;
use crate::producer::TopicProducer;
use crate::record::message::Message;
use crate::record::record::{Addressed, TopicRef};

impl TopicProducer {
    /// The topic's name.
    pub fn name(&self) -> &str {
        self.entry().name()
    }

    /// How many partitions it has, as far as was told last: in the last refresh that named it, or, if
    /// nobody has sent to it for [`metadata_max_idle`](crate::ProducerBuilder::metadata_max_idle), in
    /// the last one before.
    pub fn partitions(&self) -> u32 {
        self.entry().partitions.counted_last()
    }

    #[inline]
    fn topic(&self) -> TopicRef<'_> {
        TopicRef::known(self.entry())
    }

    /// As [`Producer::send`](crate::Producer::send).
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    ///
    /// # Cancel safety
    /// As with [`Producer::send`](crate::Producer::send).
    #[inline(always)]
    pub fn send<'a>(&'a self, message: impl Into<Message<'a>>) -> future::Send<'a> {
        self.producer().send(message.into().to(self))
    }

    /// As [`Producer::send_and_wait`](crate::Producer::send_and_wait).
    ///
    /// # Errors
    /// [`ProduceError`](crate::ProduceError): not accepted, or no acknowledgement.
    ///
    /// # Cancel safety
    /// As with [`Producer::send_and_wait`](crate::Producer::send_and_wait).
    #[inline(always)]
    pub fn send_and_wait<'a>(&'a self, message: impl Into<Message<'a>>) -> future::SendAndWait<'a> {
        self.producer().send_and_wait(message.into().to(self))
    }

    /// As [`Producer::send_many`](crate::Producer::send_many).
    ///
    /// # Errors
    /// [`SendManyError`](crate::SendManyError) with the handles of those that were accepted; the rest is
    /// `&messages[error.dispatched().len()..]`.
    ///
    /// # Cancel safety
    /// As with [`Producer::send_many`](crate::Producer::send_many).
    pub fn send_many<'a>(&'a self, messages: &'a [Message<'_>]) -> future::SendMany<'a> {
        future::SendMany::to(self.producer().shared(), self.topic(), messages)
    }

    /// As [`Producer::send_many_and_wait`](crate::Producer::send_many_and_wait).
    ///
    /// # Errors
    /// [`ProduceManyError`](crate::ProduceManyError) if a message was not accepted or not acknowledged, with the handles of
    /// all that were accepted.
    ///
    /// # Cancel safety
    /// As with [`Producer::send_many`](crate::Producer::send_many).
    pub fn send_many_and_wait<'a>(
        &'a self,
        messages: &'a [Message<'_>],
    ) -> future::SendManyAndWait<'a> {
        future::SendManyAndWait::new(self.send_many(messages))
    }

    /// As [`Producer::try_send`](crate::Producer::try_send). The topic's metadata is here, unless nobody
    /// has sent to it for [`metadata_max_idle`](crate::ProducerBuilder::metadata_max_idle). The message
    /// stays with the caller; what is only a value goes as `&"hello".into()`.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent. [`BufferFull`](crate::ErrorKind::BufferFull) if the message
    /// would have to wait for memory, [`NotReady`](crate::ErrorKind::NotReady) for metadata, which is
    /// asked for.
    pub fn try_send(&self, message: &Message<'_>) -> Result<Delivery, SendError> {
        let topic = &self.topic();
        door::try_accept(self.producer().shared(), Addressed { topic, message })
    }

    /// As [`Producer::flush`](crate::Producer::flush): records of other topics are flushed, too.
    ///
    /// # Cancel safety
    /// As with [`Producer::flush`](crate::Producer::flush).
    pub fn flush(&self) -> future::Flush {
        self.producer().flush()
    }

    /// As [`Producer::close`](crate::Producer::close): it closes the producer, not the topic alone.
    ///
    /// # Cancel safety
    /// As with [`Producer::close`](crate::Producer::close).
    pub fn close(&self) -> future::Close {
        self.producer().close()
    }

    /// As [`Producer::close_within`](crate::Producer::close_within): it closes the producer, not the
    /// topic alone.
    ///
    /// # Cancel safety
    /// As with [`Producer::close_within`](crate::Producer::close_within).
    pub fn close_within(&self, time: Duration) -> future::CloseWithin {
        self.producer().close_within(time)
    }
}

impl<'a> From<&'a TopicProducer> for TopicRef<'a> {
    #[inline]
    fn from(topic: &'a TopicProducer) -> Self {
        topic.topic()
    }
}

impl fmt::Debug for TopicProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicProducer")
            .field("name", &self.name())
            .field("partitions", &self.partitions())
            .finish_non_exhaustive()
    }
}
