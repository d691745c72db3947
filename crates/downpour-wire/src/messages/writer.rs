//! Writes the fields of one message in one version: chooses between the classic and the compact
//! form, and names the field in its errors. Which fields a version has is said by the message's own
//! file; the headers and the Produce frame are written with it too.

use super::api_key::ApiKey;
use crate::error::{EncodeError, EncodeErrorKind};
#[cfg(feature = "broker")]
use crate::error_code::ErrorCode;
use crate::primitives::{Uuid, put_i16, put_i32, put_i64, put_uvarint};

/// Appends to a buffer what one version of a message says.
pub(crate) struct MessageWriter<'o> {
    buf: &'o mut Vec<u8>,
    pub(crate) version: i16,
    flexible: bool,
}

impl<'o> MessageWriter<'o> {
    /// Refuses a version that this crate does not write.
    pub(super) fn new(
        buf: &'o mut Vec<u8>,
        key: ApiKey,
        version: i16,
        what: &'static str,
    ) -> Result<Self, EncodeError> {
        if !key.has_version(version) {
            let kind = EncodeErrorKind::UnsupportedVersion;
            return Err(EncodeError::new(kind, what, version));
        }
        Ok(Self::in_form(buf, version, key.is_flexible(version)))
    }

    /// Writes the compact form if `flexible`, for callers that have judged the version themselves.
    pub(crate) const fn in_form(buf: &'o mut Vec<u8>, version: i16, flexible: bool) -> Self {
        Self {
            buf,
            version,
            flexible,
        }
    }

    const fn too_long(&self, what: &'static str) -> EncodeError {
        EncodeError::new(EncodeErrorKind::TooLong, what, self.version)
    }

    /// Refuses a field that this version has no place for.
    pub(super) const fn not_in_version(&self, what: &'static str) -> EncodeError {
        EncodeError::new(EncodeErrorKind::NotInVersion, what, self.version)
    }

    /// Refuses a null that this version cannot say.
    pub(super) const fn null_not_allowed(&self, what: &'static str) -> EncodeError {
        EncodeError::new(EncodeErrorKind::NullNotAllowed, what, self.version)
    }

    pub(super) fn i8(&mut self, value: i8) {
        self.buf.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn i16(&mut self, value: i16) {
        put_i16(self.buf, value);
    }

    pub(crate) fn i32(&mut self, value: i32) {
        put_i32(self.buf, value);
    }

    pub(super) fn i64(&mut self, value: i64) {
        put_i64(self.buf, value);
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.buf.push(u8::from(value));
    }

    pub(crate) fn uuid(&mut self, value: Uuid) {
        self.buf.extend_from_slice(&value.0);
    }

    /// The compact form of every length: one more than it, so that 0 can be null.
    #[inline]
    fn compact_len(&mut self, len: Option<usize>, what: &'static str) -> Result<(), EncodeError> {
        let raw = match len.map(u32::try_from) {
            None => 0,
            // Kafka's readers take a compact length as an `i32`, so that is the limit here too.
            Some(Ok(len)) if len < i32::MAX as u32 => len + 1,
            Some(_) => return Err(self.too_long(what)),
        };
        put_uvarint(self.buf, raw);
        Ok(())
    }

    /// A string's length, which has 16 bits in the classic form; `None` is null.
    fn string_len(&mut self, len: Option<usize>, what: &'static str) -> Result<(), EncodeError> {
        if self.flexible {
            return self.compact_len(len, what);
        }
        let raw = match len.map(i16::try_from) {
            None => -1,
            Some(Ok(len)) => len,
            Some(Err(_)) => return Err(self.too_long(what)),
        };
        self.i16(raw);
        Ok(())
    }

    /// The length of bytes or of an array, which has 32 bits in the classic form; `None` is null.
    /// The bytes or the elements are to follow.
    #[inline]
    pub(crate) fn len(
        &mut self,
        len: Option<usize>,
        what: &'static str,
    ) -> Result<(), EncodeError> {
        if self.flexible {
            return self.compact_len(len, what);
        }
        let raw = match len.map(i32::try_from) {
            None => -1,
            Some(Ok(len)) => len,
            Some(Err(_)) => return Err(self.too_long(what)),
        };
        self.i32(raw);
        Ok(())
    }

    pub(crate) fn string(&mut self, value: &str, what: &'static str) -> Result<(), EncodeError> {
        self.nullable_string(Some(value), what)
    }

    pub(crate) fn nullable_string(
        &mut self,
        value: Option<&str>,
        what: &'static str,
    ) -> Result<(), EncodeError> {
        self.string_len(value.map(str::len), what)?;
        self.buf
            .extend_from_slice(value.unwrap_or_default().as_bytes());
        Ok(())
    }

    pub(super) fn bytes(&mut self, value: &[u8], what: &'static str) -> Result<(), EncodeError> {
        self.len(Some(value.len()), what)?;
        self.buf.extend_from_slice(value);
        Ok(())
    }

    pub(super) fn nullable_bytes(
        &mut self,
        value: Option<&[u8]>,
        what: &'static str,
    ) -> Result<(), EncodeError> {
        self.len(value.map(<[u8]>::len), what)?;
        self.buf.extend_from_slice(value.unwrap_or_default());
        Ok(())
    }

    pub(super) fn array<T>(
        &mut self,
        items: &[T],
        what: &'static str,
        each: impl FnMut(&mut Self, &T) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.nullable_array(Some(items), what, each)
    }

    pub(super) fn nullable_array<T>(
        &mut self,
        items: Option<&[T]>,
        what: &'static str,
        mut each: impl FnMut(&mut Self, &T) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.len(items.map(<[T]>::len), what)?;
        for item in items.unwrap_or_default() {
            each(self, item)?;
        }
        Ok(())
    }

    pub(super) fn i32_array(
        &mut self,
        items: &[i32],
        what: &'static str,
    ) -> Result<(), EncodeError> {
        self.array(items, what, |out, item| {
            out.i32(*item);
            Ok(())
        })
    }

    /// Ends a struct that has no tagged fields to say.
    pub(crate) fn no_tags(&mut self) {
        self.tag_count(0);
    }

    /// Ends a struct with as many tagged fields as `count` says, which must follow in ascending
    /// order of their tags; without any before the flexible versions.
    #[inline]
    pub(super) fn tag_count(&mut self, count: u32) {
        if self.flexible {
            put_uvarint(self.buf, count);
        }
    }
}

/// What only the broker's direction writes.
#[cfg(feature = "broker")]
impl MessageWriter<'_> {
    pub(super) fn error_code(&mut self, value: ErrorCode) {
        self.i16(value.0);
    }

    /// Writes one tagged field.
    pub(super) fn tag(
        &mut self,
        tag: u32,
        what: &'static str,
        body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut bytes = Vec::new();
        body(&mut MessageWriter::in_form(
            &mut bytes,
            self.version,
            self.flexible,
        ))?;
        let len = i32::try_from(bytes.len()).map_err(|_| self.too_long(what))?;
        put_uvarint(self.buf, tag);
        put_uvarint(self.buf, len as u32);
        self.buf.extend_from_slice(&bytes);
        Ok(())
    }
}
