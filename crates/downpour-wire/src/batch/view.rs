//! A batch as another party wrote it: the header's fields, the checksum, the records.
//! Bodies of our own are read by `body`; magic 0 and 1 are not read at all.

use std::fmt;

use crate::batch::layout::{
    ATTRIBUTES_AT, HEADER_LEN, LENGTH_EXCLUDES, MAGIC, MAGIC_AT, TRANSACTIONAL,
};
use crate::batch::records::{OwnedRecord, RecordReader};
use crate::codec::{CompressionType, decompress};
use crate::crc;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::primitives::Reader;

/// The bits of the attributes that name the codec.
const CODEC_MASK: i16 = 0b111;
/// Set when the timestamps are the broker's.
const LOG_APPEND_TIME: i16 = 1 << 3;
/// Set when the batch holds a transaction's marker instead of records.
const CONTROL: i16 = 1 << 5;
/// The fewest bytes a record can take: seven fields of one byte each.
const RECORD_LEN_MIN: usize = 7;
/// How many bytes of memory a byte of uncompressed records may take once it is decoded: an empty
/// header is 2 bytes on the wire and two structs of 48 bytes in memory, for a moment.
const EXPANSION_MAX: usize = 64;

/// A record batch in bytes that somebody sent.
#[derive(Debug, Clone, Copy)]
pub struct BatchView<'a> {
    bytes: Bytes<'a>,
    /// The first record's offset; 0 as producers send it.
    pub base_offset: i64,
    /// The value of the length field: the bytes of the batch after it.
    pub batch_len: i32,
    /// The epoch of the leader that appended the batch; -1 as producers send it.
    pub partition_leader_epoch: i32,
    /// The format's version, always 2.
    pub magic: i8,
    /// The checksum as the header has it, not yet compared.
    pub crc: u32,
    /// The attribute bits.
    pub attributes: i16,
    /// The last record's offset, counted from `base_offset`.
    pub last_offset_delta: i32,
    /// The first record's timestamp in milliseconds.
    pub base_timestamp: i64,
    /// The largest timestamp in milliseconds.
    pub max_timestamp: i64,
    /// The producer id, or -1.
    pub producer_id: i64,
    /// The producer's epoch, or -1.
    pub producer_epoch: i16,
    /// The first record's sequence, or -1.
    pub base_sequence: i32,
    /// How many records the header claims.
    pub count: u32,
}

/// A batch's bytes, which say their number only when they are logged.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl<'a> BatchView<'a> {
    /// Reads the header of the batch that `bytes` begin with; returns what comes after the batch.
    /// The checksum and the records are not looked at.
    ///
    /// # Errors
    /// `Truncated`, `UnsupportedMagic`, `LengthOutOfBounds`.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), DecodeError> {
        // The magic has the same place in every format, so look there before anything else.
        match bytes.get(MAGIC_AT) {
            None => return Err(truncated(bytes)),
            Some(&MAGIC) => {}
            Some(_) => {
                let kind = DecodeErrorKind::UnsupportedMagic;
                return Err(DecodeError::new(kind, MAGIC_AT, "a batch's magic"));
            }
        }
        let mut r = Reader::new(bytes);
        let base_offset = r.i64()?;
        let batch_len = r.i32()?;
        let len = match usize::try_from(batch_len) {
            Ok(len) if len >= HEADER_LEN - LENGTH_EXCLUDES => len + LENGTH_EXCLUDES,
            _ => return Err(r.error(DecodeErrorKind::LengthOutOfBounds, "a batch's length")),
        };
        let Some((own, rest)) = bytes.split_at_checked(len) else {
            return Err(truncated(bytes));
        };
        let view = Self {
            bytes: Bytes(own),
            base_offset,
            batch_len,
            partition_leader_epoch: r.i32()?,
            magic: r.i8()?,
            crc: r.u32()?,
            attributes: r.i16()?,
            last_offset_delta: r.i32()?,
            base_timestamp: r.i64()?,
            max_timestamp: r.i64()?,
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            base_sequence: r.i32()?,
            count: u32::try_from(r.i32()?).map_err(|_| {
                r.error(
                    DecodeErrorKind::LengthOutOfBounds,
                    "a batch's number of records",
                )
            })?,
        };
        Ok((view, rest))
    }

    /// The whole batch, header included.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes.0
    }

    /// The bytes after the header, still compressed.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        &self.bytes.0[HEADER_LEN..]
    }

    /// Compares the checksum with the bytes it covers.
    ///
    /// # Errors
    /// `ChecksumMismatch`.
    pub fn check_crc(&self) -> Result<(), DecodeError> {
        if crc::crc32c(&self.bytes.0[ATTRIBUTES_AT..]) == self.crc {
            return Ok(());
        }
        let kind = DecodeErrorKind::ChecksumMismatch;
        Err(DecodeError::new(kind, ATTRIBUTES_AT, "a batch"))
    }

    /// The codec that the attributes name.
    ///
    /// # Errors
    /// `UnsupportedCodec` if Kafka defines none with this number.
    pub fn codec(&self) -> Result<CompressionType, DecodeError> {
        let number = (self.attributes & CODEC_MASK) as u8;
        CompressionType::try_from(number).map_err(|_| {
            let kind = DecodeErrorKind::UnsupportedCodec;
            DecodeError::new(kind, ATTRIBUTES_AT, "a batch's codec")
        })
    }

    /// Whether the batch belongs to a transaction.
    #[must_use]
    pub const fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether the batch holds a transaction's marker instead of records.
    #[must_use]
    pub const fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// Whether the timestamps are the broker's, which then all equal `max_timestamp`.
    #[must_use]
    pub const fn is_log_append_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }

    /// Decompresses and reads the records, with the timestamps that the producer gave.
    ///
    /// `max_bytes` bounds the memory that compressed bytes may grow to, as the decoded records
    /// take it. What is decoded from bytes that were sent as they are is bounded by their length.
    ///
    /// # Errors
    /// The body is corrupt, the records do not count up from 0, their number is not the header's,
    /// bytes remain after the last one, or `TooLarge`.
    pub fn records(&self, max_bytes: usize) -> Result<Vec<OwnedRecord>, DecodeError> {
        if i64::from(self.last_offset_delta) != i64::from(self.count) - 1 {
            let kind = DecodeErrorKind::InvalidValue;
            return Err(DecodeError::new(
                kind,
                ATTRIBUTES_AT,
                "a batch's last offset delta",
            ));
        }
        let own = self.bytes.0.len().saturating_mul(EXPANSION_MAX);
        let unpacked;
        let (bytes, allowance) = match self.codec()? {
            CompressionType::None => (self.body(), own),
            codec => {
                unpacked = decompress(codec, self.body(), max_bytes)?;
                let left = max_bytes - unpacked.len().min(max_bytes);
                (unpacked.as_slice(), own.saturating_add(left))
            }
        };
        let mut r = Reader::new(bytes);
        if self.count as usize > bytes.len() / RECORD_LEN_MIN {
            let what = "a batch's number of records";
            return Err(r.error(DecodeErrorKind::LengthOutOfBounds, what));
        }
        let mut reader = RecordReader::new(self.base_timestamp, allowance);
        let mut records = Vec::new();
        while r.remaining() > 0 {
            records.push(reader.read(&mut r)?.into_owned());
        }
        reader.finish(&r, self.count)?;
        Ok(records)
    }
}

const fn truncated(bytes: &[u8]) -> DecodeError {
    DecodeError::new(DecodeErrorKind::Truncated, bytes.len(), "a batch")
}
