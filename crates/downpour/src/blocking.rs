//! The blocking facade: the same producer with verbs that block the calling thread.
//!
//! Not for an executor's threads; there the async [`Producer`](crate::Producer) is right. Nor
//! for the wakers, log subscribers and drops of labels that a producer calls: a verb that would
//! have to wait there refuses, or goes on without its caller, and says so.

use std::fmt;
use std::time::Duration;

use crate::accept::{door, many};
use crate::delivery::deliveries::Deliveries;
use crate::delivery::delivery::Delivery;
use crate::delivery::many::{ProduceManyError, SendManyError};
use crate::delivery::report::Report;
use crate::error::produce::ProduceError;
use crate::error::send::{NotSent, SendError};
use crate::observe::statistics::Statistics;
use crate::record::record::Record;
use crate::record::unfinished::Unfinished;
use crate::sys::callback;
use crate::sys::park::block_on;
use crate::topic::Topic;

pub use crate::producer::blocking::Producer;

impl Producer {
    /// Blocks until a topic can be sent to, for at most `max_block`, and returns a handle that
    /// spares every record the look-up of its name.
    ///
    /// # Errors
    /// [`SendError`] as of a record to that topic.
    pub fn topic(&self, name: &str) -> Result<Topic, SendError> {
        let topic = block_on(self.as_async().topic(name));
        topic.unwrap_or_else(|| Err(SendError::new(NotSent::InCallback)))
    }

    /// Accepts a record; blocks only while there is no metadata or no memory for it, in turn and for
    /// at most `max_block`.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    #[inline]
    pub fn send(&self, record: Record<'_>) -> Result<Delivery, SendError> {
        door::accept_blocking(self.as_async().shared(), &record)
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
        if callback::is_running() {
            // Not accepted and then left: whoever calls this wants to know how it ended.
            return Err(SendError::new(NotSent::InCallback).into());
        }
        Ok(self.send(record)?.wait_at_once()?)
    }

    /// Accepts records in order; blocks only while there is no metadata or no memory for one. All are
    /// checked before the first is accepted.
    ///
    /// # Errors
    /// [`SendManyError`] with the handles of those that were accepted; the rest is
    /// `&records[error.dispatched().len()..]`.
    pub fn send_many(&self, records: &[Record<'_>]) -> Result<Deliveries, SendManyError> {
        let shared = self.as_async().shared();
        let may_wait = !callback::is_running();
        match block_on(many::accept_many(shared, records, may_wait)) {
            Some(accepted) => accepted,
            None => unreachable!("in a callback it refuses what would have to wait"),
        }
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
        if callback::is_running() {
            let refused = SendManyError::new(
                Deliveries::default(),
                0,
                SendError::new(NotSent::InCallback),
            );
            return Err(refused.into());
        }
        let sent = self.send_many(records);
        // Whatever was accepted has its verdict by the time of the return.
        let ended = many::dispatched(&sent).wait();
        many::judge(sent, ended)
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
    /// delivered by then. Where [`close`](Self::close) does not block, it hands back nothing; who
    /// closes again elsewhere gets it.
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
