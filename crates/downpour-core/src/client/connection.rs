//! One connection from connect to its end: versions, requests in order, timeouts, throttling.
//!
//! Holds what was asked and not answered; the meaning of an answer is the engine's matter.
//! *Invariant:* answers come in the order of their requests; anything else ends the connection.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use downpour_wire::error::DecodeError;
use downpour_wire::header::{decode_response_header, response_header_is_flexible};
use downpour_wire::messages::ApiKey;
use downpour_wire::primitives::Reader;

use crate::client::versions::Versions;
use crate::config::Address;
use crate::ids::ConnectionId;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The socket is being opened.
    Connecting,
    /// The broker was asked which versions it speaks.
    Negotiating,
    /// Requests may be sent.
    Ready,
}

/// A request without an answer. `P` is what the engine remembers of it.
#[derive(Debug)]
pub(crate) struct Pending<P> {
    pub(crate) correlation_id: i32,
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    pub(crate) sent_at: Instant,
    /// Bytes that have left on this connection once the request is out.
    pub(crate) ends_at: u64,
    pub(crate) purpose: P,
}

/// Why an answer was not understood; the connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProtocolError {
    Decode(DecodeError),
    Unasked { correlation_id: i32 },
    OutOfOrder { expected: i32, got: i32 },
}

impl std::fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decode(error) => write!(f, "an answer could not be read: {error}"),
            Self::Unasked { correlation_id } => {
                write!(f, "an answer to nothing (correlation id {correlation_id})")
            }
            Self::OutOfOrder { expected, got } => {
                write!(
                    f,
                    "an answer out of order (correlation id {got} instead of {expected})"
                )
            }
        }
    }
}

impl From<DecodeError> for ProtocolError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection<P> {
    pub(crate) id: ConnectionId,
    pub(crate) address: Address,
    /// `None` while bootstrapping.
    pub(crate) broker: Option<i32>,
    pub(crate) stage: Stage,
    pub(crate) versions: Versions,
    pub(crate) pending: VecDeque<Pending<P>>,
    /// Requests that nobody answers (acks=0), until they are on the socket.
    pub(crate) unanswered: VecDeque<Pending<P>>,
    pub(crate) throttled_until: Option<Instant>,
    opened_at: Instant,
    last_used: Instant,
    next_correlation_id: i32,
    queued: u64,
    written: u64,
}

impl<P> Connection<P> {
    pub(crate) fn new(
        id: ConnectionId,
        address: Address,
        broker: Option<i32>,
        now: Instant,
    ) -> Self {
        Self {
            id,
            address,
            broker,
            stage: Stage::Connecting,
            versions: Versions::default(),
            pending: VecDeque::new(),
            unanswered: VecDeque::new(),
            throttled_until: None,
            opened_at: now,
            last_used: now,
            next_correlation_id: 0,
            queued: 0,
            written: 0,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// The id that the next request carries.
    pub(crate) fn next_correlation_id(&self) -> i32 {
        self.next_correlation_id
    }

    /// Notes a request of so many bytes that is handed to the socket now.
    pub(crate) fn handle_request(
        &mut self,
        (api, version): (ApiKey, i16),
        bytes: usize,
        answered: bool,
        purpose: P,
        now: Instant,
    ) {
        self.queued += bytes as u64;
        self.last_used = now;
        let pending = Pending {
            correlation_id: self.next_correlation_id,
            api,
            version,
            sent_at: now,
            ends_at: self.queued,
            purpose,
        };
        self.next_correlation_id = self.next_correlation_id.checked_add(1).unwrap_or(0);
        if answered {
            self.pending.push_back(pending);
        } else {
            self.unanswered.push_back(pending);
        }
    }

    /// So many bytes have left since the connection was opened.
    pub(crate) fn handle_written(&mut self, total: u64) {
        self.written = self.written.max(total);
    }

    /// Whether the kernel has not taken all requests yet.
    pub(crate) fn is_congested(&self) -> bool {
        self.written < self.queued
    }

    /// Whether the whole request has left; a broker does nothing with half of one.
    pub(crate) fn has_left(&self, pending: &Pending<P>) -> bool {
        pending.ends_at <= self.written
    }

    /// Takes an answer: its request and the reader behind the header.
    pub(crate) fn handle_frame<'a>(
        &mut self,
        frame: &'a [u8],
        now: Instant,
    ) -> Result<(Pending<P>, Reader<'a>), ProtocolError> {
        self.last_used = now;
        let mut reader = Reader::new(frame);
        let got = reader.clone().i32()?;
        let Some(first) = self.pending.front() else {
            return Err(ProtocolError::Unasked {
                correlation_id: got,
            });
        };
        let expected = first.correlation_id;
        if got != expected {
            return Err(ProtocolError::OutOfOrder { expected, got });
        }
        decode_response_header(
            &mut reader,
            response_header_is_flexible(first.api, first.version),
        )?;
        match self.pending.pop_front() {
            Some(pending) => Ok((pending, reader)),
            None => Err(ProtocolError::Unasked {
                correlation_id: got,
            }),
        }
    }

    /// When the connection must have got ahead, or is given up.
    pub(crate) fn deadline(&self, connect: Duration, request: Duration) -> Option<Instant> {
        match self.stage {
            Stage::Connecting | Stage::Negotiating => Some(self.opened_at + connect),
            Stage::Ready => self.pending.front().map(|p| p.sent_at + request),
        }
    }

    /// When it will have sent nothing for too long; `None` while it carries something.
    pub(crate) fn idle_at(&self, idle: Duration) -> Option<Instant> {
        let carries = !self.pending.is_empty() || !self.unanswered.is_empty();
        (self.is_ready() && !carries).then(|| self.last_used + idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection<&'static str> {
        let address = Address {
            host: "b".into(),
            port: 1,
        };
        Connection::new(ConnectionId(1), address, None, Instant::now())
    }

    fn frame(correlation_id: i32) -> Vec<u8> {
        correlation_id.to_be_bytes().to_vec()
    }

    #[test]
    fn answers_must_come_in_the_order_of_their_requests() {
        let now = Instant::now();
        let mut connection = connection();
        connection.handle_request((ApiKey::Produce, 8), 10, true, "first", now);
        connection.handle_request((ApiKey::Produce, 8), 10, true, "second", now);
        let error = connection
            .handle_frame(&frame(1), now)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(
            error,
            ProtocolError::OutOfOrder {
                expected: 0,
                got: 1
            }
        );
        assert_eq!(
            connection.handle_frame(&frame(0), now).unwrap().0.purpose,
            "first"
        );
        assert_eq!(
            connection.handle_frame(&frame(1), now).unwrap().0.purpose,
            "second"
        );
        let error = connection
            .handle_frame(&frame(2), now)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error, ProtocolError::Unasked { correlation_id: 2 });
    }

    #[test]
    fn half_a_request_has_not_left() {
        let now = Instant::now();
        let mut connection = connection();
        connection.handle_request((ApiKey::Produce, 8), 10, true, "first", now);
        connection.handle_request((ApiKey::Produce, 8), 10, true, "second", now);
        connection.handle_written(19);
        assert!(connection.has_left(&connection.pending[0]));
        assert!(!connection.has_left(&connection.pending[1]));
    }
}
