//! LZ4 frames, written and read by hand around lz4_flex's blocks: its own frame writer takes twice
//! the time. Blocks are written independent of each other, without checksums of their own, since
//! the batch has one; on reading, all that a frame may have is understood, except dictionaries.

use lz4_flex::block::{
    CompressTable, DecompressError, compress_into_with_table, decompress_into,
    decompress_into_with_dict, get_maximum_output_size,
};

use crate::codec::chunks::{for_each_block, total};
use crate::codec::compression_type::{CompressionError, CompressionType};
use crate::codec::output::{Output, too_large};
use crate::codec::xxh32::xxh32;
use crate::error::{DecodeError, DecodeErrorKind};

const MAGIC: [u8; 4] = 0x184D_2204u32.to_le_bytes();
/// The block's size field has this bit set if the block is stored as it is.
const STORED: u32 = 1 << 31;
/// How far back a match may reach into earlier blocks.
const WINDOW: usize = 64 * 1024;
/// LZ4's best: a run needs one byte for 255.
const RATIO_MAX: usize = 255;

const VERSION_MASK: u8 = 0b1100_0000;
const VERSION: u8 = 0b0100_0000;
const INDEPENDENT: u8 = 1 << 5;
const BLOCK_CHECKSUM: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
const CONTENT_CHECKSUM: u8 = 1 << 2;
const RESERVED: u8 = 1 << 1;
const DICTIONARY: u8 = 1;

/// The block sizes, by their number in the frame.
const BLOCK_64_KIB: u8 = 4;
const BLOCK_256_KIB: u8 = 5;
const BLOCK_4_MIB: u8 = 7;

/// Tables that are reused: the small one is quicker, and takes blocks below 64 KiB.
#[derive(Default)]
pub(super) struct Encoder {
    small: Option<CompressTable>,
    large: Option<CompressTable>,
    scratch: Vec<u8>,
}

impl Encoder {
    pub(super) fn compress(
        &mut self,
        chunks: &[Vec<u8>],
        output: &mut Vec<u8>,
    ) -> Result<(), CompressionError> {
        let total = total(chunks);
        // Blocks of 256 KiB stay within a core's cache; larger ones cost more and save little.
        let class = if total <= block_len_max(BLOCK_64_KIB) {
            BLOCK_64_KIB
        } else {
            BLOCK_256_KIB
        };
        // Equal blocks, so that a few bytes too many do not make a block of their own.
        let blocks = total.div_ceil(block_len_max(class)).max(1);
        let block_len = total.div_ceil(blocks).max(1);
        output.reserve(16 + blocks * (4 + get_maximum_output_size(block_len)));
        let descriptor = [VERSION | INDEPENDENT, class << 4];
        output.extend_from_slice(&MAGIC);
        output.extend_from_slice(&descriptor);
        output.push(header_checksum(&descriptor));
        for_each_block(chunks, block_len, &mut self.scratch, |block| {
            let table = if block.len() < u16::MAX as usize {
                self.small.get_or_insert_with(CompressTable::small)
            } else {
                self.large.get_or_insert_with(CompressTable::large)
            };
            write_block(block, table, output)
        })?;
        output.extend_from_slice(&[0; 4]);
        Ok(())
    }
}

fn write_block(
    block: &[u8],
    table: &mut CompressTable,
    output: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let at = output.len();
    output.resize(at + 4 + get_maximum_output_size(block.len()), 0);
    let written = compress_into_with_table(block, &mut output[at + 4..], table).map_err(|_| {
        CompressionError::Failed {
            codec: CompressionType::Lz4,
        }
    })?;
    let size = if written < block.len() {
        output.truncate(at + 4 + written);
        written as u32
    } else {
        output.truncate(at + 4);
        output.extend_from_slice(block);
        block.len() as u32 | STORED
    };
    output[at..at + 4].copy_from_slice(&size.to_le_bytes());
    Ok(())
}

pub(super) fn decompress(input: &[u8], output: &mut Output) -> Result<(), DecodeError> {
    let mut cursor = Cursor { input, at: 0 };
    let frame = Frame::read(&mut cursor)?;
    loop {
        let size = cursor.u32()?;
        if size == 0 {
            break;
        }
        let len = (size & !STORED) as usize;
        if len > frame.block_len_max {
            return Err(cursor.error(DecodeErrorKind::LengthOutOfBounds));
        }
        let at = cursor.at;
        let block = cursor.take(len)?;
        if frame.flags & BLOCK_CHECKSUM != 0 && cursor.u32()? != xxh32(block) {
            return Err(cursor.error(DecodeErrorKind::ChecksumMismatch));
        }
        if size & STORED == 0 {
            frame.decompress_block(block, at, output)?;
        } else {
            output.append(block, at)?;
        }
    }
    if frame
        .content_size
        .is_some_and(|size| size != output.len() as u64)
    {
        return Err(cursor.error(DecodeErrorKind::Decompress));
    }
    if frame.flags & CONTENT_CHECKSUM != 0 && cursor.u32()? != xxh32(output.bytes()) {
        return Err(cursor.error(DecodeErrorKind::ChecksumMismatch));
    }
    if cursor.at < input.len() {
        return Err(cursor.error(DecodeErrorKind::TrailingBytes));
    }
    Ok(())
}

/// What a frame's header says.
struct Frame {
    flags: u8,
    block_len_max: usize,
    content_size: Option<u64>,
}

impl Frame {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, DecodeError> {
        if cursor.take(MAGIC.len())? != MAGIC {
            return Err(cursor.error(DecodeErrorKind::Decompress));
        }
        let start = cursor.at;
        let [flags, block_descriptor] = cursor.array()?;
        let class = block_descriptor >> 4;
        let understood = flags & VERSION_MASK == VERSION
            && flags & (RESERVED | DICTIONARY) == 0
            && block_descriptor & 0b1000_1111 == 0
            && (BLOCK_64_KIB..=BLOCK_4_MIB).contains(&class);
        if !understood {
            return Err(cursor.error(DecodeErrorKind::Decompress));
        }
        let content_size = if flags & CONTENT_SIZE == 0 {
            None
        } else {
            Some(u64::from_le_bytes(cursor.array()?))
        };
        let expected = header_checksum(&cursor.input[start..cursor.at]);
        if cursor.array()? != [expected] {
            return Err(cursor.error(DecodeErrorKind::ChecksumMismatch));
        }
        Ok(Self {
            flags,
            block_len_max: block_len_max(class),
            content_size,
        })
    }

    fn decompress_block(
        &self,
        block: &[u8],
        at: usize,
        output: &mut Output,
    ) -> Result<(), DecodeError> {
        let wanted = self
            .block_len_max
            .min(block.len().saturating_mul(RATIO_MAX));
        let room = wanted.min(output.left());
        let linked = self.flags & INDEPENDENT == 0;
        let written = output.fill(room, |done, new| {
            if linked && !done.is_empty() {
                let window = &done[done.len().saturating_sub(WINDOW)..];
                decompress_into_with_dict(block, new, window)
            } else {
                decompress_into(block, new)
            }
        });
        match written {
            Ok(_) => Ok(()),
            Err(DecompressError::OutputTooSmall { .. }) if room < wanted => Err(too_large(at)),
            Err(_) => Err(DecodeError::new(DecodeErrorKind::Decompress, at, WHAT)),
        }
    }
}

const fn block_len_max(class: u8) -> usize {
    1 << (8 + 2 * class as usize)
}

fn header_checksum(descriptor: &[u8]) -> u8 {
    (xxh32(descriptor) >> 8) as u8
}

const WHAT: &str = "an LZ4 frame";

/// A frame's fields are little-endian, unlike all others of Kafka's.
struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    const fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(kind, self.at, WHAT)
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        match self.input[self.at..].get(..n) {
            Some(taken) => {
                self.at += n;
                Ok(taken)
            }
            None => Err(self.error(DecodeErrorKind::Truncated)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.input[self.at..].first_chunk::<N>() {
            Some(taken) => {
                self.at += N;
                Ok(*taken)
            }
            None => Err(self.error(DecodeErrorKind::Truncated)),
        }
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }
}
