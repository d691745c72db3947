//! All connections of a producer, from the wish for one to its end.
//!
//! Tells what happened; what follows from it is the engine's matter.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use downpour_core::config::Address;
use downpour_core::ids::ConnectionId;
use downpour_wire::frame::Frame;
use mio::{Registry, Token};

use crate::config::connector::Connector;
use crate::io::connect::{self, Attempt, Buffers, Progress};
use crate::io::connection::{Link, Reading, Socket};
use crate::io::pool::{Pool, no_thread};
use crate::shared::shared::Shared;

/// The waker's token; connections count up from the next.
pub(super) const WAKER: Token = Token(0);

fn token(link: ConnectionId) -> Token {
    Token(
        usize::try_from(link.0)
            .unwrap_or(usize::MAX - 1)
            .wrapping_add(1),
    )
}

fn link_of(token: Token) -> ConnectionId {
    ConnectionId((token.0 as u64).wrapping_sub(1))
}

/// A connection at some stage.
#[derive(Debug)]
enum State {
    /// Its name is being resolved, or the caller's closure runs.
    Pending,
    Connecting(Attempt),
    Open(Link),
}

/// What the selector says of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    pub(super) token: Token,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The peer closed its side, or the connection broke.
    pub(super) ending: bool,
}

/// Something that happened to a connection.
#[derive(Debug)]
pub(super) enum Happening {
    Connected(ConnectionId),
    ConnectFailed(ConnectionId, String),
    Disconnected(ConnectionId, String),
    Written(ConnectionId, u64),
}

/// What the pool brought back.
enum Opened {
    Resolved(Vec<SocketAddr>),
    #[cfg(unix)]
    Stream(std::os::unix::net::UnixStream),
}

/// Resolves a name, or runs the caller's closure, which may do anything, panic included.
fn open(connector: &Connector, address: &Address) -> io::Result<Opened> {
    match connector {
        Connector::Tcp => connect::resolve(address).map(Opened::Resolved),
        #[cfg(unix)]
        Connector::Custom(open) => {
            let opened = catch_unwind(AssertUnwindSafe(|| open(&address.host, address.port)));
            match opened {
                Ok(opened) => opened.map(Opened::Stream),
                Err(_) => Err(io::Error::other("the connector panicked")),
            }
        }
    }
}

type Results = Arc<Mutex<Vec<(ConnectionId, io::Result<Opened>)>>>;

/// All connections.
pub(super) struct Links {
    shared: Arc<Shared>,
    states: BTreeMap<ConnectionId, State>,
    results: Results,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links")
            .field("states", &self.states)
            .finish_non_exhaustive()
    }
}

/// Answers are small; a large one takes several reads.
const READ_BYTES: usize = 32 << 10;

impl Links {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            states: BTreeMap::new(),
            results: Results::default(),
            buffer: vec![0; READ_BYTES],
        }
    }

    /// Begins to open a connection.
    pub(super) fn connect(
        &mut self,
        link: ConnectionId,
        address: &Address,
        pool: &Pool,
        registry: &Registry,
        now: Instant,
        out: &mut Vec<Happening>,
    ) {
        self.states.insert(link, State::Pending);
        let connector = self.shared.settings.connector.clone();
        if let (Connector::Tcp, Some(known)) = (&connector, connect::literal(address)) {
            self.handle_opened(link, Ok(Opened::Resolved(vec![known])), registry, now, out);
            return;
        }
        let (results, shared, address) =
            (self.results.clone(), self.shared.clone(), address.clone());
        let work = move || {
            let opened = open(&connector, &address);
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((link, opened));
            shared.mailbox.wake();
        };
        if pool.block(Box::new(move |_| work())).is_err() {
            self.handle_opened(link, Err(no_thread()), registry, now, out);
        }
    }

    /// Takes what the pool brought back.
    pub(super) fn take_results(
        &mut self,
        registry: &Registry,
        now: Instant,
        out: &mut Vec<Happening>,
    ) {
        let results =
            std::mem::take(&mut *self.results.lock().unwrap_or_else(PoisonError::into_inner));
        for (link, opened) in results {
            // It may have been given up meanwhile.
            if matches!(self.states.get(&link), Some(State::Pending)) {
                self.handle_opened(link, opened, registry, now, out);
            }
        }
    }

    fn handle_opened(
        &mut self,
        link: ConnectionId,
        opened: io::Result<Opened>,
        registry: &Registry,
        now: Instant,
        out: &mut Vec<Happening>,
    ) {
        match opened {
            Ok(Opened::Resolved(addresses)) => {
                let settings = &self.shared.settings;
                let buffers = Buffers {
                    send: settings.send_buffer,
                    receive: settings.receive_buffer,
                };
                let within = settings.core.connect_timeout;
                let attempt = Attempt::new(addresses, within, buffers, now);
                self.states.insert(link, State::Connecting(attempt));
                self.poll_attempt(link, registry, now, out);
            }
            #[cfg(unix)]
            Ok(Opened::Stream(stream)) => {
                let opened = stream.set_nonblocking(true).and_then(|()| {
                    let stream = mio::net::UnixStream::from_std(stream);
                    let mut open = self.new_link(Socket::Unix(stream));
                    open.register(registry, token(link))?;
                    Ok(open)
                });
                match opened {
                    Ok(open) => {
                        self.states.insert(link, State::Open(open));
                        out.push(Happening::Connected(link));
                    }
                    Err(error) => self.fail(link, error.to_string(), out),
                }
            }
            Err(error) => self.fail(link, error.to_string(), out),
        }
    }

    fn new_link(&self, socket: Socket) -> Link {
        Link::new(socket, self.shared.settings.core.response_max)
    }

    fn fail(&mut self, link: ConnectionId, reason: String, out: &mut Vec<Happening>) {
        self.states.remove(&link);
        out.push(Happening::ConnectFailed(link, reason));
    }

    fn poll_attempt(
        &mut self,
        link: ConnectionId,
        registry: &Registry,
        now: Instant,
        out: &mut Vec<Happening>,
    ) {
        let Some(State::Connecting(attempt)) = self.states.get_mut(&link) else {
            return;
        };
        match attempt.poll(registry, token(link), now) {
            Progress::Waiting => {}
            Progress::Open(stream) => {
                let open = self.new_link(Socket::Tcp(stream));
                self.states.insert(link, State::Open(open));
                out.push(Happening::Connected(link));
            }
            Progress::Failed(reason) => self.fail(link, reason, out),
        }
    }

    /// Goes on to the next address where one has not answered in its time.
    pub(super) fn poll_attempts(
        &mut self,
        registry: &Registry,
        now: Instant,
        out: &mut Vec<Happening>,
    ) {
        let due: Vec<ConnectionId> = self
            .states
            .iter()
            .filter(|(_, state)| match state {
                State::Connecting(attempt) => attempt.next_wake().is_some_and(|at| at <= now),
                _ => false,
            })
            .map(|(&link, _)| link)
            .collect();
        for link in due {
            self.poll_attempt(link, registry, now, out);
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
    pub(super) fn disconnect(&mut self, link: ConnectionId) {
        self.states.remove(&link);
    }

    /// Adds a frame to what a connection writes next.
    pub(super) fn write(&mut self, link: ConnectionId, frame: Frame) {
        if let Some(State::Open(open)) = self.states.get_mut(&link) {
            open.push(frame);
        }
    }

    /// Writes what the kernel takes, on all connections.
    pub(super) fn flush(&mut self, out: &mut Vec<Happening>) {
        let mut broken = Vec::new();
        for (&link, state) in &mut self.states {
            let State::Open(open) = state else { continue };
            if !open.has_output() {
                continue;
            }
            let flushed = open.flush();
            if let Some(total) = open.poll_written() {
                out.push(Happening::Written(link, total));
            }
            if let Err(error) = flushed {
                broken.push((link, error));
            }
        }
        for (link, error) in broken {
            self.states.remove(&link);
            out.push(Happening::Disconnected(link, error.to_string()));
        }
    }

    /// Takes an event of the selector; whole frames go to `received`.
    ///
    /// True if there may be more to read, so that it must be called again.
    pub(super) fn handle_event(
        &mut self,
        event: Ready,
        registry: &Registry,
        now: Instant,
        mut received: impl FnMut(ConnectionId, &[u8]),
        out: &mut Vec<Happening>,
    ) -> bool {
        let Ready {
            token,
            readable,
            writable,
            ending,
        } = event;
        let link = link_of(token);
        let was_connecting = matches!(self.states.get(&link), Some(State::Connecting(_)));
        if was_connecting {
            self.poll_attempt(link, registry, now, out);
        }
        let Some(State::Open(open)) = self.states.get_mut(&link) else {
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
                received(link, frame);
            }
            Ok(())
        });
        let reason = match reading {
            Reading::Drained => return false,
            Reading::More => return true,
            Reading::Ended => "the broker closed the connection".to_owned(),
            Reading::Failed(error) => error.to_string(),
        };
        self.states.remove(&link);
        out.push(Happening::Disconnected(link, reason));
        false
    }
}
