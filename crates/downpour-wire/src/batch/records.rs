//! The records inside a batch's uncompressed body: reading them one after the other, strictly.
//! The batch's header is `view`'s.

use std::borrow::Cow;

use crate::batch::layout::RECORD_HEADER_LEN_MIN;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::primitives::Reader;
use crate::record::{Header, RecordRef};

/// A record that was read from a batch and owns its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnedRecord {
    /// The key; `None` is null.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is null.
    pub value: Option<Vec<u8>>,
    /// The headers in order, equal names included.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970 (UTC).
    pub timestamp: i64,
    /// The record's place in its batch, from 0.
    pub offset_delta: i32,
}

impl OwnedRecord {
    /// The headers as [`RecordRef`] wants them, borrowed.
    #[must_use]
    pub fn header_refs(&self) -> Vec<Header<'_>> {
        let borrowed = self.headers.iter().map(|(key, value)| Header {
            key: Cow::Borrowed(key),
            value: value.as_deref().map(Cow::Borrowed),
        });
        borrowed.collect()
    }
}

/// A record whose parts lie in the bytes it was read from.
#[derive(Debug)]
pub(super) struct ReadRecord<'a> {
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Vec<Header<'a>>,
    timestamp: i64,
    offset_delta: i32,
}

impl ReadRecord<'_> {
    pub(super) fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            key: self.key,
            value: self.value,
            headers: &self.headers,
            timestamp: self.timestamp,
        }
    }

    pub(super) fn into_owned(self) -> OwnedRecord {
        let owned = |header: Header<'_>| {
            let value = header.value.map(Cow::into_owned);
            (header.key.into_owned(), value)
        };
        OwnedRecord {
            key: self.key.map(<[u8]>::to_vec),
            value: self.value.map(<[u8]>::to_vec),
            headers: self.headers.into_iter().map(owned).collect(),
            timestamp: self.timestamp,
            offset_delta: self.offset_delta,
        }
    }
}

/// Reads the records of one batch, which may lie in several runs of bytes.
#[derive(Debug)]
pub(super) struct RecordReader {
    base_timestamp: i64,
    next: i32,
    /// The bytes of memory that the records may still take.
    allowance: usize,
}

impl RecordReader {
    pub(super) const fn new(base_timestamp: i64, allowance: usize) -> Self {
        Self {
            base_timestamp,
            next: 0,
            allowance,
        }
    }

    /// The next record of `r`.
    pub(super) fn read<'a>(&mut self, r: &mut Reader<'a>) -> Result<ReadRecord<'a>, DecodeError> {
        let len = length(r, "a record's length")?;
        self.charge(r, size_of::<OwnedRecord>() + len)?;
        let mut r = r.sub(len)?;
        // No attribute is defined; a reader is to ignore what it does not know.
        r.i8()?;
        let timestamp_delta = r.varlong()?;
        let offset_delta = r.varint()?;
        if offset_delta != self.next {
            return Err(r.error(DecodeErrorKind::InvalidValue, "a record's offset delta"));
        }
        let key = nullable(&mut r, "a record's key")?;
        let value = nullable(&mut r, "a record's value")?;
        let headers = self.read_headers(&mut r)?;
        r.finish("a record")?;
        self.next = self
            .next
            .checked_add(1)
            .ok_or_else(|| r.error(DecodeErrorKind::LengthOutOfBounds, "a batch's records"))?;
        Ok(ReadRecord {
            key,
            value,
            headers,
            timestamp: self.base_timestamp.wrapping_add(timestamp_delta),
            offset_delta,
        })
    }

    /// Fails unless exactly `count` records were read.
    pub(super) fn finish(&self, r: &Reader<'_>, count: u32) -> Result<(), DecodeError> {
        if i64::from(self.next) == i64::from(count) {
            Ok(())
        } else {
            Err(r.error(DecodeErrorKind::InvalidValue, "a batch's number of records"))
        }
    }

    fn read_headers<'a>(&mut self, r: &mut Reader<'a>) -> Result<Vec<Header<'a>>, DecodeError> {
        let count = length(r, "a record's number of headers")?;
        if count > r.remaining() / RECORD_HEADER_LEN_MIN {
            let what = "a record's number of headers";
            return Err(r.error(DecodeErrorKind::LengthOutOfBounds, what));
        }
        // Twice: as read here, and as owned by the caller afterwards.
        self.charge(r, count.saturating_mul(2 * size_of::<Header<'_>>()))?;
        let mut headers = Vec::with_capacity(count);
        for _ in 0..count {
            let len = length(r, "a header's name")?;
            let name = std::str::from_utf8(r.take(len)?)
                .map_err(|_| r.error(DecodeErrorKind::InvalidUtf8, "a header's name"))?;
            headers.push(Header {
                key: Cow::Borrowed(name),
                value: nullable(r, "a header's value")?.map(Cow::Borrowed),
            });
        }
        Ok(headers)
    }

    fn charge(&mut self, r: &Reader<'_>, bytes: usize) -> Result<(), DecodeError> {
        match self.allowance.checked_sub(bytes) {
            Some(left) => {
                self.allowance = left;
                Ok(())
            }
            None => Err(r.error(DecodeErrorKind::TooLarge, "a batch's records")),
        }
    }
}

/// A varint that must not be negative.
fn length(r: &mut Reader<'_>, what: &'static str) -> Result<usize, DecodeError> {
    let len = r.varint()?;
    usize::try_from(len).map_err(|_| r.error(DecodeErrorKind::LengthOutOfBounds, what))
}

/// Bytes behind a varint length, where -1 means null.
fn nullable<'a>(r: &mut Reader<'a>, what: &'static str) -> Result<Option<&'a [u8]>, DecodeError> {
    match r.varint()? {
        -1 => Ok(None),
        len => match usize::try_from(len) {
            Ok(len) => r.take(len).map(Some),
            Err(_) => Err(r.error(DecodeErrorKind::LengthOutOfBounds, what)),
        },
    }
}
