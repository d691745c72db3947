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
use crate::config::{Address, Config};
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
    /// Bytes that have left on this connection before the request's first.
    begins_at: u64,
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
    pub(crate) unacked: VecDeque<Pending<P>>,
    pub(crate) throttled_until: Option<Instant>,
    opened_at: Instant,
    last_used: Instant,
    next_correlation_id: i32,
    /// Bytes of all requests so far.
    queued: u64,
    /// Of those, what was handed to the transport: the proof of what a broker can have seen.
    left: u64,
    /// Bytes that the transport has not passed on yet: what says that it is congested. Over TLS
    /// a request may have left though its ciphertext still waits for the socket.
    held: u64,
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
            unacked: VecDeque::new(),
            throttled_until: None,
            opened_at: now,
            last_used: now,
            next_correlation_id: 0,
            queued: 0,
            left: 0,
            held: 0,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// The id that the next request carries.
    pub(crate) fn next_correlation_id(&self) -> i32 {
        self.next_correlation_id
    }

    /// Requests without an answer, those included that nobody answers and that have not left.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &Pending<P>> {
        self.pending.iter().chain(&self.unacked)
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
            begins_at: self.queued - bytes as u64,
            ends_at: self.queued,
            purpose,
        };
        self.next_correlation_id = self.next_correlation_id.checked_add(1).unwrap_or(0);
        if answered {
            self.pending.push_back(pending);
        } else {
            self.unacked.push_back(pending);
        }
    }

    /// So many bytes were handed to the transport since the connection was opened, and it still
    /// holds so many that wait for the socket.
    pub(crate) fn handle_written(&mut self, left: u64, held: u64) {
        self.left = self.left.max(left);
        self.held = held;
    }

    /// Whether something is still to be written.
    pub(crate) fn is_congested(&self) -> bool {
        self.left < self.queued || self.held > 0
    }

    /// Whether the whole request has left; a broker does nothing with half of one.
    pub(crate) fn has_left(&self, pending: &Pending<P>) -> bool {
        pending.ends_at <= self.left
    }

    /// Whether anything of the request has left.
    pub(crate) fn has_begun_to_leave(&self, pending: &Pending<P>) -> bool {
        pending.begins_at < self.left
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

    /// When the connection must have made progress; it is given up otherwise.
    pub(crate) fn deadline(&self, connect: Duration, request: Duration) -> Option<Instant> {
        match self.stage {
            Stage::Connecting | Stage::Negotiating => Some(self.opened_at + connect),
            Stage::Ready => self.pending.front().map(|p| p.sent_at + request),
        }
    }

    /// The version of a request that the broker and this client both speak.
    pub(crate) fn version_of(&self, key: ApiKey) -> Option<i16> {
        self.versions.of(key)
    }

    /// Whether the broker asked for no requests for now.
    pub(crate) fn is_throttled(&self, now: Instant) -> bool {
        self.throttled_until.is_some_and(|at| at > now)
    }

    /// Whether nothing is waited for on it.
    pub(crate) fn is_quiet(&self) -> bool {
        self.pending.is_empty() && self.unacked.is_empty()
    }

    /// When it will have carried nothing for too long; `None` while it carries something.
    pub(crate) fn idle_at(&self, idle: Duration) -> Option<Instant> {
        (self.is_ready() && self.is_quiet()).then(|| self.last_used + idle)
    }

    /// Why it is to be ended, if it got no further in time or carried nothing for too long.
    pub(crate) fn is_late(&self, config: &Config, now: Instant) -> Option<String> {
        let (connect, request) = (config.connect_timeout, config.request_timeout);
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_over(self.deadline(connect, request)) {
            return Some(match self.stage {
                Stage::Connecting => format!("no connection within {connect:?}"),
                Stage::Negotiating => {
                    format!("connected, but no answer to ApiVersions within {connect:?}")
                }
                Stage::Ready => format!("no answer within {request:?}"),
            });
        }
        let idle = config.idle_timeout;
        is_over(self.idle_at(idle)).then(|| format!("idle for {idle:?}"))
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
        connection.handle_written(19, 0);
        let [first, second] = [0, 1].map(|at| &connection.pending[at]);
        assert!(connection.has_left(first) && connection.has_begun_to_leave(second));
        assert!(!connection.has_left(second) && connection.is_congested());
        connection.handle_written(20, 5);
        assert!(
            connection.is_congested(),
            "the transport still holds some of it"
        );
        connection.handle_written(20, 0);
        assert!(!connection.is_congested());
    }
}
