//! Opening a TCP connection: every address that a name resolves to, one after the other.
//!
//! Resolving blocks and is done on the pool; connecting does not and is done here.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use downpour_core::client::connect_error::{ConnectErrorKind, ConnectFailure};
use downpour_core::config::Address;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

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

/// Sizes of the kernel's buffers, where they were asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buffers {
    pub(super) send: Option<usize>,
    pub(super) receive: Option<usize>,
}

/// An attempt to connect.
#[derive(Debug)]
pub(super) struct ConnectAttempt {
    left: VecDeque<SocketAddr>,
    current: Option<(SocketAddr, TcpStream)>,
    troubles: Troubles,
    /// When the next address gets its turn; a black hole must not use up all the time.
    next_at: Instant,
    each: Duration,
    buffers: Buffers,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum ConnectStep {
    Waiting,
    Open(TcpStream),
    /// None of the addresses answered.
    Failed(ConnectFailure),
}

/// What each address said that did not answer.
#[derive(Debug, Default)]
struct Troubles {
    said: Vec<String>,
    /// Of the one that came nearest: somebody who refuses is nearer than nobody who answers, and
    /// that is nearer than no way there.
    nearest: Option<(ConnectErrorKind, Option<io::Error>)>,
}

impl Troubles {
    /// The operating system said no.
    fn refused(&mut self, address: SocketAddr, error: io::Error) {
        let kind = match error.kind() {
            io::ErrorKind::ConnectionRefused => ConnectErrorKind::Refused,
            io::ErrorKind::TimedOut => ConnectErrorKind::TimedOut,
            _ => ConnectErrorKind::Unreachable,
        };
        self.add(address, &error.to_string(), kind, Some(error));
    }

    /// Nobody said anything.
    fn silent(&mut self, address: SocketAddr, within: Duration) {
        let what = format!("no answer in {within:?}");
        self.add(address, &what, ConnectErrorKind::TimedOut, None);
    }

    fn add(
        &mut self,
        address: SocketAddr,
        what: &str,
        kind: ConnectErrorKind,
        error: Option<io::Error>,
    ) {
        self.said.push(format!("{}: {what}", address.ip()));
        let distance = |kind| match kind {
            ConnectErrorKind::Refused => 0,
            ConnectErrorKind::TimedOut => 1,
            _ => 2,
        };
        let nearest = self.nearest.as_ref();
        if nearest.is_none_or(|(nearest, _)| distance(kind) < distance(*nearest)) {
            self.nearest = Some((kind, error));
        }
    }

    fn take(&mut self) -> ConnectFailure {
        let said = std::mem::take(&mut self.said).join(", ");
        match self.nearest.take() {
            Some((kind, Some(error))) => ConnectFailure::new(kind, said).with_source(error),
            Some((kind, None)) => ConnectFailure::new(kind, said),
            None => ConnectFailure::new(ConnectErrorKind::Resolve, "the name has no address"),
        }
    }
}

impl ConnectAttempt {
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
            troubles: Troubles::default(),
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
    pub(super) fn poll(&mut self, registry: &Registry, token: Token, now: Instant) -> ConnectStep {
        loop {
            if let Some((address, stream)) = self.current.take() {
                match state(&stream) {
                    Ok(true) => return ConnectStep::Open(stream),
                    Ok(false) if self.left.is_empty() || now < self.next_at => {
                        self.current = Some((address, stream));
                        return ConnectStep::Waiting;
                    }
                    Ok(false) => self.troubles.silent(address, self.each),
                    Err(error) => self.troubles.refused(address, error),
                }
            }
            let Some(address) = self.left.pop_front() else {
                return ConnectStep::Failed(self.troubles.take());
            };
            self.next_at = now.checked_add(self.each).unwrap_or(now);
            match self.open(address, registry, token) {
                Ok(stream) => self.current = Some((address, stream)),
                Err(error) => self.troubles.refused(address, error),
            }
        }
    }

    fn open(
        &self,
        address: SocketAddr,
        registry: &Registry,
        token: Token,
    ) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address)?;
        let socket = SockRef::from(&stream);
        if let Some(bytes) = self.buffers.send {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.buffers.receive {
            socket.set_recv_buffer_size(bytes)?;
        }
        // Requests are written whole; waiting for more to fill a packet only delays them.
        socket.set_tcp_nodelay(true)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(stream)
    }
}

/// Whether a connection is open; not yet is no error.
fn state(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_addresses_each_is_named_and_the_nearest_says_what_kind_it_is() {
        let address = |last| SocketAddr::from(([127, 0, 0, last], 9092));
        let mut troubles = Troubles::default();
        troubles.refused(address(1), io::ErrorKind::HostUnreachable.into());
        troubles.silent(address(2), Duration::from_secs(3));
        troubles.refused(address(3), io::ErrorKind::ConnectionRefused.into());
        troubles.refused(address(4), io::ErrorKind::NetworkUnreachable.into());
        let (kind, error) = troubles.nearest.take().unwrap();
        assert_eq!(kind, ConnectErrorKind::Refused);
        assert_eq!(error.unwrap().kind(), io::ErrorKind::ConnectionRefused);
        let hosts = troubles.said.iter().map(|said| said.split(':').next());
        let all = [1, 2, 3, 4].map(|last| format!("127.0.0.{last}"));
        assert!(hosts.eq(all.iter().map(|host| Some(host.as_str()))));
        assert_eq!(troubles.said[1], "127.0.0.2: no answer in 3s");
    }
}
