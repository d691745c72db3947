//! A network for tests: what it does with each address is said by the test.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::io::sockets::{Socket, SocketOptions, Sockets};

pub(super) fn v4(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 9092))
}

pub(super) fn v6(last: u16) -> SocketAddr {
    SocketAddr::from(([0xfd00, 0, 0, 0, 0, 0, 0, last], 9092))
}

/// Whoever is not named says nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Net(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Whether it opens or is refused.
    answers: BTreeMap<SocketAddr, bool>,
    tried: Vec<SocketAddr>,
    tokens: BTreeMap<SocketAddr, usize>,
    held: BTreeSet<SocketAddr>,
    inbound: VecDeque<u8>,
}

/// A socket.
#[derive(Debug)]
pub(super) struct End(SocketAddr, Net);

impl Net {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn answer(&self, address: SocketAddr, opens: bool) {
        self.lock().answers.insert(address, opens);
    }

    /// What whoever reads next finds.
    pub(super) fn say(&self, bytes: &[u8]) {
        self.lock().inbound.extend(bytes);
    }

    /// All addresses that were tried since this was asked last, in their order.
    pub(super) fn take_tried(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.lock().tried)
    }

    /// The token of the last socket to an address.
    pub(super) fn token(&self, address: SocketAddr) -> usize {
        self.lock().tokens[&address]
    }

    /// Where sockets are open, or being opened.
    pub(super) fn held(&self) -> Vec<SocketAddr> {
        self.lock().held.iter().copied().collect()
    }
}

impl Sockets for Net {
    type Socket = End;

    fn connect(&mut self, token: usize, address: SocketAddr, _: SocketOptions) -> io::Result<End> {
        let mut state = self.lock();
        state.tried.push(address);
        state.tokens.insert(address, token);
        state.held.insert(address);
        drop(state);
        Ok(End(address, self.clone()))
    }

    #[cfg(unix)]
    fn adopt(&mut self, _: usize, _: std::os::unix::net::UnixStream) -> io::Result<End> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl End {
    pub(super) fn address(&self) -> SocketAddr {
        self.0
    }
}

impl Socket for End {
    fn is_open(&self) -> io::Result<bool> {
        match self.1.lock().answers.get(&self.0) {
            Some(true) => Ok(true),
            Some(false) => Err(io::ErrorKind::ConnectionRefused.into()),
            None => Ok(false),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.1.lock();
        let count = buffer.len().min(state.inbound.len());
        for (to, from) in buffer.iter_mut().zip(state.inbound.drain(..count)) {
            *to = from;
        }
        match count {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(count),
        }
    }

    fn write_vectored(&mut self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.1.lock().held.remove(&self.0);
    }
}
