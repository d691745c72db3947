//! A request frame as a list of slices. What the bytes say is decided by who builds it.

use std::fmt;
use std::io::IoSlice;
use std::ops::Range;
use std::sync::Arc;

use crate::batch::Body;

/// A frame as a gather list: small bytes in one buffer, batch bodies shared and never copied.
#[derive(Clone, Default)]
pub struct Frame {
    small: Vec<u8>,
    bodies: Vec<Arc<Body>>,
    pieces: Vec<Piece>,
    len: usize,
}

#[derive(Clone)]
struct Piece {
    /// Where the piece begins in the frame; ascending, so that a position is found by bisection.
    start: usize,
    bytes: PieceBytes,
}

#[derive(Clone)]
enum PieceBytes {
    /// A range of the buffer of small bytes.
    Small(Range<usize>),
    /// A chunk of a body.
    Chunk { body: usize, chunk: usize },
}

impl Frame {
    /// A frame whose bytes are all known already.
    #[must_use]
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        let mut frame = Self {
            small: bytes,
            ..Self::default()
        };
        frame.push_small(0..frame.small.len());
        frame
    }

    /// How many bytes the frame has, its own length field included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends at most `max` slices to `out` that begin at byte `from` of the frame: what a
    /// vectored write is to be given when `from` bytes have been written.
    pub fn io_slices<'a>(&'a self, from: usize, out: &mut Vec<IoSlice<'a>>, max: usize) {
        if from >= self.len {
            return;
        }
        // The first piece starts at 0, so that at least one starts at or before `from`.
        let first = self
            .pieces
            .partition_point(|piece| piece.start <= from)
            .saturating_sub(1);
        for piece in self.pieces.iter().skip(first).take(max) {
            let bytes = self.bytes(piece);
            let skip = from.saturating_sub(piece.start);
            out.push(IoSlice::new(&bytes[skip..]));
        }
    }

    /// A copy of the whole frame: for tests and simulators.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len);
        for piece in &self.pieces {
            all.extend_from_slice(self.bytes(piece));
        }
        all
    }

    fn bytes(&self, piece: &Piece) -> &[u8] {
        match &piece.bytes {
            PieceBytes::Small(range) => &self.small[range.clone()],
            PieceBytes::Chunk { body, chunk } => &self.bodies[*body].chunks()[*chunk],
        }
    }

    /// Puts `small` in place of the buffer: the ranges already pushed must lie within it.
    pub(super) fn set_small(&mut self, small: Vec<u8>) {
        self.small = small;
    }

    /// Makes room for so many bodies and what is between them.
    pub(super) fn reserve(&mut self, bodies: usize) {
        self.bodies.reserve(bodies);
        self.pieces.reserve(2 * bodies + 1);
    }

    /// Appends a range of the buffer of small bytes.
    pub(super) fn push_small(&mut self, range: Range<usize>) {
        let len = range.len();
        self.push(len, PieceBytes::Small(range));
    }

    /// Appends the chunks of a body.
    pub(super) fn push_body(&mut self, shared: Arc<Body>) {
        let body = self.bodies.len();
        for (chunk, bytes) in shared.chunks().iter().enumerate() {
            self.push(bytes.len(), PieceBytes::Chunk { body, chunk });
        }
        self.bodies.push(shared);
    }

    fn push(&mut self, len: usize, bytes: PieceBytes) {
        // An empty slice would make a vectored write return 0 as if the peer had gone.
        if len > 0 {
            self.pieces.push(Piece {
                start: self.len,
                bytes,
            });
            self.len += len;
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("len", &self.len)
            .field("pieces", &self.pieces.len())
            .field("bodies", &self.bodies.len())
            .finish()
    }
}
