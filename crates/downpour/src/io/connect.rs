//! Opening a TCP connection: every address that a name resolves to, one after the other.
//!
//! Resolving blocks and is done on the pool; connecting does not and is done here.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use downpour_core::config::Address;

use crate::io::sockets::{Buffers, Socket, Sockets};

/// More addresses than this behind one name are not tried in one attempt.
const ADDRESSES_MAX: usize = 16;

/// The address itself, if the host is a literal: no name to resolve.
pub(super) fn literal(address: &Address) -> Option<SocketAddr> {
    let ip: IpAddr = address.host.parse().ok()?;
    Some(SocketAddr::new(ip, address.port))
}

/// All addresses of a host's name. Blocks.
pub(super) fn resolve(address: &Address) -> io::Result<Vec<SocketAddr>> {
    let found = (&*address.host, address.port).to_socket_addrs()?;
    Ok(found.take(ADDRESSES_MAX).collect())
}

/// An attempt to connect.
#[derive(Debug)]
pub(super) struct ConnectAttempt<S> {
    left: VecDeque<SocketAddr>,
    current: Option<(SocketAddr, S)>,
    troubles: Vec<String>,
    /// When the next address gets its turn; a black hole must not use up all the time.
    next_at: Instant,
    each: Duration,
    buffers: Buffers,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum ConnectStep<S> {
    Waiting,
    Open(S),
    /// None of the addresses answered; what each said.
    Failed(String),
}

impl<S: Socket> ConnectAttempt<S> {
    /// Of these addresses, within this time altogether. Call [`poll`](Self::poll) next.
    pub(super) fn new(
        addresses: Vec<SocketAddr>,
        within: Duration,
        buffers: Buffers,
        now: Instant,
    ) -> Self {
        let count = u32::try_from(addresses.len().max(1)).unwrap_or(1);
        Self {
            left: addresses.into(),
            current: None,
            troubles: Vec::new(),
            next_at: now,
            each: within / count,
            buffers,
        }
    }

    /// When to look again though nothing happens.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        (!self.left.is_empty()).then_some(self.next_at)
    }

    /// Looks whether the current address answered, and goes on to the next.
    pub(super) fn poll(
        &mut self,
        sockets: &mut impl Sockets<Socket = S>,
        token: usize,
        now: Instant,
    ) -> ConnectStep<S> {
        loop {
            if let Some((address, stream)) = self.current.take() {
                match stream.is_open() {
                    Ok(true) => return ConnectStep::Open(stream),
                    Ok(false) if self.left.is_empty() || now < self.next_at => {
                        self.current = Some((address, stream));
                        return ConnectStep::Waiting;
                    }
                    Ok(false) => self.trouble(address, &format!("no answer in {:?}", self.each)),
                    Err(error) => self.trouble(address, &error.to_string()),
                }
            }
            let Some(address) = self.left.pop_front() else {
                let mut said = self.troubles.join(", ");
                if said.is_empty() {
                    said.push_str("the name has no address");
                }
                return ConnectStep::Failed(said);
            };
            self.next_at = now.checked_add(self.each).unwrap_or(now);
            match sockets.connect(token, address, self.buffers) {
                Ok(stream) => self.current = Some((address, stream)),
                Err(error) => self.trouble(address, &error.to_string()),
            }
        }
    }

    fn trouble(&mut self, address: SocketAddr, what: &str) {
        self.troubles.push(format!("{}: {what}", address.ip()));
    }
}
