//! Opening a TCP connection: every address that a name resolves to, one after the other.
//!
//! Resolving blocks and is done on the pool; connecting does not and is done here.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use downpour_core::client::connect_error::{ConnectErrorKind, ConnectFailure};
use downpour_core::config::Address;
use downpour_core::time::Readable;

use crate::io::sockets::{Socket, SocketOptions, Sockets};

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
    troubles: Troubles,
    /// When the next address gets its turn; a black hole must not use up all the time.
    next_at: Instant,
    each: Duration,
    options: SocketOptions,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum ConnectStep<S> {
    Waiting,
    Open(S),
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
        let what = format!("no answer in {}", Readable(within));
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

impl<S: Socket> ConnectAttempt<S> {
    /// Of these addresses, within this time altogether. Call [`poll`](Self::poll) next.
    pub(super) fn new(
        addresses: Vec<SocketAddr>,
        within: Duration,
        options: SocketOptions,
        now: Instant,
    ) -> Self {
        let count = u32::try_from(addresses.len().max(1)).unwrap_or(1);
        Self {
            left: addresses.into(),
            current: None,
            troubles: Troubles::default(),
            next_at: now,
            each: within / count,
            options,
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
                    Ok(false) => self.troubles.silent(address, self.each),
                    Err(error) => self.troubles.refused(address, error),
                }
            }
            let Some(address) = self.left.pop_front() else {
                return ConnectStep::Failed(self.troubles.take());
            };
            self.next_at = now.checked_add(self.each).unwrap_or(now);
            match sockets.connect(token, address, self.options) {
                Ok(stream) => self.current = Some((address, stream)),
                Err(error) => self.troubles.refused(address, error),
            }
        }
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
        assert_eq!(troubles.said[1], "127.0.0.2: no answer in 3 s");
    }
}
