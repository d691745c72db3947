//! One open connection: what is to be written, and the frames that arrive.
//!
//! Knows nothing of requests; frames go out in order and come in whole.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use downpour_core::client::ending::DisconnectReason;
use downpour_core::mutants;
use downpour_wire::error::{DecodeError, DecodeErrorKind};
use downpour_wire::frame::{Frame, FrameReader};

use crate::io::sockets::Socket;

/// Pieces in one vectored write: as many as Linux takes, for with thousands of partitions each is
/// small. Where a system takes fewer, std hands over fewer.
const SLICES_MAX: usize = 1024;
/// Reads in a row before other connections get their turn.
const READS_MAX: usize = 16;

/// What reading came to.
#[derive(Debug)]
pub(super) enum Reading {
    /// Nothing more for now.
    Drained,
    /// There may be more; others first.
    More,
    /// The peer closed the connection.
    Ended,
    /// It broke.
    Failed(io::Error),
    /// What came is no frame.
    Garbled(DecodeError),
    /// Who answers is no broker.
    Stranger(DisconnectReason),
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection<S> {
    socket: S,
    frames: VecDeque<Frame>,
    /// Bytes of the first frame that are written.
    offset: usize,
    written: u64,
    reported: u64,
    /// Cleared when the kernel refuses to take more, set by the selector's next event. The events
    /// are edges: a try in between would only be refused again.
    writable: bool,
    /// Set when the selector says that the peer ends the stream, which it says once; never
    /// cleared. Without it a read that came short, because the end is behind the data, would be
    /// the last one, and the end would not be seen before the request timeout.
    ending: bool,
    reader: FrameReader,
    /// The bytes that came first, by which a port is told that speaks something else.
    first: Vec<u8>,
}

impl<S: Socket> Connection<S> {
    pub(super) fn new(socket: S, response_max: usize) -> Self {
        Self {
            socket,
            frames: VecDeque::new(),
            offset: 0,
            written: 0,
            reported: 0,
            writable: true,
            ending: false,
            reader: FrameReader::new(response_max),
            first: Vec::new(),
        }
    }

    /// Whether something waits to be written.
    pub(super) fn has_output(&self) -> bool {
        !self.frames.is_empty()
    }

    /// The kernel takes bytes again.
    pub(super) fn handle_writable(&mut self) {
        self.writable = true;
    }

    /// The peer ends the stream: reading must go on until it sees the end.
    pub(super) fn handle_ending(&mut self) {
        self.ending = !mutants::is(48);
    }

    /// Adds a frame to what is to be written. Bounded by the requests in flight.
    pub(super) fn push(&mut self, frame: Frame) {
        if !frame.is_empty() {
            self.frames.push_back(frame);
        }
    }

    /// Writes what the kernel takes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while self.writable && !self.frames.is_empty() {
            // Grown as needed: a lone record has three pieces, not a thousand.
            let mut slices = Vec::new();
            let mut offset = self.offset;
            for frame in &self.frames {
                if slices.len() == SLICES_MAX {
                    break;
                }
                let room = SLICES_MAX - slices.len();
                frame.io_slices(offset, &mut slices, room);
                offset = 0;
            }
            match self.socket.write_vectored(&slices) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.advance(written),
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn advance(&mut self, written: usize) {
        self.written += written as u64;
        self.offset += written;
        while let Some(first) = self.frames.front() {
            if self.offset < first.len() {
                break;
            }
            self.offset = mutants::pick(43, 0, self.offset - first.len());
            self.frames.pop_front();
        }
    }

    /// Why the connection has to end, if the bytes that came first tell. Whether they are a frame is
    /// the reader's matter: with a high limit they could be the beginning of one that never ends.
    fn look_at_first(&mut self, bytes: &[u8]) -> Option<DisconnectReason> {
        let missing = DisconnectReason::FIRST_BYTES.checked_sub(self.first.len() + 1)?;
        self.first
            .extend_from_slice(&bytes[..bytes.len().min(missing + 1)]);
        DisconnectReason::by_first_bytes(&self.first)
    }

    /// Bytes written since the connection was opened, if that changed since the last call.
    pub(super) fn poll_written(&mut self) -> Option<u64> {
        (self.reported != self.written).then(|| {
            self.reported = self.written;
            self.written
        })
    }

    /// What is wrong with what came, once a read was garbled.
    pub(super) fn what_is_garbled(&self, error: DecodeError) -> String {
        match self.reader.refused() {
            Some(len) if error.kind == DecodeErrorKind::TooLarge => format!(
                "an answer of {len} bytes, which is more than response_max \
                 (receive.message.max.bytes) allows"
            ),
            Some(len) => format!("what came is no answer: it claims {len} bytes"),
            None => format!("what came is no answer: {error}"),
        }
    }

    /// Reads what is there. `each` is called after every read and takes whole frames out, so
    /// that no more than one frame and one read are held.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        mut each: impl FnMut(&mut FrameReader) -> Result<(), DecodeError>,
    ) -> Reading {
        for _ in 0..READS_MAX {
            match self.socket.read(buffer) {
                Ok(0) => return Reading::Ended,
                Ok(count) => {
                    if let Some(reason) = self.look_at_first(&buffer[..count]) {
                        return Reading::Stranger(reason);
                    }
                    self.reader.push(&buffer[..count]);
                    if let Err(error) = each(&mut self.reader) {
                        return Reading::Garbled(error);
                    }
                    // A short read emptied a stream socket's buffer; what comes later is a
                    // new event. But the end that came with this data was announced already.
                    if count < buffer.len() && !self.ending && S::SHORT_READ_ARMS {
                        return Reading::Drained;
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Reading::Drained,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Reading::Failed(e),
            }
        }
        Reading::More
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
