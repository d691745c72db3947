//! Why an accepted record was not delivered, and that a wait is over without a verdict.
//!
//! Why a record was not accepted is in `error::send`.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use downpour_core::client::connect_error::ConnectError;
use downpour_core::outcome::{Cause, Failure, Written};
use downpour_core::time::Readable;
use downpour_wire::error_code::ErrorCode;

use crate::error::kind::{self, ErrorKind};
use crate::label::{self, Label};
use crate::sys::park::NoEnd;

/// An accepted record got a verdict that is no acknowledgement.
///
/// [`written`](Self::written) tells the two kinds of verdicts apart: `No` means that the record is not in
/// the log and may be sent again, `Unknown` that nobody can say and that sending it again may
/// write it twice. What was temporary has been tried again already, until the time or the retries
/// were used up; a refusal, such as `MESSAGE_TOO_LARGE`, most likely comes again. What to do on
/// which error is on [`ErrorKind`].
#[derive(Clone)]
pub struct DeliveryError {
    failure: Arc<Failure>,
    written: Written,
    label: Option<Label>,
}

impl DeliveryError {
    pub(crate) fn new(failure: Arc<Failure>, written: Written, label: Option<Label>) -> Self {
        Self {
            failure,
            written,
            label,
        }
    }

    /// What went wrong, in one word.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::of_cause(self.cause())
    }

    /// Whether the record is in the log.
    pub fn written(&self) -> Written {
        self.written
    }

    /// Whether the same record may be sent again and fare better: it is not in the log, and what was
    /// in its way was neither the record itself nor a right or a setting.
    ///
    /// False where it may be in the log, because it could be written twice then. Wait before each
    /// new try; what this says is about the record, not about how soon.
    pub fn is_retriable(&self) -> bool {
        self.written == Written::No && self.kind().may_pass()
    }

    /// Whether the broker found the record too large.
    pub fn is_too_large(&self) -> bool {
        self.kind() == ErrorKind::TooLarge
    }

    /// Whether the delivery timeout passed. What was in the way is the [`kind`](Self::kind), as far
    /// as it is known.
    pub fn is_timeout(&self) -> bool {
        matches!(self.cause(), Cause::DeliveryTimeout { .. })
    }

    /// The code of the broker that is at the root of it, if one is.
    pub fn code(&self) -> Option<ErrorCode> {
        self.cause().code()
    }

    /// The broker's own words beside its code, if it had any.
    pub fn broker_message(&self) -> Option<&str> {
        self.cause().broker_message()
    }

    /// Topic of the record.
    pub fn topic(&self) -> &str {
        &self.failure.topic
    }

    /// Partition of the record.
    pub fn partition(&self) -> i32 {
        self.failure.partition
    }

    /// The broker that was asked last, if any was.
    pub fn broker(&self) -> Option<i32> {
        self.failure.broker
    }

    /// Why the leader of the partition could not be reached, if that was in the way: one error, of the
    /// last attempt. Empty otherwise.
    pub fn unreachable(&self) -> &[ConnectError] {
        let error = self.cause().connect_error();
        error.map_or(&[], std::slice::from_ref)
    }

    /// Requests that carried the record.
    pub fn attempts(&self) -> u32 {
        self.failure.attempts
    }

    /// From the batch's creation to the verdict.
    pub fn age(&self) -> Duration {
        self.failure.age
    }

    /// What the caller put beside the record; `None` if that was nothing, or something of another
    /// type.
    pub fn label<T: Any>(&self) -> Option<&T> {
        label::as_type(self.label.as_ref())
    }

    /// What core says, for this house alone.
    pub(crate) fn cause(&self) -> &Cause {
        &self.failure.cause
    }
}

impl fmt::Debug for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        kind::debug(f, "DeliveryError", (self.kind(), self.written), self)
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.written, self.failure)
    }
}

impl std::error::Error for DeliveryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let error = self.cause().io_error()?;
        Some(error)
    }
}

/// The time to wait is over and there is no verdict yet. The record is still on its way;
/// the handle may be waited on again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitTimeout {
    waited: Duration,
    /// Nobody waited: the thread ran a callback.
    in_callback: bool,
}

impl WaitTimeout {
    pub(crate) fn new(time: Duration, why: NoEnd) -> Self {
        let in_callback = why == NoEnd::InCallback;
        Self {
            waited: if in_callback { Duration::ZERO } else { time },
            in_callback,
        }
    }

    /// How long was waited; not at all in a waker or a log subscriber that the producer calls.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

impl fmt::Display for WaitTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.in_callback {
            return Cause::InCallback.fmt(f);
        }
        write!(
            f,
            "no verdict yet after {}; the record is still on its way",
            Readable(self.waited)
        )
    }
}

impl std::error::Error for WaitTimeout {}
