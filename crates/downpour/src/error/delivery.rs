//! Why an accepted record was not delivered, and that a wait is over without a verdict.
//!
//! Why a record was not accepted is in `error::send`.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use downpour_core::errors::{self, Reaction};
use downpour_core::outcome::{Cause, Failure, Written};
use downpour_core::time::Readable;
use downpour_wire::error_code::ErrorCode;

use crate::label::{self, Label};
use crate::sys::park::NoEnd;

/// An accepted record got a verdict that is no acknowledgement.
///
/// [`written`](Self::written) tells the two kinds apart: `No` means that the record is not in
/// the log and may be sent again, `Unknown` that nobody can say and that sending it again may
/// write it twice. What was temporary has been tried again already, until the time or the retries
/// were used up; a refusal, such as `MESSAGE_TOO_LARGE`, most likely comes again. The [`cause`](Self::cause)
/// tells which it was.
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
        self.written == Written::No && may_pass(self.cause())
    }

    /// The root cause.
    pub fn cause(&self) -> &Cause {
        &self.failure.cause
    }

    /// The code of the broker that is at the root of it, if one is.
    pub fn code(&self) -> Option<ErrorCode> {
        self.failure.cause.code()
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
}

/// Whether what was in a record's way may be gone another time.
fn may_pass(cause: &Cause) -> bool {
    match cause {
        Cause::Broker { code, .. } => matches!(
            errors::produce(*code).reaction,
            Reaction::Retry | Reaction::OutOfOrder | Reaction::IdentityLost
        ),
        Cause::SiblingRefused
        | Cause::Unreachable { .. }
        | Cause::Disconnected { .. }
        | Cause::Unanswered { .. }
        | Cause::DeliveryTimeout { .. }
        | Cause::EpochLost { .. }
        | Cause::TooOldToRetry { .. }
        | Cause::NoIdentity { .. } => true,
        // Also what is added later, until it is decided here.
        _ => false,
    }
}

impl fmt::Debug for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryError")
            .field("written", &self.written)
            .field("failure", &self.failure)
            .field("label", &self.label.is_some())
            .finish()
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.written {
            Written::No => "not written: ",
            _ => "maybe written: ",
        })?;
        self.failure.fmt(f)
    }
}

impl std::error::Error for DeliveryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let error = self.cause().connect_error()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(cause: Cause, written: Written) -> DeliveryError {
        let failure = Failure::new(cause, Arc::from("t"), 0);
        DeliveryError::new(Arc::new(failure), written, None)
    }

    fn is_retriable(cause: Cause) -> bool {
        let unknown = error(cause.clone(), Written::Unknown);
        assert!(
            !unknown.is_retriable(),
            "it could be written twice: {cause}"
        );
        error(cause, Written::No).is_retriable()
    }

    #[test]
    fn what_may_pass_may_be_sent_again() {
        let timeout = Cause::DeliveryTimeout {
            last: None,
            waiting_for: downpour_core::outcome::WaitingFor::Turn,
        };
        for cause in [
            timeout,
            Cause::SiblingRefused,
            Cause::broker(ErrorCode::NOT_ENOUGH_REPLICAS),
            Cause::broker(ErrorCode::NOT_LEADER_OR_FOLLOWER),
            Cause::broker(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER),
        ] {
            assert!(is_retriable(cause.clone()), "{cause}");
        }
    }

    #[test]
    fn what_the_record_or_a_right_is_at_fault_for_stays_as_it_is() {
        for cause in [
            Cause::broker(ErrorCode::MESSAGE_TOO_LARGE),
            Cause::broker(ErrorCode::INVALID_RECORD),
            Cause::broker(ErrorCode::TOPIC_AUTHORIZATION_FAILED),
            Cause::Closed { last: None },
            Cause::InCallback,
        ] {
            assert!(!is_retriable(cause.clone()), "{cause}");
        }
    }
}
