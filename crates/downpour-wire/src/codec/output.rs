//! The bytes that a decompressor produces: they grow only as data appears, and never beyond the
//! caller's bound.

use crate::error::{DecodeError, DecodeErrorKind};

/// Decompressed bytes, at most `max` of them.
pub(super) struct Output {
    bytes: Vec<u8>,
    max: usize,
}

#[allow(
    dead_code,
    reason = "which of these a build uses depends on its codecs"
)]
impl Output {
    pub(super) const fn new(max: usize) -> Self {
        let bytes = Vec::new();
        Self { bytes, max }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many more bytes are allowed.
    pub(super) fn left(&self) -> usize {
        self.max - self.bytes.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends bytes that were stored as they are, found at `offset` of the input.
    pub(super) fn append(&mut self, bytes: &[u8], offset: usize) -> Result<(), DecodeError> {
        if bytes.len() > self.left() {
            return Err(too_large(offset));
        }
        self.reserve(bytes.len());
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Lets `fill` write up to `room` bytes after those that are there (given to it first) and say
    /// how many it wrote. `room` must not exceed [`left`](Self::left).
    pub(super) fn fill<E>(
        &mut self,
        room: usize,
        fill: impl FnOnce(&[u8], &mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let before = self.bytes.len();
        self.reserve(room);
        self.bytes.resize(before + room, 0);
        let (done, new) = self.bytes.split_at_mut(before);
        let written = fill(done, new);
        let kept = written.as_ref().map_or(0, |&n| n.min(room));
        self.bytes.truncate(before + kept);
        written
    }

    /// Doubles the capacity where that is needed, but not beyond the bound.
    fn reserve(&mut self, room: usize) {
        let (len, capacity) = (self.bytes.len(), self.bytes.capacity());
        if capacity - len < room {
            let target = capacity.saturating_mul(2).min(self.max).max(len + room);
            self.bytes.reserve_exact(target - len);
        }
    }
}

pub(super) const fn too_large(offset: usize) -> DecodeError {
    DecodeError::new(DecodeErrorKind::TooLarge, offset, "decompressed bytes")
}
