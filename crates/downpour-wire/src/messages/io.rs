//! A reader and a writer that know the version: they choose between the classic and the compact
//! form, name the field in their errors, and bound arrays. Used by the message files alone.

use super::api::ApiKey;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
use crate::error_code::ErrorCode;
use crate::primitives::{
    Reader, Uuid, put_array_len, put_bool, put_compact_array_len, put_compact_nullable_bytes,
    put_compact_nullable_string, put_compact_string, put_empty_tagged_fields, put_i8, put_i16,
    put_i32, put_i64, put_nullable_bytes, put_nullable_string, put_string, put_tagged_field,
    put_uuid, put_uvarint,
};

/// Writes one message in one version.
pub(super) struct Out<'o> {
    buf: &'o mut Vec<u8>,
    pub(super) version: i16,
    flexible: bool,
}

impl<'o> Out<'o> {
    pub(super) fn new(
        buf: &'o mut Vec<u8>,
        key: ApiKey,
        version: i16,
        what: &'static str,
    ) -> Result<Self, EncodeError> {
        let (min, max) = key.versions();
        if version < min || version > max {
            return Err(EncodeError::new(
                EncodeErrorKind::UnsupportedVersion,
                what,
                version,
            ));
        }
        Ok(Self {
            buf,
            version,
            flexible: key.is_flexible(version),
        })
    }

    fn name(&self, error: EncodeError, what: &'static str) -> EncodeError {
        EncodeError::new(error.kind, what, self.version)
    }

    /// Refuses a field that this version has no place for.
    pub(super) fn not_in_version(&self, what: &'static str) -> EncodeError {
        EncodeError::new(EncodeErrorKind::NotInVersion, what, self.version)
    }

    pub(super) fn i8(&mut self, value: i8) {
        put_i8(self.buf, value);
    }

    pub(super) fn i16(&mut self, value: i16) {
        put_i16(self.buf, value);
    }

    pub(super) fn i32(&mut self, value: i32) {
        put_i32(self.buf, value);
    }

    pub(super) fn i64(&mut self, value: i64) {
        put_i64(self.buf, value);
    }

    pub(super) fn bool(&mut self, value: bool) {
        put_bool(self.buf, value);
    }

    pub(super) fn uuid(&mut self, value: Uuid) {
        put_uuid(self.buf, value);
    }

    pub(super) fn error_code(&mut self, value: ErrorCode) {
        put_i16(self.buf, value.0);
    }

    pub(super) fn string(&mut self, value: &str, what: &'static str) -> Result<(), EncodeError> {
        let put = if self.flexible {
            put_compact_string
        } else {
            put_string
        };
        put(self.buf, value).map_err(|e| self.name(e, what))
    }

    pub(super) fn nullable_string(
        &mut self,
        value: Option<&str>,
        what: &'static str,
    ) -> Result<(), EncodeError> {
        let put = if self.flexible {
            put_compact_nullable_string
        } else {
            put_nullable_string
        };
        put(self.buf, value).map_err(|e| self.name(e, what))
    }

    /// A string that is optional in the struct but not in this version.
    pub(super) fn required_string(
        &mut self,
        value: Option<&str>,
        what: &'static str,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.string(value, what),
            None => Err(EncodeError::new(
                EncodeErrorKind::NullNotAllowed,
                what,
                self.version,
            )),
        }
    }

    pub(super) fn nullable_bytes(
        &mut self,
        value: Option<&[u8]>,
        what: &'static str,
    ) -> Result<(), EncodeError> {
        let put = if self.flexible {
            put_compact_nullable_bytes
        } else {
            put_nullable_bytes
        };
        put(self.buf, value).map_err(|e| self.name(e, what))
    }

    pub(super) fn nullable_array<T>(
        &mut self,
        items: Option<&[T]>,
        what: &'static str,
        mut each: impl FnMut(&mut Self, &T) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let put = if self.flexible {
            put_compact_array_len
        } else {
            put_array_len
        };
        put(self.buf, items.map(<[T]>::len)).map_err(|e| self.name(e, what))?;
        for item in items.unwrap_or_default() {
            each(self, item)?;
        }
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
    pub(super) fn no_tags(&mut self) {
        if self.flexible {
            put_empty_tagged_fields(self.buf);
        }
    }

    /// Ends a struct with as many tagged fields as `count` says; none before the flexible versions.
    pub(super) fn tag_count(&mut self, count: u32) {
        if self.flexible {
            put_uvarint(self.buf, count);
        }
    }

    /// Writes one tagged field.
    pub(super) fn tag(
        &mut self,
        tag: u32,
        what: &'static str,
        body: impl FnOnce(&mut Out<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut bytes = Vec::new();
        body(&mut Out {
            buf: &mut bytes,
            version: self.version,
            flexible: self.flexible,
        })?;
        put_tagged_field(self.buf, tag, &bytes).map_err(|e| self.name(e, what))
    }
}

/// Reads one message in one version.
pub(super) struct In<'r, 'a> {
    r: &'r mut Reader<'a>,
    pub(super) version: i16,
    flexible: bool,
}

impl<'r, 'a> In<'r, 'a> {
    pub(super) fn new(
        r: &'r mut Reader<'a>,
        key: ApiKey,
        version: i16,
        what: &'static str,
    ) -> Result<Self, DecodeError> {
        let (min, max) = key.versions();
        if version < min || version > max {
            return Err(r.error(DecodeErrorKind::InvalidValue, what));
        }
        Ok(Self {
            r,
            version,
            flexible: key.is_flexible(version),
        })
    }

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

    pub(super) fn string(&mut self, what: &'static str) -> Result<String, DecodeError> {
        let read = if self.flexible {
            self.r.compact_string()
        } else {
            self.r.string()
        };
        read.map(str::to_owned).map_err(|e| named(e, what))
    }

    pub(super) fn nullable_string(
        &mut self,
        what: &'static str,
    ) -> Result<Option<String>, DecodeError> {
        let read = if self.flexible {
            self.r.compact_nullable_string()
        } else {
            self.r.nullable_string()
        };
        read.map(|value| value.map(str::to_owned))
            .map_err(|e| named(e, what))
    }

    pub(super) fn nullable_bytes(
        &mut self,
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, DecodeError> {
        let read = if self.flexible {
            self.r.compact_nullable_bytes()
        } else {
            self.r.nullable_bytes()
        };
        read.map(|value| value.map(<[u8]>::to_vec))
            .map_err(|e| named(e, what))
    }

    /// An array of elements that take at least `min` bytes each, in every version that has them.
    pub(super) fn nullable_array<T>(
        &mut self,
        min: usize,
        what: &'static str,
        mut each: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let len = if self.flexible {
            self.r.compact_nullable_array_len(min)
        } else {
            self.r.nullable_array_len(min)
        };
        let Some(len) = len.map_err(|e| named(e, what))? else {
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
        items.ok_or_else(|| self.r.error(DecodeErrorKind::InvalidValue, what))
    }

    pub(super) fn i32_array(&mut self, what: &'static str) -> Result<Vec<i32>, DecodeError> {
        self.array(4, what, |r| r.i32(what))
    }

    /// Skips the tagged fields at the end of a struct.
    pub(super) fn no_tags(&mut self) -> Result<(), DecodeError> {
        if self.flexible {
            self.r.skip_tagged_fields()
        } else {
            Ok(())
        }
    }

    /// Calls `each` with the tagged fields at the end of a struct; it answers whether it read one.
    pub(super) fn tags(
        &mut self,
        mut each: impl FnMut(u32, &mut In<'_, 'a>) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        if !self.flexible {
            return Ok(());
        }
        let (version, flexible) = (self.version, self.flexible);
        self.r.tagged_fields(|tag, r| {
            each(
                tag,
                &mut In {
                    r,
                    version,
                    flexible,
                },
            )
        })
    }
}

const fn named(error: DecodeError, what: &'static str) -> DecodeError {
    DecodeError { what, ..error }
}
