//! Reading Kafka's primitive types from a slice, every length bounded by what remains.
//! Nothing here allocates: strings and bytes are borrowed from the input.

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

    fn take_as(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        if n > self.remaining() {
            return Err(self.error(DecodeErrorKind::Truncated, what));
        }
        let taken = &self.bytes[self.at..self.at + n];
        self.at += n;
        Ok(taken)
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// `Truncated` if fewer remain.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        self.take_as(n, "bytes")
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

    /// Bounds a length from the peer by the bytes that remain; -1 is null.
    fn length(
        &self,
        raw: i64,
        min: usize,
        what: &'static str,
    ) -> Result<Option<usize>, DecodeError> {
        if raw == -1 {
            return Ok(None);
        }
        match usize::try_from(raw) {
            Ok(len) if len <= self.remaining() / min.max(1) => Ok(Some(len)),
            _ => Err(self.error(DecodeErrorKind::LengthOutOfBounds, what)),
        }
    }

    fn present<T>(&self, value: Option<T>, what: &'static str) -> Result<T, DecodeError> {
        value.ok_or_else(|| self.error(DecodeErrorKind::InvalidValue, what))
    }

    fn utf8(&mut self, len: Option<usize>) -> Result<Option<&'a str>, DecodeError> {
        let Some(len) = len else { return Ok(None) };
        let start = self.position();
        let bytes = self.take_as(len, "a string")?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(e) => Err(DecodeError::new(
                DecodeErrorKind::InvalidUtf8,
                start + e.valid_up_to(),
                "a string",
            )),
        }
    }

    /// A string with a 16-bit length, or null.
    ///
    /// # Errors
    /// `Truncated`, `LengthOutOfBounds`, `InvalidUtf8`.
    pub fn nullable_string(&mut self) -> Result<Option<&'a str>, DecodeError> {
        let raw = i64::from(self.i16()?);
        let len = self.length(raw, 1, "a string")?;
        self.utf8(len)
    }

    /// A string with a 16-bit length.
    ///
    /// # Errors
    /// As [`Self::nullable_string`], and `InvalidValue` if it is null.
    pub fn string(&mut self) -> Result<&'a str, DecodeError> {
        let value = self.nullable_string()?;
        self.present(value, "a string")
    }

    /// A string in the compact form, or null.
    ///
    /// # Errors
    /// `Truncated`, `VarintOverflow`, `LengthOutOfBounds`, `InvalidUtf8`.
    pub fn compact_nullable_string(&mut self) -> Result<Option<&'a str>, DecodeError> {
        let raw = i64::from(self.uvarint()?) - 1;
        let len = self.length(raw, 1, "a string")?;
        self.utf8(len)
    }

    /// A string in the compact form.
    ///
    /// # Errors
    /// As [`Self::compact_nullable_string`], and `InvalidValue` if it is null.
    pub fn compact_string(&mut self) -> Result<&'a str, DecodeError> {
        let value = self.compact_nullable_string()?;
        self.present(value, "a string")
    }

    /// Bytes with a 32-bit length, or null.
    ///
    /// # Errors
    /// `Truncated`, `LengthOutOfBounds`.
    pub fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        let raw = i64::from(self.i32()?);
        self.length(raw, 1, "bytes")?
            .map(|len| self.take(len))
            .transpose()
    }

    /// Bytes with a 32-bit length.
    ///
    /// # Errors
    /// As [`Self::nullable_bytes`], and `InvalidValue` if they are null.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let value = self.nullable_bytes()?;
        self.present(value, "bytes")
    }

    /// Bytes in the compact form, or null.
    ///
    /// # Errors
    /// `Truncated`, `VarintOverflow`, `LengthOutOfBounds`.
    pub fn compact_nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        let raw = i64::from(self.uvarint()?) - 1;
        self.length(raw, 1, "bytes")?
            .map(|len| self.take(len))
            .transpose()
    }

    /// Bytes in the compact form.
    ///
    /// # Errors
    /// As [`Self::compact_nullable_bytes`], and `InvalidValue` if they are null.
    pub fn compact_bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let value = self.compact_nullable_bytes()?;
        self.present(value, "bytes")
    }

    /// An array's 32-bit length, or null; each element takes at least `min_element_bytes`.
    ///
    /// # Errors
    /// `Truncated`; `LengthOutOfBounds` if the bytes that remain cannot hold that many.
    pub fn nullable_array_len(
        &mut self,
        min_element_bytes: usize,
    ) -> Result<Option<usize>, DecodeError> {
        let raw = i64::from(self.i32()?);
        self.length(raw, min_element_bytes, "an array")
    }

    /// An array's 32-bit length; each element takes at least `min_element_bytes`.
    ///
    /// # Errors
    /// As [`Self::nullable_array_len`], and `InvalidValue` if it is null.
    pub fn array_len(&mut self, min_element_bytes: usize) -> Result<usize, DecodeError> {
        let value = self.nullable_array_len(min_element_bytes)?;
        self.present(value, "an array")
    }

    /// An array's length in the compact form, or null.
    ///
    /// # Errors
    /// `VarintOverflow`, and as [`Self::nullable_array_len`].
    pub fn compact_nullable_array_len(
        &mut self,
        min_element_bytes: usize,
    ) -> Result<Option<usize>, DecodeError> {
        let raw = i64::from(self.uvarint()?) - 1;
        self.length(raw, min_element_bytes, "an array")
    }

    /// An array's length in the compact form.
    ///
    /// # Errors
    /// As [`Self::compact_nullable_array_len`], and `InvalidValue` if it is null.
    pub fn compact_array_len(&mut self, min_element_bytes: usize) -> Result<usize, DecodeError> {
        let value = self.compact_nullable_array_len(min_element_bytes)?;
        self.present(value, "an array")
    }

    /// Calls `each` with every tagged field and a reader over its bytes. It answers whether it
    /// knows the tag; the bytes of an unknown one are skipped, a known one must be read to its end.
    ///
    /// # Errors
    /// `Truncated`, `VarintOverflow`, `LengthOutOfBounds`, `TrailingBytes`, and what `each` says.
    pub fn tagged_fields(
        &mut self,
        mut each: impl FnMut(u32, &mut Self) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        let count = i64::from(self.uvarint()?);
        // A tagged field takes at least its tag and its length.
        let count = self.length(count, 2, "tagged fields")?.unwrap_or(0);
        for _ in 0..count {
            let tag = self.uvarint()?;
            let raw = i64::from(self.uvarint()?);
            let len = self.length(raw, 1, "a tagged field")?.unwrap_or(0);
            let mut field = self.sub(len)?;
            if each(tag, &mut field)? {
                field.finish("a tagged field")?;
            }
        }
        Ok(())
    }

    /// Skips all tagged fields.
    ///
    /// # Errors
    /// As [`Self::tagged_fields`].
    pub fn skip_tagged_fields(&mut self) -> Result<(), DecodeError> {
        self.tagged_fields(|_, _| Ok(false))
    }
}
