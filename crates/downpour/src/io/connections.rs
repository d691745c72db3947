//! All connections of a producer, from the wish for one to its end.
//!
//! It tells what happened; what follows from that is decided by the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

#[cfg(unix)]
use downpour_core::client::connect_error::ConnectErrorKind;
use downpour_core::client::connect_error::ConnectFailure;
use downpour_core::client::ending::DisconnectReason;
use downpour_core::config::Address;
use downpour_core::ids::ConnectionId;
use downpour_core::mutants;
use downpour_wire::frame::Frame;

use crate::config::connector::Connector;
use crate::io::after::After;
use crate::io::connect::{self, ADDRESSES_MAX, ConnectAttempt, ConnectStep, Known};
use crate::io::connection::{Connection, Reading};
use crate::io::given::Resolve;
use crate::io::lookups::Lookups;
use crate::io::opening::{Opened, Opening, Results};
use crate::io::pool::Pool;
use crate::io::sockets::{SocketEvent, SocketOptions, Sockets};
use crate::shared::shared::Shared;
use crate::sys::lock::lock;

/// The token of what wakes the thread; connections count up from the next.
pub(super) const WAKER: usize = 0;

/// The first of a connection's tokens. Each address that is tried for it has one of its own.
fn first_token(connection_id: ConnectionId) -> usize {
    let tokens = ADDRESSES_MAX as u64;
    usize::try_from(connection_id.0 * tokens + 1).unwrap_or(usize::MAX - ADDRESSES_MAX)
}

fn connection_of(token: usize) -> ConnectionId {
    ConnectionId((token as u64).wrapping_sub(1) / ADDRESSES_MAX as u64)
}

/// Names of which is remembered where they led.
const KNOWN_MAX: usize = 1024;

/// A connection at some stage.
#[derive(Debug)]
enum State<S> {
    /// Its name is being resolved, or the caller's closure runs.
    Pending(Address),
    Connecting(Address, ConnectAttempt<S>),
    Open(Open<S>),
}

/// A connection that is open.
#[derive(Debug)]
struct Open<S> {
    connection: Connection<S>,
    /// Of its socket; what is told of another one comes from a race that is over.
    token: usize,
    /// The name that led here, until somebody has answered.
    unproven: Option<Address>,
}

/// Something that happened to a connection.
#[derive(Debug)]
pub(super) enum ConnectionEvent {
    /// Where it leads to is known: it begins to connect.
    Resolved(ConnectionId),
    Connected(ConnectionId),
    ConnectFailed(ConnectionId, ConnectFailure),
    Disconnected(ConnectionId, DisconnectReason),
    Written(ConnectionId, u64),
}

/// All connections.
pub(super) struct Connections<S: Sockets> {
    shared: Arc<Shared>,
    sockets: S,
    resolve: Resolve,
    states: BTreeMap<ConnectionId, State<S::Socket>>,
    lookups: Lookups,
    results: Results,
    /// Where names led.
    known: BTreeMap<Address, Known>,
    buffer: Vec<u8>,
}

impl<S: Sockets> std::fmt::Debug for Connections<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections")
            .field("ids", &self.states.keys())
            .finish_non_exhaustive()
    }
}

/// Answers are small; a large one takes several reads.
const READ_BYTES: usize = 32 << 10;

impl<S: Sockets> Connections<S> {
    pub(super) fn new(shared: Arc<Shared>, sockets: S, resolve: Resolve) -> Self {
        let settings = &shared.settings;
        let by_host = matches!(settings.connector, Connector::Tcp);
        Self {
            lookups: Lookups::new(by_host, settings.core.connect_timeout),
            known: BTreeMap::new(),
            shared,
            sockets,
            resolve,
            states: BTreeMap::new(),
            results: Results::default(),
            buffer: vec![0; READ_BYTES],
        }
    }

    /// Begins to open a connection.
    pub(super) fn connect(
        &mut self,
        connection_id: ConnectionId,
        address: &Address,
        pool: (&Arc<dyn Pool>, &mut After),
        now: Instant,
        out: &mut Vec<ConnectionEvent>,
    ) {
        let pending = State::Pending(address.clone());
        self.states.insert(connection_id, pending);
        let is_tcp = matches!(self.shared.settings.connector, Connector::Tcp);
        let literal = connect::literal(address).filter(|_| is_tcp);
        let opened = match literal {
            Some(known) => Some(Opened::Resolved(vec![known])),
            None => self.lookups.want(connection_id, address, now),
        };
        match opened {
            Some(opened) => self.handle_opened(connection_id, Ok(opened), now, out),
            None => self.begin_lookups(pool, now),
        }
    }

    /// Hands over the look-ups that are due.
    fn begin_lookups(&mut self, (pool, after): (&Arc<dyn Pool>, &mut After), now: Instant) {
        while let Some((id, address)) = self.lookups.begin(now) {
            let opening = Opening {
                id,
                connector: self.shared.settings.connector.clone(),
                resolve: self.resolve.clone(),
                address,
                results: self.results.clone(),
                shared: self.shared.clone(),
            };
            after.open(pool, opening);
        }
    }

    /// Takes what the pool brought back.
    pub(super) fn take_results(&mut self, now: Instant, out: &mut Vec<ConnectionEvent>) {
        let results = std::mem::take(&mut *lock(&self.results));
        for (id, address, opened) in results {
            for (connection_id, opened) in self.lookups.handle_done(id, &address, opened, now) {
                self.handle_opened(connection_id, opened, now, out);
            }
        }
    }

    fn handle_opened(
        &mut self,
        connection_id: ConnectionId,
        opened: Result<Opened, ConnectFailure>,
        now: Instant,
        out: &mut Vec<ConnectionEvent>,
    ) {
        let Some(State::Pending(name)) = self.states.get(&connection_id) else {
            return;
        };
        let name = name.clone();
        match opened {
            Ok(Opened::Resolved(addresses)) => {
                let settings = &self.shared.settings;
                let options = SocketOptions {
                    send_buffer: settings.send_buffer,
                    receive_buffer: settings.receive_buffer,
                    keepalive: settings.keepalive,
                };
                let within = settings.core.connect_timeout;
                let addresses = connect::in_order(addresses, self.known.get(&name).copied());
                let first = first_token(connection_id);
                let attempt = ConnectAttempt::new(addresses, first, within, options, now);
                self.states
                    .insert(connection_id, State::Connecting(name, attempt));
                out.push(ConnectionEvent::Resolved(connection_id));
                self.poll_attempt(connection_id, now, out);
            }
            #[cfg(unix)]
            Ok(Opened::Stream(stream)) => {
                let token = first_token(connection_id);
                let adopted = self.sockets.adopt(token, stream);
                match adopted {
                    Ok(socket) => {
                        out.push(ConnectionEvent::Resolved(connection_id));
                        self.handle_open(connection_id, socket, token, None, out);
                    }
                    Err(error) => {
                        let kind = ConnectErrorKind::Connector;
                        let failure = ConnectFailure::new(kind, error.to_string());
                        self.fail(connection_id, failure.with_source(error), out);
                    }
                }
            }
            Err(failure) => self.fail(connection_id, failure, out),
        }
    }

    fn handle_open(
        &mut self,
        connection_id: ConnectionId,
        socket: S::Socket,
        token: usize,
        unproven: Option<Address>,
        out: &mut Vec<ConnectionEvent>,
    ) {
        let response_max = self.shared.settings.core.response_max;
        let open = Open {
            connection: Connection::new(socket, response_max),
            token,
            unproven,
        };
        self.states.insert(connection_id, State::Open(open));
        out.push(ConnectionEvent::Connected(connection_id));
    }

    fn fail(
        &mut self,
        connection_id: ConnectionId,
        failure: ConnectFailure,
        out: &mut Vec<ConnectionEvent>,
    ) {
        self.states.remove(&connection_id);
        out.push(ConnectionEvent::ConnectFailed(connection_id, failure));
    }

    fn poll_attempt(
        &mut self,
        connection_id: ConnectionId,
        now: Instant,
        out: &mut Vec<ConnectionEvent>,
    ) {
        let Some(State::Connecting(name, attempt)) = self.states.get_mut(&connection_id) else {
            return;
        };
        match attempt.poll(&mut self.sockets, now) {
            ConnectStep::Waiting => {}
            ConnectStep::Open(socket, address, token) => {
                let name = name.clone();
                let known = Known {
                    address,
                    has_answered: false,
                };
                if self.known.len() >= KNOWN_MAX && !self.known.contains_key(&name) {
                    self.known.pop_first();
                }
                self.known.insert(name.clone(), known);
                self.handle_open(connection_id, socket, token, Some(name), out);
            }
            ConnectStep::Failed(failure) => self.fail(connection_id, failure, out),
        }
    }

    /// Goes on to the next address where one has not answered in its time, and to the next name.
    pub(super) fn poll_attempts(
        &mut self,
        pool: (&Arc<dyn Pool>, &mut After),
        now: Instant,
        out: &mut Vec<ConnectionEvent>,
    ) {
        self.begin_lookups(pool, now);
        let due: Vec<ConnectionId> = self
            .states
            .iter()
            .filter(|(_, state)| match state {
                State::Connecting(_, attempt) => attempt.next_wake().is_some_and(|at| at <= now),
                _ => false,
            })
            .map(|(&connection_id, _)| connection_id)
            .collect();
        for connection_id in due {
            self.poll_attempt(connection_id, now, out);
        }
    }

    /// When to look again though nothing happens.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        let wakes = self.states.values().filter_map(|state| match state {
            State::Connecting(_, attempt) => attempt.next_wake(),
            _ => None,
        });
        wakes.chain(self.lookups.next_wake()).min()
    }

    /// Ends a connection; nothing of it is told any more.
    pub(super) fn disconnect(&mut self, connection_id: ConnectionId) {
        let is_pending = matches!(self.states.get(&connection_id), Some(State::Pending(_)));
        if is_pending && mutants::is(49) {
            return;
        }
        self.lookups.forget(connection_id);
        self.states.remove(&connection_id);
    }

    /// Adds a frame to what a connection writes next.
    pub(super) fn write(&mut self, connection_id: ConnectionId, frame: Frame) {
        if let Some(State::Open(open)) = self.states.get_mut(&connection_id) {
            open.connection.push(frame);
        }
    }

    /// Writes what the kernel takes, on all connections.
    pub(super) fn flush(&mut self, out: &mut Vec<ConnectionEvent>) {
        let mut broken = Vec::new();
        for (&connection_id, state) in &mut self.states {
            let State::Open(Open {
                connection: open, ..
            }) = state
            else {
                continue;
            };
            if !open.has_output() {
                continue;
            }
            let flushed = open.flush();
            if let Some(total) = open.poll_written() {
                out.push(ConnectionEvent::Written(connection_id, total));
            }
            if let Err(error) = flushed {
                broken.push((connection_id, error));
            }
        }
        for (connection_id, error) in broken {
            self.states.remove(&connection_id);
            let reason = DisconnectReason::Broken(Arc::new(error));
            out.push(ConnectionEvent::Disconnected(connection_id, reason));
        }
    }

    /// Takes an event of the selector; whole frames go to `received`.
    ///
    /// True if there may be more to read, so that it must be called again.
    pub(super) fn handle_event(
        &mut self,
        event: SocketEvent,
        now: Instant,
        mut received: impl FnMut(ConnectionId, &[u8]),
        out: &mut Vec<ConnectionEvent>,
    ) -> bool {
        let SocketEvent {
            token,
            readable,
            writable,
            ending,
        } = event;
        let connection_id = connection_of(token);
        let was_connecting = matches!(self.states.get(&connection_id), Some(State::Connecting(..)));
        if was_connecting {
            self.poll_attempt(connection_id, now, out);
        }
        let open = match self.states.get_mut(&connection_id) {
            Some(State::Open(open)) if open.token == token => open,
            _ => return false,
        };
        let (unproven, open) = (&mut open.unproven, &mut open.connection);
        if writable {
            open.handle_writable();
        }
        if ending {
            open.handle_ending();
        }
        if !readable || was_connecting {
            // That it is connected is told before what it says, so that is read next time.
            return readable;
        }
        let reading = open.read(&mut self.buffer, |reader| {
            while let Some(frame) = reader.next_frame()? {
                if let Some(known) = unproven.take().and_then(|name| self.known.get_mut(&name)) {
                    known.has_answered = true;
                }
                received(connection_id, frame);
            }
            Ok(())
        });
        let reason = match reading {
            Reading::Drained => return false,
            Reading::More => return true,
            Reading::Ended => DisconnectReason::Closed,
            Reading::Failed(error) => DisconnectReason::Broken(Arc::new(error)),
            Reading::Stranger(reason) => reason,
            Reading::Garbled(error) => {
                let why = open.what_is_garbled(error);
                DisconnectReason::Protocol(why.into())
            }
        };
        self.states.remove(&connection_id);
        out.push(ConnectionEvent::Disconnected(connection_id, reason));
        false
    }
}

#[cfg(test)]
mod tests;
