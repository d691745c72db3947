//! Errors that give back what was not accepted, the records, or the handles of what was.
//!
//! Why it was not accepted is in `error`.

use std::fmt;

use crate::delivery::deliveries::Deliveries;
use crate::error::delivery::DeliveryError;
use crate::error::send::SendError;
use crate::record::record::Record;

/// `try_send` could not accept a record and gives it back.
#[derive(Debug)]
pub struct TrySendError<'a> {
    pub(crate) record: Record<'a>,
    pub(crate) reason: SendError,
}

impl<'a> TrySendError<'a> {
    /// The record, unchanged.
    pub fn into_record(self) -> Record<'a> {
        self.record
    }

    /// The record and the reason.
    pub fn into_parts(self) -> (Record<'a>, SendError) {
        (self.record, self.reason)
    }

    /// Why it was not accepted.
    pub fn reason(&self) -> &SendError {
        &self.reason
    }
}

impl fmt::Display for TrySendError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for TrySendError<'_> {}

/// Not all records of a `send_many` were accepted. What was accepted is on its way.
#[derive(Debug)]
pub struct SendManyError<'a>(Box<Partly<'a>>);

#[derive(Debug)]
struct Partly<'a> {
    accepted: Deliveries,
    rest: Vec<Record<'a>>,
    at: usize,
    reason: SendError,
}

impl<'a> SendManyError<'a> {
    /// `at` is the place of the refused record among the rest.
    pub(crate) fn new(
        accepted: Deliveries,
        rest: Vec<Record<'a>>,
        at: usize,
        reason: SendError,
    ) -> Self {
        Self(Box::new(Partly {
            accepted,
            rest,
            at,
            reason,
        }))
    }

    /// The handles of those that were accepted, from the first on. None were if a record is
    /// invalid: all are checked before the first is accepted.
    pub fn accepted(&self) -> &Deliveries {
        &self.0.accepted
    }

    /// The record that the reason is about.
    pub fn record(&self) -> Option<&Record<'a>> {
        self.0.rest.get(self.0.at)
    }

    /// Why it was not accepted.
    pub fn reason(&self) -> &SendError {
        &self.0.reason
    }

    /// The handles of those that were accepted, and the records that were not.
    pub fn into_parts(self) -> (Deliveries, Vec<Record<'a>>, SendError) {
        (self.0.accepted, self.0.rest, self.0.reason)
    }
}

impl fmt::Display for SendManyError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (accepted, rest) = (self.0.accepted.len(), self.0.rest.len());
        let reason = &self.0.reason;
        write!(
            f,
            "{accepted} records were accepted and {rest} were not: {reason}"
        )
    }
}

impl std::error::Error for SendManyError<'_> {}

/// What the blocking `produce_many_sync` can say.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProduceManyError<'a> {
    /// Not all were accepted; those that were have their verdicts.
    Send(SendManyError<'a>),
    /// All were accepted and have their verdicts; at least one was not acknowledged.
    Delivery {
        /// The handles of all.
        deliveries: Deliveries,
        /// The first error in the records' order.
        error: DeliveryError,
    },
}

impl ProduceManyError<'_> {
    /// The handles of all that were accepted; every one has its verdict.
    pub fn dispatched(&self) -> &Deliveries {
        match self {
            Self::Send(error) => error.accepted(),
            Self::Delivery { deliveries, .. } => deliveries,
        }
    }
}

impl fmt::Display for ProduceManyError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(error) => error.fmt(f),
            Self::Delivery { error, .. } => {
                write!(f, "not all records were delivered, the first: {error}")
            }
        }
    }
}

impl std::error::Error for ProduceManyError<'_> {}
