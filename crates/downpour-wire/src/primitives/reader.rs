//! Reading Kafka's integers and ids from a slice, and taking bytes that are bounded by what remains.
//! Nothing here allocates. Strings, arrays and tagged fields are the messages' part.

use super::uuid::Uuid;
use crate::error::{DecodeError, DecodeErrorKind};

/// A position in a slice of bytes from a peer.
///
/// After an error the position is unspecified; the whole value is to be given up.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where `bytes` begins in the input as a whole, so that offsets in errors are the input's.
    base: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            base: 0,
        }
    }

    /// How many bytes of the input lie before the next one.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.base + self.at
    }

    /// How many bytes remain.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The bytes that remain, without moving.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// An error of `kind` at the present position.
    #[must_use]
    pub const fn error(&self, kind: DecodeErrorKind, what: &'static str) -> DecodeError {
        DecodeError::new(kind, self.position(), what)
    }

    /// Succeeds if no bytes remain.
    ///
    /// # Errors
    /// `TrailingBytes`.
    pub fn finish(&self, what: &'static str) -> Result<(), DecodeError> {
        if self.remaining() == 0 {
            Ok(())
        } else {
            Err(self.error(DecodeErrorKind::TrailingBytes, what))
        }
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// `Truncated` if fewer remain.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        if n > self.remaining() {
            return Err(self.error(DecodeErrorKind::Truncated, "bytes"));
        }
        let taken = &self.bytes[self.at..self.at + n];
        self.at += n;
        Ok(taken)
    }

    /// A reader over the next `n` bytes, which this one skips. Its offsets are those of the whole.
    ///
    /// # Errors
    /// `Truncated` if fewer remain.
    pub fn sub(&mut self, n: usize) -> Result<Self, DecodeError> {
        let base = self.position();
        Ok(Self {
            bytes: self.take(n)?,
            at: 0,
            base,
        })
    }

    fn fixed<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        match self.rest().first_chunk::<N>() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(self.error(DecodeErrorKind::Truncated, what)),
        }
    }

    /// A signed byte.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        Ok(i8::from_be_bytes(self.fixed("an 8-bit integer")?))
    }

    /// A 16-bit integer.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        Ok(i16::from_be_bytes(self.fixed("a 16-bit integer")?))
    }

    /// A 32-bit integer.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.fixed("a 32-bit integer")?))
    }

    /// A 64-bit integer.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.fixed("a 64-bit integer")?))
    }

    /// An unsigned 32-bit integer.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.fixed("a 32-bit integer")?))
    }

    /// A boolean: any byte but 0 is true, as Kafka reads it.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.fixed::<1>("a boolean")? != [0])
    }

    /// An id of sixteen bytes.
    ///
    /// # Errors
    /// `Truncated`.
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        Ok(Uuid(self.fixed("a uuid")?))
    }

    /// At most `max_bytes` groups of seven bits, low ones first, that must fit in `bits`.
    fn groups(&mut self, bits: u32, what: &'static str) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        let mut shift = 0;
        loop {
            let [byte] = self.fixed::<1>(what)?;
            let group = u64::from(byte & 0x7f);
            let room = bits - shift;
            if room < 7 && (group >> room) != 0 {
                return Err(self.error(DecodeErrorKind::VarintOverflow, what));
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift += 7;
            if shift >= bits {
                return Err(self.error(DecodeErrorKind::VarintOverflow, what));
            }
        }
    }

    /// An unsigned varint of up to 32 bits.
    ///
    /// # Errors
    /// `Truncated`, `VarintOverflow`.
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        Ok(self.groups(32, "an unsigned varint")? as u32)
    }

    /// A zigzag varint of 32 bits.
    ///
    /// # Errors
    /// `Truncated`, `VarintOverflow`.
    pub fn varint(&mut self) -> Result<i32, DecodeError> {
        let raw = self.groups(32, "a varint")? as u32;
        Ok((raw >> 1) as i32 ^ -((raw & 1) as i32))
    }

    /// A zigzag varint of 64 bits.
    ///
    /// # Errors
    /// `Truncated`, `VarintOverflow`.
    pub fn varlong(&mut self) -> Result<i64, DecodeError> {
        let raw = self.groups(64, "a varlong")?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// A length or count that the peer claims, bounded by the bytes that remain: each element takes
    /// at least `min` of them. -1 is null.
    pub(crate) fn bounded(
        &self,
        claimed: i64,
        min: usize,
        what: &'static str,
    ) -> Result<Option<usize>, DecodeError> {
        if claimed == -1 {
            return Ok(None);
        }
        match usize::try_from(claimed) {
            Ok(len) if len <= self.remaining() / min.max(1) => Ok(Some(len)),
            _ => Err(self.error(DecodeErrorKind::LengthOutOfBounds, what)),
        }
    }

    /// The next `len` bytes as text.
    pub(crate) fn utf8(&mut self, len: usize) -> Result<&'a str, DecodeError> {
        let start = self.position();
        let bytes = self.take(len)?;
        std::str::from_utf8(bytes).map_err(|e| {
            let at = start + e.valid_up_to();
            DecodeError::new(DecodeErrorKind::InvalidUtf8, at, "a string")
        })
    }
}
