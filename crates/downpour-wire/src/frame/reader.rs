//! Splitting a stream of bytes into frames. What a frame says is read by `header`.

use crate::error::{DecodeError, DecodeErrorKind};

/// The largest frame that is read unless another limit is set: 100 MiB, as Kafka's
/// `socket.request.max.bytes`.
pub const FRAME_MAX: usize = 100 * 1024 * 1024;

/// Above this the buffer is given back when it becomes empty.
const KEEP: usize = 256 * 1024;

/// Splits a stream into frames. Memory grows as bytes arrive, never by what a length field claims.
#[derive(Debug)]
pub struct FrameReader {
    buf: Vec<u8>,
    /// The bytes before this were handed out as frames; they go with the next push.
    start: usize,
    max: usize,
    failed: Option<DecodeError>,
    /// The length that it failed of.
    claimed: i32,
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new(FRAME_MAX)
    }
}

impl FrameReader {
    /// Refuses frames of more than `max` bytes, not counting their length field.
    #[must_use]
    pub const fn new(max: usize) -> Self {
        Self {
            buf: Vec::new(),
            start: 0,
            max,
            failed: None,
            claimed: 0,
        }
    }

    /// Appends bytes from the stream. Call [`Self::next_frame`] until it answers `None` before the
    /// next push, so that no more is held than one frame and one push.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.discard();
        self.buf.extend_from_slice(bytes);
    }

    /// The next whole frame without its length, or `None` until more bytes arrive.
    ///
    /// # Errors
    /// `TooLarge` or `LengthOutOfBounds` if the next length is above the limit or negative. The
    /// stream is lost then: what is pushed later is ignored, and every call answers the same.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(prefix) = self.buf[self.start..].first_chunk::<4>() else {
            return Ok(None);
        };
        let claimed = i32::from_be_bytes(*prefix);
        let kind = match usize::try_from(claimed) {
            Ok(len) if len <= self.max => {
                let body = self.start + 4;
                if self.buf.len() - body < len {
                    return Ok(None);
                }
                self.start = body + len;
                return Ok(Some(&self.buf[body..self.start]));
            }
            Ok(_) => DecodeErrorKind::TooLarge,
            Err(_) => DecodeErrorKind::LengthOutOfBounds,
        };
        let error = DecodeError::new(kind, 0, "a frame's length");
        (self.failed, self.claimed) = (Some(error), claimed);
        (self.buf, self.start) = (Vec::new(), 0);
        Err(error)
    }

    /// The length that was refused, after an error.
    #[must_use]
    pub const fn refused(&self) -> Option<i32> {
        if self.failed.is_some() {
            Some(self.claimed)
        } else {
            None
        }
    }

    /// How many bytes wait for the rest of their frame.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buf.len() - self.start
    }

    /// Frees what was handed out. The rest is moved only if it is less than what is freed, so that a
    /// stream of small frames costs at most one move per byte.
    fn discard(&mut self) {
        if self.start == self.buf.len() {
            self.start = 0;
            if self.buf.capacity() > KEEP {
                self.buf = Vec::new();
            } else {
                self.buf.clear();
            }
        } else if self.start >= self.buf.len() / 2 {
            self.buf.drain(..self.start);
            self.start = 0;
        }
    }
}
