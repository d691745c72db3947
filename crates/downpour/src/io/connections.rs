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
use crate::io::connect::{self, ConnectAttempt, ConnectStep};
use crate::io::connection::{Connection, Reading};
use crate::io::given::Resolve;
use crate::io::opening::{Opened, Opening, Results};
use crate::io::pool::Pool;
use crate::io::sockets::{SocketEvent, SocketOptions, Sockets};
use crate::shared::shared::Shared;
use crate::sys::lock::lock;

/// The token of what wakes the thread; connections count up from the next.
pub(super) const WAKER: usize = 0;

fn token(connection_id: ConnectionId) -> usize {
    usize::try_from(connection_id.0)
        .unwrap_or(usize::MAX - 1)
        .wrapping_add(1)
}

fn connection_of(token: usize) -> ConnectionId {
    ConnectionId((token as u64).wrapping_sub(1))
}

/// A connection at some stage.
#[derive(Debug)]
enum State<S> {
    /// Its name is being resolved, or the caller's closure runs.
    Pending,
    Connecting(ConnectAttempt<S>),
    Open(Connection<S>),
}

/// Something that happened to a connection.
#[derive(Debug)]
pub(super) enum ConnectionEvent {
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
    results: Results,
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
        Self {
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
        (pool, after): (&Arc<dyn Pool>, &mut After),
        now: Instant,
        out: &mut Vec<ConnectionEvent>,
    ) {
        self.states.insert(connection_id, State::Pending);
        let connector = self.shared.settings.connector.clone();
        if let (Connector::Tcp, Some(known)) = (&connector, connect::literal(address)) {
            self.handle_opened(connection_id, Ok(Opened::Resolved(vec![known])), now, out);
            return;
        }
        let opening = Opening {
            connection_id,
            connector,
            resolve: self.resolve.clone(),
            address: address.clone(),
            results: self.results.clone(),
            shared: self.shared.clone(),
        };
        after.open(pool, opening);
    }

    /// Takes what the pool brought back.
    pub(super) fn take_results(&mut self, now: Instant, out: &mut Vec<ConnectionEvent>) {
        let results = std::mem::take(&mut *lock(&self.results));
        for (connection_id, opened) in results {
            // It may have been given up meanwhile.
            let is_wanted = matches!(self.states.get(&connection_id), Some(State::Pending));
            if is_wanted || mutants::is(49) {
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
        match opened {
            Ok(Opened::Resolved(addresses)) => {
                let settings = &self.shared.settings;
                let options = SocketOptions {
                    send_buffer: settings.send_buffer,
                    receive_buffer: settings.receive_buffer,
                    keepalive: settings.keepalive,
                };
                let within = settings.core.connect_timeout;
                let attempt = ConnectAttempt::new(addresses, within, options, now);
                self.states
                    .insert(connection_id, State::Connecting(attempt));
                self.poll_attempt(connection_id, now, out);
            }
            #[cfg(unix)]
            Ok(Opened::Stream(stream)) => {
                let adopted = self.sockets.adopt(token(connection_id), stream);
                match adopted.map(|socket| self.new_connection(socket)) {
                    Ok(open) => {
                        self.states.insert(connection_id, State::Open(open));
                        out.push(ConnectionEvent::Connected(connection_id));
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

    fn new_connection(&self, socket: S::Socket) -> Connection<S::Socket> {
        Connection::new(socket, self.shared.settings.core.response_max)
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
        let Some(State::Connecting(attempt)) = self.states.get_mut(&connection_id) else {
            return;
        };
        match attempt.poll(&mut self.sockets, token(connection_id), now) {
            ConnectStep::Waiting => {}
            ConnectStep::Open(socket) => {
                let open = self.new_connection(socket);
                self.states.insert(connection_id, State::Open(open));
                out.push(ConnectionEvent::Connected(connection_id));
            }
            ConnectStep::Failed(failure) => self.fail(connection_id, failure, out),
        }
    }

    /// Goes on to the next address where one has not answered in its time.
    pub(super) fn poll_attempts(&mut self, now: Instant, out: &mut Vec<ConnectionEvent>) {
        let due: Vec<ConnectionId> = self
            .states
            .iter()
            .filter(|(_, state)| match state {
                State::Connecting(attempt) => attempt.next_wake().is_some_and(|at| at <= now),
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
            State::Connecting(attempt) => attempt.next_wake(),
            _ => None,
        });
        wakes.min()
    }

    /// Ends a connection; nothing of it is told any more.
    pub(super) fn disconnect(&mut self, connection_id: ConnectionId) {
        self.states.remove(&connection_id);
    }

    /// Adds a frame to what a connection writes next.
    pub(super) fn write(&mut self, connection_id: ConnectionId, frame: Frame) {
        if let Some(State::Open(open)) = self.states.get_mut(&connection_id) {
            open.push(frame);
        }
    }

    /// Writes what the kernel takes, on all connections.
    pub(super) fn flush(&mut self, out: &mut Vec<ConnectionEvent>) {
        let mut broken = Vec::new();
        for (&connection_id, state) in &mut self.states {
            let State::Open(open) = state else { continue };
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
        let was_connecting = matches!(self.states.get(&connection_id), Some(State::Connecting(_)));
        if was_connecting {
            self.poll_attempt(connection_id, now, out);
        }
        let Some(State::Open(open)) = self.states.get_mut(&connection_id) else {
            return false;
        };
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
