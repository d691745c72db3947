//! A sealed batch without its header: immutable, shareable between requests, checksummed once.
//! Filling it is `builder`'s, reading foreign batches `view`'s, cutting it up `split`'s.

use std::fmt;

use crate::batch::layout::{
    ATTRIBUTES_AT, BASE_SEQUENCE_AT, BASE_TIMESTAMP_AT, COUNT_AT, CRC_AT, HEADER_LEN,
    LAST_OFFSET_DELTA_AT, LEADER_EPOCH_AT, LENGTH_AT, LENGTH_EXCLUDES, MAGIC, MAGIC_AT,
    MAX_TIMESTAMP_AT, PRODUCER_EPOCH_AT, PRODUCER_ID_AT, Stamp, TRANSACTIONAL,
};
use crate::batch::records::{OwnedRecord, ReadRecord, RecordReader};
use crate::codec::{Compression, CompressionType, decompress};
use crate::crc;
use crate::error::DecodeError;
use crate::primitives::Reader;

/// The records of a sealed batch, as they go over the wire.
pub struct Body {
    parts: Parts,
    len: usize,
    crc: u32,
    /// What the body's length does to the header's checksum, so that a stamp costs no search for it.
    shift: crc::Shift,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("count", &self.count())
            .field("len", &self.len)
            .field("compression", &self.compression())
            .finish_non_exhaustive()
    }
}

/// What a builder knows about the batch that it seals.
pub(super) struct Parts {
    pub(super) chunks: Vec<Vec<u8>>,
    pub(super) recycled: Vec<Vec<u8>>,
    pub(super) count: u32,
    pub(super) compression: Compression,
    pub(super) base_timestamp: i64,
    pub(super) max_timestamp: i64,
    pub(super) uncompressed_len: usize,
    pub(super) max_record_len: usize,
}

impl Body {
    pub(super) fn new(parts: Parts) -> Self {
        let mut len = 0;
        let mut crc = 0;
        for chunk in &parts.chunks {
            len += chunk.len();
            crc = crc::append(crc, chunk);
        }
        Self {
            parts,
            len,
            crc,
            shift: crc::Shift::of(len),
        }
    }

    /// The bytes of the body as sent, without the header.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the body has no bytes, which a sealed one never is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many records the batch holds.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.parts.count
    }

    /// The codec that compressed the body.
    #[must_use]
    pub const fn codec(&self) -> CompressionType {
        self.parts.compression.codec()
    }

    /// The codec and its level.
    #[must_use]
    pub const fn compression(&self) -> Compression {
        self.parts.compression
    }

    /// The first record's timestamp in milliseconds.
    #[must_use]
    pub const fn base_timestamp(&self) -> i64 {
        self.parts.base_timestamp
    }

    /// The largest timestamp in milliseconds.
    #[must_use]
    pub const fn max_timestamp(&self) -> i64 {
        self.parts.max_timestamp
    }

    /// The bytes of the records before compression.
    #[must_use]
    pub const fn uncompressed_len(&self) -> usize {
        self.parts.uncompressed_len
    }

    /// The bytes of the largest record before compression, its length field included.
    #[must_use]
    pub const fn max_record_len(&self) -> usize {
        self.parts.max_record_len
    }

    /// The body, in order.
    #[must_use]
    pub fn chunks(&self) -> &[Vec<u8>] {
        &self.parts.chunks
    }

    /// The bytes of memory that the body's chunks occupy, recycled ones included.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let chunks = self.parts.chunks.iter().chain(&self.parts.recycled);
        chunks.map(Vec::capacity).sum()
    }

    /// The builder's chunks, to be used again, if compression has freed them; after that, none.
    pub fn take_recycled(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.parts.recycled)
    }

    /// All memory of the body, to be used again: its chunks and those of [`take_recycled`](Self::take_recycled).
    #[must_use]
    pub fn into_chunks(self) -> Vec<Vec<u8>> {
        let mut chunks = self.parts.chunks;
        chunks.extend(self.parts.recycled);
        chunks
    }

    /// Lets go of memory without bytes in it.
    pub(super) fn shrink(&mut self) {
        self.parts.recycled = Vec::new();
        self.parts.chunks.iter_mut().for_each(Vec::shrink_to_fit);
    }

    /// The header for one attempt. The body is neither read nor changed, so that this costs tens
    /// of nanoseconds however large it is.
    #[must_use]
    pub fn header(&self, stamp: &Stamp) -> [u8; HEADER_LEN] {
        let parts = &self.parts;
        let length = (HEADER_LEN - LENGTH_EXCLUDES + self.len) as i32;
        let mut attributes = parts.compression.codec() as i16;
        if stamp.transactional {
            attributes |= TRANSACTIONAL;
        }
        let mut header = [0; HEADER_LEN];
        set(&mut header, LENGTH_AT, length.to_be_bytes());
        set(&mut header, LEADER_EPOCH_AT, (-1i32).to_be_bytes());
        header[MAGIC_AT] = MAGIC;
        set(&mut header, ATTRIBUTES_AT, attributes.to_be_bytes());
        set(
            &mut header,
            LAST_OFFSET_DELTA_AT,
            (parts.count as i32 - 1).to_be_bytes(),
        );
        set(
            &mut header,
            BASE_TIMESTAMP_AT,
            parts.base_timestamp.to_be_bytes(),
        );
        set(
            &mut header,
            MAX_TIMESTAMP_AT,
            parts.max_timestamp.to_be_bytes(),
        );
        set(&mut header, PRODUCER_ID_AT, stamp.producer_id.to_be_bytes());
        set(
            &mut header,
            PRODUCER_EPOCH_AT,
            stamp.producer_epoch.to_be_bytes(),
        );
        set(
            &mut header,
            BASE_SEQUENCE_AT,
            stamp.base_sequence.to_be_bytes(),
        );
        set(&mut header, COUNT_AT, (parts.count as i32).to_be_bytes());
        let own = crc::crc32c(&header[ATTRIBUTES_AT..]);
        set(
            &mut header,
            CRC_AT,
            self.shift.combine(own, self.crc).to_be_bytes(),
        );
        header
    }

    /// The whole batch, copied: for tests and tools.
    #[must_use]
    pub fn to_vec(&self, stamp: &Stamp) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN + self.len);
        bytes.extend_from_slice(&self.header(stamp));
        for chunk in &self.parts.chunks {
            bytes.extend_from_slice(chunk);
        }
        bytes
    }

    /// The records, decoded from the body.
    ///
    /// # Errors
    /// None for a body that a builder sealed, unless its memory was damaged.
    pub fn records(&self) -> Result<Vec<OwnedRecord>, DecodeError> {
        let mut records = Vec::with_capacity(self.parts.count as usize);
        self.each_record(|record| {
            records.push(record.into_owned());
            Ok::<(), DecodeError>(())
        })?;
        Ok(records)
    }

    /// Hands every record to `take`, in order, until that fails.
    pub(super) fn each_record<E: From<DecodeError>>(
        &self,
        mut take: impl FnMut(ReadRecord<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let unpacked;
        let chunks = if self.codec() == CompressionType::None {
            self.parts.chunks.as_slice()
        } else {
            // Compression leaves a single chunk.
            let packed = self.parts.chunks.first().map_or(&[][..], Vec::as_slice);
            unpacked = [decompress(
                self.codec(),
                packed,
                self.parts.uncompressed_len,
            )?];
            &unpacked
        };
        let mut reader = RecordReader::new(self.parts.base_timestamp, usize::MAX);
        let mut r = Reader::new(&[]);
        for chunk in chunks {
            r = Reader::new(chunk);
            while r.remaining() > 0 {
                take(reader.read(&mut r)?)?;
            }
        }
        Ok(reader.finish(&r, self.parts.count)?)
    }
}

fn set<const N: usize>(header: &mut [u8; HEADER_LEN], at: usize, bytes: [u8; N]) {
    header[at..at + N].copy_from_slice(&bytes);
}
