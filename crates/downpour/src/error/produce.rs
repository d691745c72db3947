//! What the verbs that send and wait can say: either of the two stages.
//!
//! The stages themselves are in `error::send` and `error::delivery`.

use std::fmt;

use downpour_core::client::connect_error::ConnectError;
use downpour_core::outcome::Written;
use downpour_wire::error_code::ErrorCode;

use crate::error::delivery::DeliveryError;
use crate::error::kind::{self, ErrorKind};
use crate::error::record::InvalidRecord;
use crate::error::send::SendError;

/// A record was not accepted, or accepted and not acknowledged: what the verbs that send and wait
/// can say.
///
/// It is made of either of both by `?`; there is no way back but by asking, because an error that came
/// after acceptance is none of acceptance. What to do on which error is on [`ErrorKind`].
#[derive(Clone)]
pub struct ProduceError(Stage);

#[derive(Clone)]
enum Stage {
    Send(SendError),
    Delivery(DeliveryError),
}

/// The same question to the error of either stage.
macro_rules! of_stage {
    ($self:ident, $error:ident => $answer:expr) => {
        match &$self.0 {
            Stage::Send($error) => $answer,
            Stage::Delivery($error) => $answer,
        }
    };
}

impl ProduceError {
    /// What went wrong, in one word.
    pub fn kind(&self) -> ErrorKind {
        of_stage!(self, error => error.kind())
    }

    /// Whether the record is in the log.
    pub fn written(&self) -> Written {
        of_stage!(self, error => error.written())
    }

    /// Whether the same record may be sent again and fare better, see
    /// [`SendError::is_retriable`] and [`DeliveryError::is_retriable`].
    pub fn is_retriable(&self) -> bool {
        of_stage!(self, error => error.is_retriable())
    }

    /// Whether the record is too large, for this producer or for the broker.
    pub fn is_too_large(&self) -> bool {
        of_stage!(self, error => error.is_too_large())
    }

    /// Whether the time was up: `max_block` before the record was accepted, its delivery timeout
    /// after that. What was in the way is the [`kind`](Self::kind), as far as it is known.
    pub fn is_timeout(&self) -> bool {
        of_stage!(self, error => error.is_timeout())
    }

    /// The code of the broker that is at the root of it, if one is.
    pub fn code(&self) -> Option<ErrorCode> {
        of_stage!(self, error => error.code())
    }

    /// Topic of the record; `None` where it was refused for a reason of its own or the producer's.
    pub fn topic(&self) -> Option<&str> {
        match &self.0 {
            Stage::Send(error) => error.topic(),
            Stage::Delivery(error) => Some(error.topic()),
        }
    }

    /// What is wrong with the record, if it was refused here for that.
    pub fn invalid_record(&self) -> Option<&InvalidRecord> {
        self.send_error()?.invalid_record()
    }

    /// Why each address that was needed and could not be reached could not.
    pub fn unreachable(&self) -> &[ConnectError] {
        of_stage!(self, error => error.unreachable())
    }

    /// The error of a record that was not accepted; `None` if it was.
    pub fn send_error(&self) -> Option<&SendError> {
        match &self.0 {
            Stage::Send(error) => Some(error),
            Stage::Delivery(_) => None,
        }
    }

    /// The error of a record that was accepted; `None` if it was not.
    pub fn delivery_error(&self) -> Option<&DeliveryError> {
        match &self.0 {
            Stage::Send(_) => None,
            Stage::Delivery(error) => Some(error),
        }
    }
}

impl From<SendError> for ProduceError {
    fn from(error: SendError) -> Self {
        Self(Stage::Send(error))
    }
}

impl From<DeliveryError> for ProduceError {
    fn from(error: DeliveryError) -> Self {
        Self(Stage::Delivery(error))
    }
}

impl fmt::Debug for ProduceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        kind::debug(f, "ProduceError", (self.kind(), self.written()), self)
    }
}

impl fmt::Display for ProduceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        of_stage!(self, error => error.fmt(f))
    }
}

impl std::error::Error for ProduceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // This type shows its part's text as its own, so the part's source comes next.
        of_stage!(self, error => std::error::Error::source(error))
    }
}
