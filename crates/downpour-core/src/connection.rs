//! One connection from connect to its end: versions, requests in order, timeouts, throttling.
//!
//! Holds what was asked and not answered; the meaning of an answer is the engine's matter.
//! *Invariant:* answers come in the order of their requests; anything else ends the connection.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use downpour_wire::error::DecodeError;
use downpour_wire::header::{decode_response_header, response_header_is_flexible};
use downpour_wire::messages::{ApiKey, ApiVersionsResponse};
use downpour_wire::primitives::Reader;

use crate::config::Address;

/// Names one connection, also after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a number")]
pub struct LinkId(pub u64);

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

/// Versions that both sides speak. A newer broker may sit beside an older one, so each
/// connection has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Versions {
    pub(crate) produce: i16,
    pub(crate) metadata: i16,
    pub(crate) init_producer_id: Option<i16>,
}

impl Versions {
    /// The highest of each that both sides speak; `Err` names what has no common version.
    pub(crate) fn choose(response: &ApiVersionsResponse) -> Result<Self, ApiKey> {
        let common = |key: ApiKey| {
            let (our_min, our_max) = key.versions();
            let theirs = response.api_keys.iter().find(|v| v.api_key == key as i16)?;
            let version = our_max.min(theirs.max_version);
            (version >= our_min.max(theirs.min_version)).then_some(version)
        };
        Ok(Self {
            produce: common(ApiKey::Produce).ok_or(ApiKey::Produce)?,
            metadata: common(ApiKey::Metadata).ok_or(ApiKey::Metadata)?,
            init_producer_id: common(ApiKey::InitProducerId),
        })
    }
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
pub(crate) enum Garbled {
    Decode(DecodeError),
    Unasked { correlation_id: i32 },
    OutOfOrder { expected: i32, got: i32 },
}

impl std::fmt::Display for Garbled {
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

impl From<DecodeError> for Garbled {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection<P> {
    pub(crate) id: LinkId,
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
    pub(crate) fn new(id: LinkId, address: Address, broker: Option<i32>, now: Instant) -> Self {
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
    ) -> Result<(Pending<P>, Reader<'a>), Garbled> {
        self.last_used = now;
        let mut reader = Reader::new(frame);
        let got = reader.clone().i32()?;
        let Some(first) = self.pending.front() else {
            return Err(Garbled::Unasked {
                correlation_id: got,
            });
        };
        let expected = first.correlation_id;
        if got != expected {
            return Err(Garbled::OutOfOrder { expected, got });
        }
        decode_response_header(
            &mut reader,
            response_header_is_flexible(first.api, first.version),
        )?;
        match self.pending.pop_front() {
            Some(pending) => Ok((pending, reader)),
            None => Err(Garbled::Unasked {
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

    /// When it will have carried nothing for too long; `None` while it carries something.
    pub(crate) fn idle_at(&self, idle: Duration) -> Option<Instant> {
        let carries = !self.pending.is_empty() || !self.unanswered.is_empty();
        (self.is_ready() && !carries).then(|| self.last_used + idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use downpour_wire::messages::ApiVersion;

    fn connection() -> Connection<&'static str> {
        let address = Address {
            host: "b".into(),
            port: 1,
        };
        Connection::new(LinkId(1), address, None, Instant::now())
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
            Garbled::OutOfOrder {
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
        assert_eq!(error, Garbled::Unasked { correlation_id: 2 });
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

    #[test]
    fn versions_are_the_highest_that_both_sides_speak() {
        let mut response = ApiVersionsResponse::default();
        for (api_key, min_version, max_version) in [(0, 0, 7), (3, 0, 99), (22, 9, 10)] {
            response.api_keys.push(ApiVersion {
                api_key,
                min_version,
                max_version,
            });
        }
        let versions = Versions::choose(&response).unwrap();
        assert_eq!((versions.produce, versions.metadata), (7, 13));
        assert_eq!(versions.init_producer_id, None);
        response.api_keys[0].max_version = 2;
        assert_eq!(Versions::choose(&response), Err(ApiKey::Produce));
    }
}
