//! The open batch: records are written as the wire has them, straight into chunks of memory that
//! the caller provides. No allocation happens per record. Which records belong together, and when
//! a batch is full, is decided elsewhere.
//!
//! Invariant: a record lies within one chunk, and a chunk never grows.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::batch::body::{Body, Parts};
use crate::batch::layout::BODY_LEN_MAX;
use crate::codec::{Compression, CompressionError, CompressionType, Compressor};
use crate::record::{Header, RecordRef};

/// An open batch of records.
#[derive(Default)]
pub struct BatchBuilder {
    /// Chunks that take no more records.
    full: Vec<Vec<u8>>,
    /// The chunk that takes the next record, as long as its capacity so that records are written
    /// through slices; empty before the first chunk.
    last: Vec<u8>,
    /// The bytes of `last` that hold records.
    filled: usize,
    full_len: usize,
    count: u32,
    first_timestamp: i64,
    max_timestamp: i64,
    max_record_len: usize,
    /// With less spare than this the owner looks whether the batch is full: the length of the
    /// largest record, or `usize::MAX` where records are counted, too.
    look_below: usize,
    /// The last chunk and how much of it is filled, while it is withheld.
    withheld: Option<(Vec<u8>, usize)>,
}

/// The last chunk has no room for the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeedChunk {
    /// The bytes that the record takes. A chunk of this capacity suffices.
    pub bytes: usize,
}

/// A batch could not be sealed. It comes back unharmed, so that it can be sealed otherwise.
#[derive(Debug)]
pub struct SealError {
    /// The batch, as it was.
    pub builder: Box<BatchBuilder>,
    /// What went wrong.
    pub kind: SealErrorKind,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot seal a batch of {} records", self.builder.count)
    }
}

impl std::error::Error for SealError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.kind)
    }
}

/// Why a batch could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealErrorKind {
    /// It has no records, so there is nothing to send.
    Empty,
    /// It has more bytes than a batch's length field can say.
    TooLarge,
    /// Its records could not be compressed.
    Compress(CompressionError),
    /// The codec panicked.
    Panicked,
}

impl fmt::Display for SealErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the batch has no records"),
            Self::TooLarge => f.write_str("the batch is larger than 2 GiB"),
            Self::Compress(error) => error.fmt(f),
            Self::Panicked => f.write_str("the codec panicked"),
        }
    }
}

impl std::error::Error for SealErrorKind {}

impl fmt::Debug for BatchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchBuilder")
            .field("count", &self.count)
            .field("body_len", &self.body_len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

impl BatchBuilder {
    /// An empty batch without any chunk.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            full: Vec::new(),
            last: Vec::new(),
            filled: 0,
            full_len: 0,
            count: 0,
            first_timestamp: -1,
            max_timestamp: -1,
            max_record_len: 0,
            look_below: 0,
            withheld: None,
        }
    }

    /// The bytes that `record` would take as the next one, its length field included.
    #[must_use]
    pub fn record_len(&self, record: &RecordRef<'_>) -> usize {
        self.measure(record).total()
    }

    /// The bytes that the last chunk still takes.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.last.len() - self.filled
    }

    /// Writes `record` as the next one and returns its index in the batch.
    ///
    /// The caller keeps single records below the limit of a request: lengths are written as the
    /// 31 bits that Kafka has, and [`seal`](Self::seal) refuses a batch that outgrew them.
    ///
    /// # Errors
    /// [`NeedChunk`] if the last chunk has no room; then nothing was written. Add a chunk with
    /// [`add_chunk`](Self::add_chunk) and call again.
    #[inline(always)]
    pub fn try_append(&mut self, record: &RecordRef<'_>) -> Result<u32, NeedChunk> {
        let measure = self.measure(record);
        let total = measure.total();
        let room = &mut self.last[self.filled..];
        // Fields are written through windows of a fixed size, which is twice as fast as byte by
        // byte; near the end of the chunk, where a window would not fit, a detour is taken.
        if total + WINDOW <= room.len() {
            write_record(room, record, &measure);
        } else if total <= room.len() {
            write_at_the_end(&mut room[..total], record, &measure);
        } else {
            return Err(NeedChunk { bytes: total });
        }
        self.filled += total;
        let index = self.count;
        if index == 0 {
            self.first_timestamp = record.timestamp;
            self.max_timestamp = record.timestamp;
        } else if record.timestamp > self.max_timestamp {
            self.max_timestamp = record.timestamp;
        }
        if total > self.max_record_len {
            self.max_record_len = total;
            self.look_below = self.look_below.max(total);
        }
        self.count = index + 1;
        Ok(index)
    }

    /// Adds a chunk that takes the next records; what the chunk before it had left stays unused.
    ///
    /// Bytes that `chunk` holds are written over. Those beyond its length are zeroed first, so
    /// hand chunks of earlier batches back as they are instead of clearing them.
    pub fn add_chunk(&mut self, mut chunk: Vec<u8>) {
        self.release();
        self.close_last();
        chunk.resize(chunk.capacity(), 0);
        self.last = chunk;
    }

    fn close_last(&mut self) {
        let mut last = std::mem::take(&mut self.last);
        if last.capacity() > 0 {
            last.truncate(self.filled);
            self.full_len += self.filled;
            self.full.push(last);
        }
        self.filled = 0;
    }

    /// Whether it may be full now, which its owner has to look at: it has no room for another
    /// record like its largest, or its records [are counted](Self::count_records).
    #[inline(always)]
    #[must_use]
    pub fn is_to_be_looked_at(&self) -> bool {
        self.spare() < self.look_below
    }

    /// From now on its owner looks at it after every record.
    pub const fn count_records(&mut self) {
        self.look_below = usize::MAX;
    }

    /// Takes no records until [`release`](Self::release) or a new chunk, though it may have room.
    pub fn withhold(&mut self) {
        if self.withheld.is_none() {
            let filled = std::mem::take(&mut self.filled);
            self.full_len += filled;
            self.withheld = Some((std::mem::take(&mut self.last), filled));
        }
    }

    /// Takes records again.
    pub fn release(&mut self) {
        if let Some((last, filled)) = self.withheld.take() {
            self.full_len -= filled;
            self.filled = filled;
            self.last = last;
        }
    }

    /// The bytes that the last chunk takes once nothing is withheld.
    #[must_use]
    pub fn room(&self) -> usize {
        match &self.withheld {
            Some((last, filled)) => last.len() - filled,
            None => self.spare(),
        }
    }

    /// The bytes of all records, as they are before compression.
    #[must_use]
    pub fn body_len(&self) -> usize {
        self.full_len + self.filled
    }

    /// How many records the batch holds.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Whether the batch holds no record.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes that the batch's chunks occupy.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let full: usize = self.full.iter().map(Vec::capacity).sum();
        let withheld = self
            .withheld
            .as_ref()
            .map_or(0, |(last, _)| last.capacity());
        full + self.last.capacity() + withheld
    }

    /// The first record's timestamp in milliseconds; -1 while there is none.
    #[must_use]
    pub const fn first_timestamp(&self) -> i64 {
        self.first_timestamp
    }

    /// The largest timestamp in milliseconds; -1 while there is no record.
    #[must_use]
    pub const fn max_timestamp(&self) -> i64 {
        self.max_timestamp
    }

    /// The bytes of the largest record, its length field included.
    #[must_use]
    pub const fn max_record_len(&self) -> usize {
        self.max_record_len
    }

    /// Gives the chunks back and drops the records.
    #[must_use]
    pub fn into_chunks(mut self) -> Vec<Vec<u8>> {
        self.release();
        self.close_last();
        self.full
    }

    /// Closes the batch: compresses it if asked to and works out the body's checksum.
    ///
    /// After compression the emptied chunks are in [`Body::take_recycled`].
    ///
    /// # Errors
    /// The codec is not compiled in or failed, or the batch is empty or larger than Kafka's length
    /// field can say. The batch comes back in the error.
    pub fn seal(
        mut self,
        compression: Compression,
        compressor: &mut Compressor,
    ) -> Result<Body, SealError> {
        let refused = if self.count == 0 {
            Some(SealErrorKind::Empty)
        } else if self.body_len() > BODY_LEN_MAX {
            Some(SealErrorKind::TooLarge)
        } else {
            None
        };
        if let Some(kind) = refused {
            return Err(SealError {
                builder: Box::new(self),
                kind,
            });
        }
        let uncompressed_len = self.body_len();
        self.release();
        self.close_last();
        let (chunks, recycled) = if compression.codec() == CompressionType::None {
            (self.full, Vec::new())
        } else {
            match compress(compression, &self.full, compressor) {
                Ok(compressed) => (vec![compressed], self.full),
                Err(kind) => {
                    return Err(SealError {
                        builder: Box::new(self),
                        kind,
                    });
                }
            }
        };
        Ok(Body::new(Parts {
            chunks,
            recycled,
            count: self.count,
            compression,
            base_timestamp: self.first_timestamp,
            max_timestamp: self.max_timestamp,
            uncompressed_len,
            max_record_len: self.max_record_len,
        }))
    }

    #[inline(always)]
    fn measure(&self, record: &RecordRef<'_>) -> Measure {
        let first = if self.count == 0 {
            record.timestamp
        } else {
            self.first_timestamp
        };
        let timestamp_delta = zigzag(record.timestamp.wrapping_sub(first));
        let offset_delta = u64::from(self.count) << 1;
        let mut len = 1 + varint_len(timestamp_delta) + varint_len(offset_delta);
        len += nullable_len(record.key) + nullable_len(record.value);
        len += varint_len(length(record.headers.len()));
        if !record.headers.is_empty() {
            len += headers_len(record.headers);
        }
        Measure {
            timestamp_delta,
            offset_delta,
            len,
        }
    }
}

/// What is worked out about a record before it is written.
struct Measure {
    timestamp_delta: u64,
    offset_delta: u64,
    /// The bytes after the length field.
    len: usize,
}

impl Measure {
    #[inline]
    fn total(&self) -> usize {
        varint_len(length(self.len)) + self.len
    }
}

/// The bytes of a window: the largest run of small fields is length (5), attributes (1), timestamp
/// delta (10), offset delta (5), key length (5) and value length (5).
const WINDOW: usize = 32;

/// Null's length, -1, as the wire has it.
const NULL: u64 = 1;

/// Writes into room that has [`WINDOW`] bytes more than the record takes.
#[inline(always)]
fn write_record(room: &mut [u8], record: &RecordRef<'_>, measure: &Measure) {
    let mut at = 0;
    match record.key {
        None => {
            let w = window(room, 0);
            at = write_fields(w, measure, NULL);
            at = put(w, at, value_length(record));
        }
        Some(key) => {
            at = write_fields(window(room, at), measure, length(key.len()));
            at = copy(room, at, key);
            at += put(window(room, at), 0, value_length(record));
        }
    }
    if let Some(value) = record.value {
        at = copy(room, at, value);
    }
    if record.headers.is_empty() {
        room[at] = 0;
    } else {
        write_headers(room, at, record.headers);
    }
}

/// Writes where there is just the room that the record takes.
#[cold]
fn write_at_the_end(room: &mut [u8], record: &RecordRef<'_>, measure: &Measure) {
    let mut fields = [0; WINDOW];
    let key_length = record.key.map_or(NULL, |key| length(key.len()));
    let end = write_fields(&mut fields, measure, key_length);
    let mut at = copy(room, 0, &fields[..end]);
    at = copy(room, at, record.key.unwrap_or_default());
    at = put_exact(room, at, value_length(record));
    at = copy(room, at, record.value.unwrap_or_default());
    write_headers(room, at, record.headers);
}

fn write_headers(room: &mut [u8], at: usize, headers: &[Header<'_>]) {
    let mut at = put_exact(room, at, length(headers.len()));
    for header in headers {
        at = put_exact(room, at, length(header.key.len()));
        at = copy(room, at, header.key.as_bytes());
        match &header.value {
            None => at = put_exact(room, at, NULL),
            Some(value) => {
                at = put_exact(room, at, length(value.len()));
                at = copy(room, at, value);
            }
        }
    }
}

/// Everything up to the key's length; returns where it ends.
#[inline(always)]
fn write_fields(w: &mut [u8; WINDOW], measure: &Measure, key_length: u64) -> usize {
    let mut at = put(w, 0, length(measure.len));
    // A record's attributes: none are defined.
    w[at % WINDOW] = 0;
    at = put(w, at + 1, measure.timestamp_delta);
    at = put(w, at, measure.offset_delta);
    put(w, at, key_length)
}

#[inline(always)]
fn window(room: &mut [u8], at: usize) -> &mut [u8; WINDOW] {
    room[at..]
        .first_chunk_mut()
        .expect("the caller has seen to a window more than the record takes")
}

#[inline(always)]
fn copy(room: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let end = at + bytes.len();
    room[at..end].copy_from_slice(bytes);
    end
}

/// A varint at `at`; returns where it ends. The remainder keeps the compiler from checking bounds:
/// [`WINDOW`] is larger than all that is ever put into one.
#[inline(always)]
fn put(w: &mut [u8; WINDOW], at: usize, value: u64) -> usize {
    if value < 1 << 7 {
        w[at % WINDOW] = value as u8;
        at + 1
    } else if value < 1 << 14 {
        w[at % WINDOW] = value as u8 | 0x80;
        w[(at + 1) % WINDOW] = (value >> 7) as u8;
        at + 2
    } else {
        put_long(w, at, value)
    }
}

fn put_long(w: &mut [u8; WINDOW], mut at: usize, mut value: u64) -> usize {
    while value >= 0x80 {
        w[at % WINDOW] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    w[at % WINDOW] = value as u8;
    at + 1
}

/// A varint where no window fits any more.
fn put_exact(room: &mut [u8], mut at: usize, mut value: u64) -> usize {
    while value >= 0x80 {
        room[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    room[at] = value as u8;
    at + 1
}

#[inline]
fn value_length(record: &RecordRef<'_>) -> u64 {
    record.value.map_or(NULL, |value| length(value.len()))
}

#[inline]
fn nullable_len(part: Option<&[u8]>) -> usize {
    part.map_or(1, |bytes| varint_len(length(bytes.len())) + bytes.len())
}

fn headers_len(headers: &[Header<'_>]) -> usize {
    let mut len = 0;
    for header in headers {
        len += varint_len(length(header.key.len())) + header.key.len();
        len += nullable_len(header.value.as_deref());
    }
    len
}

/// A length, which is not negative, in zigzag form.
#[inline]
const fn length(len: usize) -> u64 {
    (len as u64) << 1
}

#[inline]
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The bytes of a varint. Nearly all are short, and a predicted comparison is cheaper than counting
/// leading zeros, which processors without a special instruction do slowly.
#[inline(always)]
const fn varint_len(value: u64) -> usize {
    if value < 1 << 7 {
        1
    } else if value < 1 << 14 {
        2
    } else {
        long_varint_len(value)
    }
}

const fn long_varint_len(value: u64) -> usize {
    let bits = u64::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}
/// Compresses, whatever the codec does: a batch that was lost with its panic would never leave, and
/// all behind it in its partition would wait for it.
fn compress(
    compression: Compression,
    chunks: &[Vec<u8>],
    compressor: &mut Compressor,
) -> Result<Vec<u8>, SealErrorKind> {
    let attempt = AssertUnwindSafe(|| compressor.compress(compression, chunks));
    match catch_unwind(attempt) {
        Ok(result) => result.map_err(SealErrorKind::Compress),
        Err(payload) => {
            // Its drop may panic, too.
            std::mem::forget(payload);
            // What state the panic left its contexts in nobody knows.
            *compressor = Compressor::new();
            Err(SealErrorKind::Panicked)
        }
    }
}
