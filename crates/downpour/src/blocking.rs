//! The blocking facade: the same producer with verbs that block the calling thread.
//!
//! Not for an executor's threads; there the async [`Producer`](crate::Producer) is right.

use std::fmt;
use std::time::Duration;

use crate::accept::door::accept_blocking;
use crate::delivery::deliveries::Deliveries;
use crate::delivery::delivery::Delivery;
use crate::delivery::report::Report;
use crate::error::send::{ProduceError, SendError};
use crate::record::record::Record;
use crate::record::returned::{ProduceManyError, SendManyError};
use crate::record::unfinished::Unfinished;
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
        block_on(self.as_async().topic(name))
    }

    /// Sends a record and blocks until it is acknowledged.
    ///
    /// Where brokers are so near that they answer before a thread is fast asleep and awake again,
    /// it looks for the answer for up to 100 us first, which costs less than sleeping. Where they
    /// are not, it soon gives that up.
    ///
    /// # Errors
    /// [`ProduceError`]: not accepted, or no acknowledgement.
    pub fn produce_sync(&self, record: Record<'_>) -> Result<Report, ProduceError> {
        Ok(self.produce_async(record)?.wait_at_once()?)
    }

    /// Sends a record; blocks only while there is no metadata or no memory for it, for at most
    /// `max_block`.
    ///
    /// # Errors
    /// [`SendError`]: nothing was or will be sent.
    #[inline]
    pub fn produce_async(&self, record: Record<'_>) -> Result<Delivery, SendError> {
        accept_blocking(self.as_async().shared(), &record)
    }

    /// Sends records and blocks until each that was accepted has its verdict.
    ///
    /// # Errors
    /// [`ProduceManyError`] if a record was not accepted or not acknowledged, with the handles
    /// of all that were accepted. All records are checked before the first is accepted.
    pub fn produce_many_sync<'a>(
        &self,
        records: impl IntoIterator<Item = Record<'a>>,
    ) -> Result<Deliveries, ProduceManyError<'a>> {
        match self.produce_many_async(records) {
            Ok(deliveries) => match deliveries.wait() {
                Ok(()) => Ok(deliveries),
                Err(error) => Err(ProduceManyError::Delivery { deliveries, error }),
            },
            Err(error) => {
                // Whatever was accepted has its verdict by the time of the return.
                let _ = error.accepted().wait();
                Err(ProduceManyError::Send(error))
            }
        }
    }

    /// Sends records; blocks only while there is no metadata or no memory for one.
    ///
    /// # Errors
    /// [`SendManyError`] with the handles of those that were accepted and the records that
    /// were not.
    pub fn produce_many_async<'a>(
        &self,
        records: impl IntoIterator<Item = Record<'a>>,
    ) -> Result<Deliveries, SendManyError<'a>> {
        block_on(self.as_async().send_many(records))
    }

    /// Sends what is waiting for more records, and blocks until every record that was accepted
    /// before has its verdict.
    pub fn flush(&self) {
        block_on(self.as_async().flush());
    }

    /// Takes no more records and blocks until all have their verdict, which the delivery
    /// timeout bounds.
    pub fn close(&self) {
        block_on(self.as_async().close());
    }

    /// Takes no more records, blocks for at most this long, and hands back what was not
    /// delivered by then.
    pub fn close_within(&self, time: Duration) -> Unfinished {
        block_on(self.as_async().close_within(time))
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("blocking::Producer")
            .field(self.as_async())
            .finish()
    }
}
