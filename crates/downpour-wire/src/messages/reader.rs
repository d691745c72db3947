//! Reads the fields of one message in one version: chooses between the classic and the compact
//! form, names the field in its errors, and bounds every length by the bytes that remain. Which
//! fields a version has is said by the message's own file; the headers are read with it too.

use super::api_key::ApiKey;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::error_code::ErrorCode;
use crate::primitives::{Reader, Uuid};

/// Takes from a reader what one version of a message says.
pub(crate) struct MessageReader<'r, 'a> {
    r: &'r mut Reader<'a>,
    pub(super) version: i16,
    flexible: bool,
}

impl<'r, 'a> MessageReader<'r, 'a> {
    /// Refuses a version that this crate does not read.
    pub(super) fn new(
        r: &'r mut Reader<'a>,
        key: ApiKey,
        version: i16,
        what: &'static str,
    ) -> Result<Self, DecodeError> {
        if !key.has_version(version) {
            return Err(r.error(DecodeErrorKind::InvalidValue, what));
        }
        Ok(Self::in_form(r, version, key.is_flexible(version)))
    }

    /// Reads the compact form if `flexible`, for callers that have judged the version themselves.
    pub(crate) const fn in_form(r: &'r mut Reader<'a>, version: i16, flexible: bool) -> Self {
        Self {
            r,
            version,
            flexible,
        }
    }

    #[cfg(feature = "broker")]
    pub(super) fn i8(&mut self, what: &'static str) -> Result<i8, DecodeError> {
        self.r.i8().map_err(|e| named(e, what))
    }

    pub(super) fn i16(&mut self, what: &'static str) -> Result<i16, DecodeError> {
        self.r.i16().map_err(|e| named(e, what))
    }

    pub(super) fn i32(&mut self, what: &'static str) -> Result<i32, DecodeError> {
        self.r.i32().map_err(|e| named(e, what))
    }

    pub(super) fn i64(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        self.r.i64().map_err(|e| named(e, what))
    }

    pub(super) fn bool(&mut self, what: &'static str) -> Result<bool, DecodeError> {
        self.r.bool().map_err(|e| named(e, what))
    }

    pub(super) fn uuid(&mut self, what: &'static str) -> Result<Uuid, DecodeError> {
        self.r.uuid().map_err(|e| named(e, what))
    }

    pub(super) fn error_code(&mut self, what: &'static str) -> Result<ErrorCode, DecodeError> {
        self.i16(what).map(ErrorCode)
    }

    fn compact_len(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        let raw = self.r.uvarint().map_err(|e| named(e, what))?;
        Ok(i64::from(raw) - 1)
    }

    /// A string's length, which has 16 bits in the classic form; `None` is null.
    fn string_len(&mut self, what: &'static str) -> Result<Option<usize>, DecodeError> {
        let raw = if self.flexible {
            self.compact_len(what)?
        } else {
            i64::from(self.i16(what)?)
        };
        self.r.bounded(raw, 1, what)
    }

    /// The length of bytes or of an array, which has 32 bits in the classic form; `None` is null.
    /// Each element takes at least `min` bytes.
    fn len(&mut self, min: usize, what: &'static str) -> Result<Option<usize>, DecodeError> {
        let raw = if self.flexible {
            self.compact_len(what)?
        } else {
            i64::from(self.i32(what)?)
        };
        self.r.bounded(raw, min, what)
    }

    fn present<T>(&self, value: Option<T>, what: &'static str) -> Result<T, DecodeError> {
        value.ok_or_else(|| self.r.error(DecodeErrorKind::InvalidValue, what))
    }

    pub(super) fn string(&mut self, what: &'static str) -> Result<String, DecodeError> {
        let value = self.nullable_string(what)?;
        self.present(value, what)
    }

    pub(crate) fn nullable_string(
        &mut self,
        what: &'static str,
    ) -> Result<Option<String>, DecodeError> {
        let Some(len) = self.string_len(what)? else {
            return Ok(None);
        };
        let text = self.r.utf8(len).map_err(|e| named(e, what))?;
        Ok(Some(text.to_owned()))
    }

    pub(super) fn bytes(&mut self, what: &'static str) -> Result<Vec<u8>, DecodeError> {
        let value = self.nullable_bytes(what)?;
        self.present(value, what)
    }

    pub(super) fn nullable_bytes(
        &mut self,
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, DecodeError> {
        let Some(len) = self.len(1, what)? else {
            return Ok(None);
        };
        let bytes = self.r.take(len).map_err(|e| named(e, what))?;
        Ok(Some(bytes.to_vec()))
    }

    /// An array of elements that take at least `min` bytes each, in every version that has them.
    pub(super) fn nullable_array<T>(
        &mut self,
        min: usize,
        what: &'static str,
        mut each: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let Some(len) = self.len(min, what)? else {
            return Ok(None);
        };
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            items.push(each(self)?);
        }
        Ok(Some(items))
    }

    pub(super) fn array<T>(
        &mut self,
        min: usize,
        what: &'static str,
        each: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let items = self.nullable_array(min, what, each)?;
        self.present(items, what)
    }

    pub(super) fn i32_array(&mut self, what: &'static str) -> Result<Vec<i32>, DecodeError> {
        self.array(4, what, |r| r.i32(what))
    }

    /// Skips the tagged fields at the end of a struct.
    pub(crate) fn no_tags(&mut self) -> Result<(), DecodeError> {
        self.tags(|_, _| Ok(false))
    }

    /// Calls `each` with the tagged fields at the end of a struct, each with a reader over its
    /// bytes. It answers whether it knows the tag: one that it knows must be read to its end, and
    /// the bytes of the others are skipped. Before the flexible versions there are none.
    #[inline]
    pub(super) fn tags(
        &mut self,
        each: impl FnMut(u32, &mut MessageReader<'_, 'a>) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        if self.flexible {
            self.each_tag(each)
        } else {
            Ok(())
        }
    }

    fn each_tag(
        &mut self,
        mut each: impl FnMut(u32, &mut MessageReader<'_, 'a>) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        let count = i64::from(self.r.uvarint()?);
        // A tagged field takes at least its tag and its length.
        let count = self.r.bounded(count, 2, "tagged fields")?.unwrap_or(0);
        for _ in 0..count {
            let tag = self.r.uvarint()?;
            let raw = i64::from(self.r.uvarint()?);
            let len = self.r.bounded(raw, 1, "a tagged field")?.unwrap_or(0);
            let mut field = self.r.sub(len)?;
            let mut reader = MessageReader::in_form(&mut field, self.version, self.flexible);
            if each(tag, &mut reader)? {
                field.finish("a tagged field")?;
            }
        }
        Ok(())
    }
}

const fn named(error: DecodeError, what: &'static str) -> DecodeError {
    DecodeError { what, ..error }
}
