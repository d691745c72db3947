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

use crate::client::connect_error::{ConnectError, ConnectErrorKind, ConnectFailure};
use crate::client::ending::{DisconnectReason, Ending};
use crate::client::stage::Stage;
use crate::client::versions::Versions;
use crate::config::{Address, Config};
use crate::ids::ConnectionId;
use crate::mutants;
use crate::time::Readable;

/// A request without an answer. `P` is what the engine remembers of it.
#[derive(Debug)]
pub(crate) struct Pending<P> {
    correlation_id: i32,
    api: ApiKey,
    version: i16,
    sent_at: Instant,
    /// Bytes that have left on this connection before the request's first.
    begins_at: u64,
    /// Bytes that have left on this connection once the request is out.
    ends_at: u64,
    purpose: P,
}

impl<P> Pending<P> {
    /// The version that it was asked in, and that its answer comes in.
    pub(crate) fn version(&self) -> i16 {
        self.version
    }

    pub(crate) fn purpose(&self) -> &P {
        &self.purpose
    }

    pub(crate) fn purpose_mut(&mut self) -> &mut P {
        &mut self.purpose
    }

    pub(crate) fn into_purpose(self) -> P {
        self.purpose
    }
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
    id: ConnectionId,
    address: Address,
    /// `None` while bootstrapping.
    broker: Option<i32>,
    stage: Stage,
    pending: VecDeque<Pending<P>>,
    /// Requests that nobody answers (acks=0), until they are on the socket.
    unacked: VecDeque<Pending<P>>,
    throttled_until: Option<Instant>,
    /// Its broker is at another address: it is left as soon as nothing is waited for.
    is_left_behind: bool,
    opened_at: Instant,
    /// Since when it has been connecting: where it leads to is known. Looking its name up may take
    /// long, and counts for itself.
    resolved_at: Option<Instant>,
    last_used: Instant,
    /// A question was answered on it, other than which versions are spoken.
    has_answered: bool,
    /// Another cluster answers there.
    is_stray: bool,
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
            pending: VecDeque::new(),
            unacked: VecDeque::new(),
            throttled_until: None,
            is_left_behind: false,
            opened_at: now,
            resolved_at: None,
            last_used: now,
            has_answered: false,
            is_stray: false,
            next_correlation_id: 0,
            queued: 0,
            left: 0,
            held: 0,
        }
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The broker that it leads to; `None` while bootstrapping.
    pub(crate) fn broker(&self) -> Option<i32> {
        self.broker
    }

    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Whether it is set up, so that requests may be sent.
    pub(crate) fn is_usable(&self) -> bool {
        matches!(self.stage, Stage::Usable(_))
    }

    /// Where it leads to is known: the time to connect begins.
    pub(crate) fn handle_resolved(&mut self, now: Instant) {
        self.resolved_at.get_or_insert(now);
    }

    /// The socket is open; whether that led to another stage.
    pub(crate) fn handle_connected(&mut self) -> bool {
        self.stage.handle_connected()
    }

    /// The versions that it speaks are chosen; whether that led to another stage.
    pub(super) fn handle_versions(&mut self, versions: Versions) -> bool {
        self.stage.handle_versions(versions)
    }

    /// The id that the next request carries.
    pub(crate) fn next_correlation_id(&self) -> i32 {
        self.next_correlation_id
    }

    /// Requests without an answer, those included that nobody answers and that have not left.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &Pending<P>> {
        self.pending.iter().chain(&self.unacked)
    }

    /// How many requests the broker has still to answer.
    pub(crate) fn unanswered(&self) -> usize {
        self.pending.len()
    }

    /// Takes out one that nobody answers and that has left by now, the oldest first.
    pub(crate) fn take_sent(&mut self) -> Option<Pending<P>> {
        let first = self.unacked.front()?;
        if !self.has_left(first) {
            return None;
        }
        self.unacked.pop_front()
    }

    /// Takes back a request whose answer could not be used: it has none.
    pub(crate) fn put_back(&mut self, pending: Pending<P>) {
        self.pending.push_front(pending);
    }

    /// Takes out all that have no answer, because none will come. Of those that nobody answers,
    /// only what has not left whole is among them.
    pub(crate) fn take_requests(&mut self) -> impl Iterator<Item = Pending<P>> + use<P> {
        let pending = std::mem::take(&mut self.pending);
        pending.into_iter().chain(std::mem::take(&mut self.unacked))
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
        pending.ends_at + u64::from(mutants::is(11)) <= self.left
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
            Some(pending) => {
                self.has_answered |= pending.api != ApiKey::ApiVersions;
                Ok((pending, reader))
            }
            None => Err(ProtocolError::Unasked {
                correlation_id: got,
            }),
        }
    }

    /// When the connection must have made progress; it is given up otherwise.
    pub(crate) fn deadline(&self, connect: Duration, request: Duration) -> Option<Instant> {
        if self.is_usable() {
            // A peer that reads nothing would else keep a connection without answers for ever.
            let oldest = self.pending.front().into_iter().chain(self.unacked.front());
            oldest.map(|p| p.sent_at + request).min()
        } else {
            Some(self.resolved_at.unwrap_or(self.opened_at) + connect)
        }
    }

    /// The version of a request that the broker and this client both speak; none before the
    /// connection can be used.
    pub(crate) fn version_of(&self, key: ApiKey) -> Option<i16> {
        match &self.stage {
            Stage::Usable(versions) => versions.of(key),
            _ => None,
        }
    }

    /// The broker asks for no requests until then.
    pub(crate) fn throttle(&mut self, until: Instant) {
        self.throttled_until = Some(until);
    }

    /// When the broker takes requests again, if it ever asked for none.
    pub(crate) fn throttled_until(&self) -> Option<Instant> {
        self.throttled_until
    }

    /// Whether the broker asked for no requests for now.
    pub(crate) fn is_throttled(&self, now: Instant) -> bool {
        self.throttled_until.is_some_and(|at| at > now)
    }

    /// Metadata says whether its broker is still where it leads to.
    pub(super) fn set_left_behind(&mut self, is_left_behind: bool) {
        self.is_left_behind = is_left_behind;
    }

    /// Whether requests may go out on it as far as it is concerned: it is set up, leads to where its
    /// broker is, and the broker has not asked for a pause.
    pub(crate) fn takes_requests(&self, now: Instant) -> bool {
        self.is_usable() && !self.is_left_behind && !self.is_throttled(now)
    }

    /// Whether nothing is waited for on it.
    pub(crate) fn is_quiet(&self) -> bool {
        self.pending.is_empty() && self.unacked.is_empty()
    }

    /// When it will have carried nothing for too long; `None` while it carries something.
    pub(crate) fn idle_at(&self, idle: Duration) -> Option<Instant> {
        (self.is_usable() && self.is_quiet()).then(|| self.last_used + idle)
    }

    /// Why it is to be ended, if it got no further in time or carried nothing for too long.
    pub(crate) fn is_late(&self, config: &Config, now: Instant) -> Option<Ending> {
        let (connect, request) = (config.connect_timeout, config.request_timeout);
        let within = Readable(connect);
        if self.is_left_behind && (self.is_quiet() || !self.is_usable()) {
            return Some(Ending::Ended(DisconnectReason::Moved));
        }
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_over(self.deadline(connect, request)) {
            let timed_out = |what: String| Ending::failed(ConnectErrorKind::TimedOut, what);
            return Some(match self.stage {
                Stage::Connecting if self.resolved_at.is_none() => timed_out(format!(
                    "where it leads to was not found out within {within}: the name server, or the \
                     connector, is slow"
                )),
                Stage::Connecting => timed_out(format!("no connection within {within}")),
                Stage::Negotiating => timed_out(format!(
                    "connected, but no answer to ApiVersions within {within}"
                )),
                Stage::Usable(_) if is_over(self.pending.front().map(|p| p.sent_at + request)) => {
                    Ending::Ended(DisconnectReason::Silent(request))
                }
                Stage::Usable(_) => Ending::Ended(DisconnectReason::Unread(request)),
            });
        }
        let idle = config.idle_timeout;
        is_over(self.idle_at(idle)).then_some(Ending::Ended(DisconnectReason::Idle(idle)))
    }

    /// Another cluster than the one that is known answers there.
    pub(super) fn handle_stray(&mut self) {
        self.is_stray = true;
    }

    /// Whether opening it has led nowhere: it could never be used.
    pub(super) fn has_failed(&self) -> bool {
        !self.is_usable() || self.is_stray
    }

    /// Whether it was good for nothing, so that the next one is worth no hurry: it could not be
    /// used, or ended within so short a time before anything was answered on it.
    pub(super) fn was_fruitless(&self, short: Duration, now: Instant) -> bool {
        let lived = now.saturating_duration_since(self.opened_at);
        self.has_failed() || (!self.has_answered && lived < short)
    }

    /// Since when it is being set up; `None` once it can be used.
    pub(super) fn opening_since(&self) -> Option<Instant> {
        (!self.is_usable()).then_some(self.opened_at)
    }

    /// How setting it up has gone until now: what is said of a connection that is waited for.
    pub(crate) fn so_far(&self, now: Instant) -> ConnectError {
        let time = now.saturating_duration_since(self.opened_at);
        let what = match self.stage {
            Stage::Connecting => "no connection",
            _ => "connected, but no answer to ApiVersions",
        };
        let reason = format!("{what} after {} of trying", Readable::coarse(time));
        let failure = ConnectFailure::new(ConnectErrorKind::TimedOut, reason);
        ConnectError::new(self.address.clone(), failure)
    }

    /// What its ending comes to: a failed attempt to connect, unless it could be used.
    pub(crate) fn conclude(&self, ending: Ending) -> Result<DisconnectReason, ConnectError> {
        let failure = match ending {
            Ending::Ended(reason) if self.is_usable() => return Ok(reason),
            Ending::Ended(reason) => reason.before_use(),
            Ending::Failed(failure) => failure,
        };
        Err(ConnectError::new(self.address.clone(), failure))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
    fn what_ends_before_it_can_be_used_is_a_failed_attempt_to_connect() {
        let broken = || {
            let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            Ending::Ended(DisconnectReason::Broken(Arc::new(error)))
        };
        let mut connection = connection();
        connection.handle_connected();
        let error = connection.conclude(broken()).unwrap_err();
        assert_eq!(error.kind(), ConnectErrorKind::Closed);
        assert_eq!(
            error.to_string(),
            "no connection to b:1: connected, but no answer to ApiVersions: connection reset"
        );
        let source = std::error::Error::source(&error).unwrap();
        let source: &std::io::Error = source.downcast_ref().unwrap();
        assert_eq!(source.kind(), std::io::ErrorKind::ConnectionReset);
        let error = connection.conclude(Ending::protocol("noise")).unwrap_err();
        assert_eq!(error.kind(), ConnectErrorKind::Protocol);
        assert!(std::error::Error::source(&error).is_none());
        connection.handle_versions(Versions::default());
        let reason = connection.conclude(broken()).unwrap();
        assert!(matches!(reason, DisconnectReason::Broken(_)), "{reason:?}");
    }

    #[test]
    fn of_requests_that_nobody_answers_those_are_taken_that_have_left() {
        let now = Instant::now();
        let mut connection = connection();
        for name in ["first", "second"] {
            connection.handle_request((ApiKey::Produce, 8), 10, false, name, now);
        }
        connection.handle_written(19, 0);
        assert_eq!(connection.take_sent().unwrap().into_purpose(), "first");
        assert!(connection.take_sent().is_none());
        let rest: Vec<_> = connection
            .take_requests()
            .map(Pending::into_purpose)
            .collect();
        assert_eq!(rest, ["second"]);
        assert!(connection.is_quiet());
    }

    #[test]
    fn the_time_to_connect_begins_when_it_is_known_where_to() {
        let config = Config::new(Vec::new());
        let began = Instant::now();
        let address = Address {
            host: "slow".into(),
            port: 9092,
        };
        let mut connection = Connection::<()>::new(ConnectionId(0), address, None, began);
        let late = |connection: &Connection<()>, now| {
            let ending = connection.is_late(&config, now)?;
            Some(connection.conclude(ending).unwrap_err().to_string())
        };
        let limit = began + config.connect_timeout;
        let said = late(&connection, limit).unwrap();
        assert!(said.contains("was not found out within 10 s"), "{said}");
        let resolved = limit - Duration::from_secs(1);
        connection.handle_resolved(resolved);
        assert_eq!(late(&connection, limit), None);
        let said = late(&connection, resolved + config.connect_timeout).unwrap();
        assert!(said.contains("no connection within 10 s"), "{said}");
    }

    #[test]
    fn a_peer_that_reads_nothing_is_given_up_also_where_nobody_answers() {
        let now = Instant::now();
        let mut connection = connection();
        connection.handle_connected();
        connection.handle_versions(Versions::default());
        let config = Config::new(Vec::new());
        let late = now + config.request_timeout;
        for name in ["first", "second"] {
            connection.handle_request((ApiKey::Produce, 8), 10, false, name, now);
        }
        connection.handle_written(10, 0);
        connection.take_sent().unwrap();
        assert!(
            connection
                .is_late(&config, late - Duration::from_millis(1))
                .is_none()
        );
        let ending = connection.is_late(&config, late);
        assert!(
            matches!(ending, Some(Ending::Ended(DisconnectReason::Unread(_)))),
            "{ending:?}"
        );
        connection.handle_written(20, 0);
        connection.take_sent().unwrap();
        assert!(connection.is_late(&config, late).is_none());
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
