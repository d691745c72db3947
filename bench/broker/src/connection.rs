//! One connection, one thread: splits the stream into requests, in place, and serves each.

use std::io::{self, Read as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use downpour_wire::header::response_header_is_flexible;
use downpour_wire::messages::ApiKey;

use crate::control_plane;
use crate::cursor::Cursor;
use crate::outbox::Outbox;
use crate::produce::{self, Booked};
use crate::refusal::Refusal;
use crate::shared::Shared;

/// Several batches fit, and the caches hold it.
const BUFFER: usize = 512 << 10;

/// As Kafka's `socket.request.max.bytes`.
const FRAME_MAX: usize = 100 << 20;

/// Serves connections for ever.
pub(crate) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for socket in listener.incoming().flatten() {
        let serving = shared.clone();
        serving.opened();
        let spawned = thread::Builder::new()
            .name("connection".into())
            .spawn(move || {
                // A client may end as it likes; what it did wrong was counted.
                let _ = serve(&serving, socket);
                serving.closed();
            });
        if spawned.is_err() {
            shared.closed();
        }
    }
}

struct Connection {
    shared: Arc<Shared>,
    outbox: Outbox,
    answer: Vec<u8>,
    booked: Booked,
    served_until: Instant,
}

fn serve(shared: &Arc<Shared>, mut socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut connection = Connection {
        shared: shared.clone(),
        outbox: Outbox::new(shared.clone(), socket.try_clone()?),
        answer: Vec::with_capacity(4096),
        booked: Vec::new(),
        served_until: Instant::now(),
    };
    let mut buffer = vec![0; BUFFER];
    let (mut start, mut end) = (0, 0);
    loop {
        let mut wanted = 4;
        while let Some((prefix, rest)) = buffer[start..end].split_first_chunk::<4>() {
            let len = usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
            if len > FRAME_MAX {
                refuse(shared, Refusal("a frame is longer than allowed"));
                return Ok(());
            }
            wanted = 4 + len;
            let Some(frame) = rest.get(..len) else { break };
            if let Err(refusal) = connection.request(frame)? {
                refuse(shared, refusal);
                return Ok(());
            }
            start += wanted;
            wanted = 4;
        }
        if start == end {
            (start, end) = (0, 0);
        } else if start + wanted > buffer.len() {
            buffer.copy_within(start..end, 0);
            (start, end) = (0, end - start);
            if wanted > buffer.len() {
                buffer.resize(wanted, 0);
            }
        }
        let read = socket.read(&mut buffer[end..])?;
        if read == 0 {
            return Ok(());
        }
        end += read;
    }
}

fn refuse(shared: &Shared, refusal: Refusal) {
    shared.ledger().statistics.bad_request(refusal);
}

impl Connection {
    /// Serves one frame. The inner result is the client's fault, the outer one the socket's.
    fn request(&mut self, frame: &[u8]) -> io::Result<Result<(), Refusal>> {
        let arrived = Instant::now();
        self.answer.clear();
        self.answer.extend_from_slice(&[0; 4]);
        let wants_answer = match self.serve(frame) {
            Ok(wants_answer) => wants_answer,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let due = self.shared.delays.due(arrived, &mut self.served_until);
        let len = self.answer.len() as u32 - 4;
        self.answer[..4].copy_from_slice(&len.to_be_bytes());
        let answer = if wants_answer {
            self.answer.as_slice()
        } else {
            &[]
        };
        self.outbox.send(due, answer, &mut self.booked).map(Ok)
    }

    fn serve(&mut self, frame: &[u8]) -> Result<bool, Refusal> {
        let mut cursor = Cursor::new(frame);
        let key = cursor.i16()?;
        let version = cursor.i16()?;
        let correlation_id = cursor.i32()?;
        cursor.string(false)?;
        let key = ApiKey::try_from(key).map_err(|_| Refusal("an unknown request"))?;
        if key.is_flexible(version) {
            cursor.tags()?;
        }
        self.answer.extend_from_slice(&correlation_id.to_be_bytes());
        if response_header_is_flexible(key, version) {
            self.answer.push(0);
        }
        if key != ApiKey::Produce {
            control_plane::serve(&self.shared, key, version, cursor.rest(), &mut self.answer)?;
            return Ok(true);
        }
        if !(produce::VERSIONS.0..=produce::VERSIONS.1).contains(&version) {
            return Err(Refusal("a version of Produce that is not served here"));
        }
        produce::serve(
            &self.shared,
            version,
            cursor,
            &mut self.answer,
            &mut self.booked,
        )
    }
}

#[cfg(test)]
mod tests;
