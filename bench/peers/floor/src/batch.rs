//! A record batch, version 2, in one buffer: records written straight behind room for the header.

use crate::codec::Packer;
use crate::connection::Identity;

pub(crate) const HEADER_LEN: usize = 61;

/// The most that a record needs beside its value.
const OVERHEAD_MAX: usize = 24;

/// The open batch of a partition.
#[derive(Debug)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    len: usize,
    count: u32,
    sequence: u32,
    timestamp: i64,
}

impl Batch {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            bytes: vec![0; size],
            len: HEADER_LEN,
            count: 0,
            sequence: 0,
            timestamp: 0,
        }
    }

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    /// Whether a record with a value of this size may not fit.
    #[inline]
    pub(crate) fn is_full(&self, value: usize) -> bool {
        self.len + value + OVERHEAD_MAX > self.bytes.len()
    }

    /// Appends a record without a key, of the batch's time.
    #[inline]
    pub(crate) fn append(&mut self, value: &[u8]) {
        if self.count == 0 {
            self.timestamp = now();
        }
        let (delta, delta_len) = varint(self.count);
        let (size, size_len) = varint(value.len() as u32);
        // Attributes, timestamp delta, no key, no headers.
        let (len, len_len) = varint((4 + delta_len + size_len + value.len()) as u32);
        let mut head = [0_u8; OVERHEAD_MAX];
        let mut at = 0;
        head[at..at + 8].copy_from_slice(&len.to_le_bytes());
        at += len_len + 2;
        head[at..at + 8].copy_from_slice(&delta.to_le_bytes());
        at += delta_len;
        head[at] = 1;
        at += 1;
        head[at..at + 8].copy_from_slice(&size.to_le_bytes());
        at += size_len;
        let room = &mut self.bytes[self.len..self.len + OVERHEAD_MAX + value.len()];
        room[..OVERHEAD_MAX].copy_from_slice(&head);
        room[at..at + value.len()].copy_from_slice(value);
        room[at + value.len()] = 0;
        self.len += at + value.len() + 1;
        self.count += 1;
    }

    /// Closes the batch and gives its bytes; `clear` opens the next.
    pub(crate) fn seal<'a>(
        &'a mut self,
        identity: Identity,
        packer: Option<&'a mut Packer>,
    ) -> &'a [u8] {
        let Some(packer) = packer else {
            let bytes = &mut self.bytes[..self.len];
            let stamp = Stamp {
                codec: 0,
                count: self.count,
                timestamp: self.timestamp,
                sequence: self.sequence,
            };
            stamp.write(bytes, identity);
            return bytes;
        };
        let codec = packer.number();
        let packed = packer.pack(&self.bytes[HEADER_LEN..self.len]);
        let stamp = Stamp {
            codec,
            count: self.count,
            timestamp: self.timestamp,
            sequence: self.sequence,
        };
        stamp.write(packed, identity);
        packed
    }

    pub(crate) fn clear(&mut self) {
        self.sequence = (self.sequence + self.count) & 0x7fff_ffff;
        self.len = HEADER_LEN;
        self.count = 0;
    }
}

struct Stamp {
    codec: i16,
    count: u32,
    timestamp: i64,
    sequence: u32,
}

impl Stamp {
    fn write(&self, bytes: &mut [u8], identity: Identity) {
        let len = bytes.len() as u32 - 12;
        let sequence = if identity.id < 0 {
            u32::MAX
        } else {
            self.sequence
        };
        bytes[0..8].fill(0);
        bytes[8..12].copy_from_slice(&len.to_be_bytes());
        bytes[12..16].fill(0xff);
        bytes[16] = 2;
        bytes[21..23].copy_from_slice(&self.codec.to_be_bytes());
        bytes[23..27].copy_from_slice(&(self.count - 1).to_be_bytes());
        bytes[27..35].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[35..43].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[43..51].copy_from_slice(&identity.id.to_be_bytes());
        bytes[51..53].copy_from_slice(&identity.epoch.to_be_bytes());
        bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
        bytes[57..61].copy_from_slice(&self.count.to_be_bytes());
        let sum = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&sum.to_be_bytes());
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// A zigzag varint of a number that is not negative and below 2^27, and how many bytes of it count.
#[inline]
const fn varint(value: u32) -> (u64, usize) {
    let zigzag = (value as u64) << 1;
    if zigzag < 1 << 7 {
        (zigzag, 1)
    } else if zigzag < 1 << 14 {
        (zigzag & 0x7f | 0x80 | (zigzag >> 7) << 8, 2)
    } else if zigzag < 1 << 21 {
        (
            zigzag & 0x7f | 0x80 | (zigzag >> 7 & 0x7f | 0x80) << 8 | (zigzag >> 14) << 16,
            3,
        )
    } else {
        let low = zigzag & 0x7f | 0x80 | (zigzag >> 7 & 0x7f | 0x80) << 8;
        (
            low | (zigzag >> 14 & 0x7f | 0x80) << 16 | (zigzag >> 21) << 24,
            4,
        )
    }
}
