//! Snappy in the framing of the xerial library, which is what Kafka's clients write; raw blocks,
//! as some other clients send them, are read too.

use snap::raw::{decompress_len, max_compress_len};

use crate::codec::chunks::{for_each_block, total};
use crate::codec::compression_type::{CompressionError, CompressionType};
use crate::codec::output::{Output, too_large};
use crate::error::{DecodeError, DecodeErrorKind};

const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
/// The magic, the version and the oldest version that can read it, both 1.
const HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
/// The uncompressed bytes of a block: what Java's writer uses, and its reader's buffer holds.
const BLOCK_LEN: usize = 32 * 1024;
/// Snappy's best: a copy of 64 bytes takes 3.
const RATIO_MAX: usize = 22;

/// An encoder whose table is reused.
#[derive(Default)]
pub(super) struct Encoder {
    encoder: Option<Box<snap::raw::Encoder>>,
    scratch: Vec<u8>,
}

impl Encoder {
    pub(super) fn compress(
        &mut self,
        chunks: &[Vec<u8>],
        output: &mut Vec<u8>,
    ) -> Result<(), CompressionError> {
        let blocks = total(chunks).div_ceil(BLOCK_LEN);
        output.reserve(HEADER.len() + blocks * (4 + max_compress_len(BLOCK_LEN)));
        output.extend_from_slice(&HEADER);
        let encoder = self
            .encoder
            .get_or_insert_with(|| Box::new(snap::raw::Encoder::new()));
        for_each_block(chunks, BLOCK_LEN, &mut self.scratch, |block| {
            let at = output.len();
            output.resize(at + 4 + max_compress_len(block.len()), 0);
            let written = encoder
                .compress(block, &mut output[at + 4..])
                .map_err(|_| CompressionError::Failed {
                    codec: CompressionType::Snappy,
                })?;
            output[at..at + 4].copy_from_slice(&(written as u32).to_be_bytes());
            output.truncate(at + 4 + written);
            Ok(())
        })
    }
}

pub(super) fn decompress(input: &[u8], output: &mut Output) -> Result<(), DecodeError> {
    if !input.starts_with(&MAGIC) {
        return decompress_block(input, 0, output);
    }
    let mut at = HEADER.len();
    if input.len() < at {
        return Err(error(DecodeErrorKind::Truncated, input.len()));
    }
    while at < input.len() {
        let Some(size) = input[at..].first_chunk::<4>() else {
            return Err(error(DecodeErrorKind::Truncated, input.len()));
        };
        let size = u32::from_be_bytes(*size) as usize;
        at += size_of::<u32>();
        let Some(block) = input[at..].get(..size) else {
            return Err(error(DecodeErrorKind::LengthOutOfBounds, at));
        };
        decompress_block(block, at, output)?;
        at += size;
    }
    Ok(())
}

fn decompress_block(block: &[u8], at: usize, output: &mut Output) -> Result<(), DecodeError> {
    let corrupt = error(DecodeErrorKind::Decompress, at);
    let claimed = decompress_len(block).map_err(|_| corrupt)?;
    if claimed > block.len().saturating_mul(RATIO_MAX) {
        return Err(corrupt);
    }
    if claimed > output.left() {
        return Err(too_large(at));
    }
    let mut decoder = snap::raw::Decoder::new();
    let written = output.fill(claimed, |_, new| decoder.decompress(block, new));
    match written {
        Ok(_) => Ok(()),
        Err(_) => Err(corrupt),
    }
}

const fn error(kind: DecodeErrorKind, offset: usize) -> DecodeError {
    DecodeError::new(kind, offset, "snappy")
}
