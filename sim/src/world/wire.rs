//! The client's ends of all connections: the sockets that the producer under test is given.
//!
//! A socket takes as many bytes as there is room for and gives what has arrived; when either
//! changes is told as an event, once, as an edge. What travels when is `network`'s.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use downpour::simulation::{Socket, SocketEvent, SocketOptions, Sockets};

use crate::rng::Rng;

/// Names a connection for good; sockets that are opened one after the other for one connection
/// share the token and have numbers of their own.
pub(crate) type LinkId = u64;

/// What the producer did to its sockets since the world looked last.
#[derive(Debug)]
pub(crate) enum Deed {
    Connect(LinkId, SocketAddr),
    /// Bytes that a socket took.
    Written(LinkId, Vec<u8>),
    /// A request of which the first byte was taken, whole.
    Begun(LinkId, Vec<u8>),
    /// A write found no room.
    Full(LinkId),
    /// The socket is closed; whether it had taken its last request whole.
    Close(LinkId, bool),
}

/// How far a client's end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    Open,
    Refused,
    /// Reads and writes fail.
    Reset,
}

#[derive(Debug)]
struct End {
    token: usize,
    stage: Stage,
    inbound: VecDeque<u8>,
    /// The peer sends nothing more.
    finished: bool,
    /// No room until the world makes some.
    full: bool,
    /// Bytes of the request that was begun that are still to be taken.
    begun: usize,
}

/// All ends.
#[derive(Debug)]
struct Ends {
    ends: BTreeMap<LinkId, End>,
    next: LinkId,
    deeds: Vec<Deed>,
    events: Vec<SocketEvent>,
    rng: Rng,
    /// Of a hundred writes so many are taken in part.
    piecemeal: u64,
    /// Of a hundred reads and writes so many are interrupted, and of a hundred events so many tell
    /// also of what did not happen.
    interrupted: u64,
}

/// The world's and the producer's hold on the ends.
#[derive(Debug, Clone)]
pub(crate) struct Wires(Arc<Mutex<Ends>>);

/// One socket.
#[derive(Debug)]
pub(crate) struct Wire {
    id: LinkId,
    ends: Wires,
}

impl Wires {
    pub(crate) fn new(seed: u64, piecemeal: u64, interrupted: u64) -> Self {
        Self(Arc::new(Mutex::new(Ends {
            ends: BTreeMap::new(),
            next: 0,
            deeds: Vec::new(),
            events: Vec::new(),
            rng: Rng::new(seed),
            piecemeal,
            interrupted,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take_deeds(&self) -> Vec<Deed> {
        std::mem::take(&mut self.lock().deeds)
    }

    /// What there is to tell, each socket once.
    pub(crate) fn take_events(&self) -> Vec<SocketEvent> {
        std::mem::take(&mut self.lock().events)
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.lock().events.is_empty()
    }

    /// Whether a request was taken in part.
    pub(crate) fn is_within_a_request(&self, id: LinkId) -> bool {
        self.lock().ends.get(&id).is_some_and(|end| end.begun > 0)
    }

    /// Whether the client still has this end.
    pub(crate) fn is_held(&self, id: LinkId) -> bool {
        self.lock().ends.contains_key(&id)
    }

    /// The connection is open, or is refused.
    pub(crate) fn answer(&self, id: LinkId, open: bool) {
        let stage = if open { Stage::Open } else { Stage::Refused };
        self.change(id, |end| {
            end.stage = stage;
            (!open, true, !open)
        });
    }

    /// Bytes arrive.
    pub(crate) fn deliver(&self, id: LinkId, bytes: &[u8]) {
        self.change(id, |end| {
            end.inbound.extend(bytes);
            (true, false, false)
        });
    }

    /// The peer will send nothing more; what has arrived can be read.
    pub(crate) fn finish(&self, id: LinkId) {
        self.change(id, |end| {
            end.finished = true;
            (true, false, true)
        });
    }

    /// The connection breaks; what has arrived is lost.
    pub(crate) fn reset(&self, id: LinkId) {
        self.change(id, |end| {
            end.stage = Stage::Reset;
            end.inbound.clear();
            (true, true, true)
        });
    }

    /// There is room to write again.
    pub(crate) fn make_room(&self, id: LinkId) {
        self.change(id, |end| {
            end.full = false;
            (false, true, false)
        });
    }

    /// Changes an end and tells of it: readable, writable, ending.
    fn change(&self, id: LinkId, change: impl FnOnce(&mut End) -> (bool, bool, bool)) {
        let mut ends = self.lock();
        let Some(end) = ends.ends.get_mut(&id) else {
            return;
        };
        let (mut readable, mut writable, ending) = change(end);
        let token = end.token;
        if ends.is_interrupted() {
            (readable, writable) = (true, true);
        }
        match ends.events.iter_mut().find(|event| event.token == token) {
            Some(event) => {
                event.readable |= readable;
                event.writable |= writable;
                event.ending |= ending;
            }
            None => ends.events.push(SocketEvent {
                token,
                readable,
                writable,
                ending,
            }),
        }
    }
}

impl Ends {
    /// Drawn only where anything is interrupted, so that other runs are as they were.
    fn is_interrupted(&mut self) -> bool {
        self.interrupted > 0 && self.rng.percent(self.interrupted)
    }
}

impl Sockets for Wires {
    type Socket = Wire;

    fn connect(&mut self, token: usize, address: SocketAddr, _: SocketOptions) -> io::Result<Wire> {
        let mut ends = self.lock();
        let id = ends.next;
        ends.next += 1;
        ends.ends.insert(
            id,
            End {
                token,
                stage: Stage::Opening,
                inbound: VecDeque::new(),
                finished: false,
                full: false,
                begun: 0,
            },
        );
        ends.deeds.push(Deed::Connect(id, address));
        drop(ends);
        let ends = self.clone();
        Ok(Wire { id, ends })
    }

    fn adopt(&mut self, _: usize, _: UnixStream) -> io::Result<Wire> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl Socket for Wire {
    fn is_open(&self) -> io::Result<bool> {
        match self.ends.lock().ends.get(&self.id).map(|end| end.stage) {
            Some(Stage::Opening) => Ok(false),
            Some(Stage::Open) => Ok(true),
            Some(Stage::Refused) => Err(ErrorKind::ConnectionRefused.into()),
            Some(Stage::Reset) | None => Err(ErrorKind::ConnectionReset.into()),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ends = self.ends.lock();
        if ends.is_interrupted() {
            return Err(ErrorKind::Interrupted.into());
        }
        let end = ends.ends.get_mut(&self.id).ok_or(ErrorKind::NotConnected)?;
        if end.stage == Stage::Reset {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let count = buffer.len().min(end.inbound.len());
        if count == 0 {
            return match end.finished {
                true => Ok(0),
                false => Err(ErrorKind::WouldBlock.into()),
            };
        }
        for (to, from) in buffer.iter_mut().zip(end.inbound.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut guard = self.ends.lock();
        let ends = &mut *guard;
        if ends.is_interrupted() {
            return Err(ErrorKind::Interrupted.into());
        }
        let piecemeal = ends.piecemeal;
        let end = ends.ends.get_mut(&self.id).ok_or(ErrorKind::NotConnected)?;
        if end.stage == Stage::Reset {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if end.full {
            ends.deeds.push(Deed::Full(self.id));
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut offered = Vec::new();
        slices
            .iter()
            .for_each(|slice| offered.extend_from_slice(slice));
        let mut count = offered.len();
        if ends.rng.percent(piecemeal) {
            count = ends.rng.size(1, count);
            end.full = count < offered.len();
        }
        let mut at = end.begun;
        while at < count {
            let len = offered[at..].first_chunk::<4>();
            let len = len.map_or(0, |len| u32::from_be_bytes(*len) as usize) + 4;
            if let Some(request) = offered.get(at..at + len) {
                ends.deeds.push(Deed::Begun(self.id, request.to_vec()));
            }
            at += len;
        }
        end.begun = at - count;
        ends.deeds
            .push(Deed::Written(self.id, offered[..count].to_vec()));
        Ok(count)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut ends = self.ends.lock();
        let mut is_whole = true;
        if let Some(end) = ends.ends.remove(&self.id) {
            is_whole = end.begun == 0;
            // The token is free for the connection's next socket, of which nothing was told yet.
            ends.events.retain(|event| event.token != end.token);
        }
        ends.deeds.push(Deed::Close(self.id, is_whole));
    }
}
