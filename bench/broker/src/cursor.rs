//! Reads a request in place. Hand-written, so that the judge shares nothing with the judged.

use crate::refusal::Refusal;

/// What is left of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

const SHORT: Refusal = Refusal("a request ends too early");

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(SHORT)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Refusal> {
        self.array().map(i16::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Refusal> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn id(&mut self) -> Result<[u8; 16], Refusal> {
        self.array()
    }

    pub(crate) fn uvarint(&mut self) -> Result<u32, Refusal> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Refusal("a varint is too long"))
    }

    /// A length of `None` is null. `compact` lengths are one more than they mean.
    fn length(&mut self, compact: bool, wide: bool) -> Result<Option<usize>, Refusal> {
        if compact {
            return Ok((self.uvarint()? as usize).checked_sub(1));
        }
        let length = if wide {
            self.i32()?
        } else {
            i32::from(self.i16()?)
        };
        match length {
            -1 => Ok(None),
            _ => usize::try_from(length)
                .map(Some)
                .map_err(|_| Refusal("a length is negative")),
        }
    }

    pub(crate) fn string(&mut self, compact: bool) -> Result<Option<&'a [u8]>, Refusal> {
        match self.length(compact, false)? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn bytes(&mut self, compact: bool) -> Result<Option<&'a [u8]>, Refusal> {
        match self.length(compact, true)? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn count(&mut self, compact: bool) -> Result<usize, Refusal> {
        let count = self.length(compact, true)?;
        count.ok_or(Refusal("an array is null"))
    }

    pub(crate) fn tags(&mut self) -> Result<(), Refusal> {
        for _ in 0..self.uvarint()? {
            self.uvarint()?;
            let length = self.uvarint()? as usize;
            self.take(length)?;
        }
        Ok(())
    }
}
