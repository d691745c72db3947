//! Errors of verbs that take many records: with the handles of those that were accepted.
//!
//! Why a record was not accepted or not delivered is in `error`.

use std::fmt;

use crate::delivery::deliveries::Deliveries;
use crate::error::delivery::DeliveryError;
use crate::error::kind::ErrorKind;
use crate::error::produce::ProduceError;
use crate::error::send::SendError;

/// Not all records of a call were accepted. What was accepted is on its way.
///
/// The rest is what was given without as many as [`dispatched`](Self::dispatched) has:
///
/// ```
/// use downpour::{Producer, Record};
/// # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
/// # let bootstrap = cluster.bootstrap_servers();
///
/// let producer = Producer::builder(bootstrap).build()?.blocking();
/// let records = ["one", "two"].map(|line| Record::to("events").value(line));
/// if let Err(error) = producer.send_many(&records) {
///     let rest = &records[error.dispatched().len()..];
///     eprintln!("{error}; to be sent again: {rest:?}");
/// }
/// # producer.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It becomes a [`ProduceManyError`] by `?`, and no [`SendError`]: that one says that nothing was sent.
#[derive(Clone)]
pub struct SendManyError(Box<Partly<SendError>>);

/// What `send_many_and_wait` can say: not all records were accepted, or not all were acknowledged.
/// All that were accepted have their verdicts.
///
/// It becomes no [`ProduceError`] by itself, which would forget those that were delivered.
#[derive(Clone)]
pub struct ProduceManyError(Box<Partly<ProduceError>>);

#[derive(Clone)]
struct Partly<E> {
    dispatched: Deliveries,
    index: usize,
    error: E,
}

impl SendManyError {
    pub(crate) fn new(dispatched: Deliveries, index: usize, error: SendError) -> Self {
        Self(Box::new(Partly {
            dispatched,
            index,
            error,
        }))
    }

    /// The handles of those that were accepted, from the first on. None were if a record is
    /// invalid: all are checked before the first is accepted.
    pub fn dispatched(&self) -> &Deliveries {
        &self.0.dispatched
    }

    /// The same, for keeping.
    pub fn into_dispatched(self) -> Deliveries {
        self.0.dispatched
    }

    /// Which record the error is about: its place in what was given.
    pub fn index(&self) -> usize {
        self.0.index
    }

    /// What went wrong with that record, in one word: the kind of [`error`](Self::error).
    pub fn kind(&self) -> ErrorKind {
        self.error().kind()
    }

    /// Why that record was not accepted.
    pub fn error(&self) -> &SendError {
        &self.0.error
    }
}

impl ProduceManyError {
    /// All were accepted, and the one in this place was not acknowledged.
    pub(crate) fn undelivered(dispatched: Deliveries, error: DeliveryError) -> Self {
        let mut reports = dispatched.reports();
        let index = reports.position(|ended| matches!(ended, Some(Err(_))));
        Self(Box::new(Partly {
            index: index.unwrap_or_default(),
            dispatched,
            error: error.into(),
        }))
    }

    /// The handles of all that were accepted, from the first on. Every one has its verdict.
    pub fn dispatched(&self) -> &Deliveries {
        &self.0.dispatched
    }

    /// The same, for keeping.
    pub fn into_dispatched(self) -> Deliveries {
        self.0.dispatched
    }

    /// Which record the error is about: its place in what was given. If it was not accepted, those
    /// before it may have failed as well.
    pub fn index(&self) -> usize {
        self.0.index
    }

    /// What went wrong with that record, in one word: the kind of [`error`](Self::error).
    pub fn kind(&self) -> ErrorKind {
        self.error().kind()
    }

    /// Why that record was not accepted, or not acknowledged.
    pub fn error(&self) -> &ProduceError {
        &self.0.error
    }
}

impl From<SendManyError> for ProduceManyError {
    fn from(error: SendManyError) -> Self {
        let Partly {
            dispatched,
            index,
            error,
        } = *error.0;
        Self(Box::new(Partly {
            dispatched,
            index,
            error: error.into(),
        }))
    }
}

/// As `Debug` of the error of one record, with what is of many beside it.
fn debug(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    (kind, index, dispatched): (ErrorKind, usize, &Deliveries),
    text: &dyn fmt::Display,
) -> fmt::Result {
    let dispatched = dispatched.len();
    write!(
        f,
        "{name} {{ kind: {kind:?}, index: {index}, dispatched: {dispatched} }}: {text}"
    )
}

impl fmt::Debug for SendManyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_many = (self.kind(), self.index(), self.dispatched());
        debug(f, "SendManyError", of_many, self)
    }
}

impl fmt::Debug for ProduceManyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_many = (self.kind(), self.index(), self.dispatched());
        debug(f, "ProduceManyError", of_many, self)
    }
}

impl fmt::Display for SendManyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Partly {
            dispatched,
            index,
            error,
        } = &*self.0;
        let accepted = dispatched.len();
        write!(f, "{accepted} accepted, records[{index}] was not: {error}")
    }
}

impl fmt::Display for ProduceManyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Partly {
            dispatched,
            index,
            error,
        } = &*self.0;
        let accepted = dispatched.len();
        if error.send_error().is_some() {
            write!(f, "{accepted} accepted, records[{index}] was not: {error}")
        } else {
            write!(f, "records[{index}] was not delivered: {error}")
        }
    }
}

impl std::error::Error for SendManyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The text has the error's own, so what that was caused by comes next.
        std::error::Error::source(&self.0.error)
    }
}

impl std::error::Error for ProduceManyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0.error)
    }
}
