//! zstd, by the C library. Frames are written with their size; whole frames are read straight into
//! the output, so that the window a frame claims is never allocated.

use ::zstd::bulk::Compressor;
use ::zstd::zstd_safe::{DCtx, zstd_sys::ZSTD_ErrorCode};

use crate::codec::chunks::joined;
use crate::codec::compression_type::{CompressionError, CompressionType};
use crate::codec::output::{Output, too_large};
use crate::error::{DecodeError, DecodeErrorKind};

/// The level if none was chosen, which is Kafka's too.
const LEVEL: i32 = 3;
/// The first guess at how far the input expands; doubled until it suffices.
const RATIO: usize = 4;
/// The smallest room that is tried.
const ROOM_MIN: usize = 4 * 1024;

/// A context that is reused.
#[derive(Default)]
pub(super) struct Encoder {
    context: Option<Compressor<'static>>,
    level: i32,
    scratch: Vec<u8>,
}

impl Encoder {
    pub(super) fn compress(
        &mut self,
        level: Option<i32>,
        chunks: &[Vec<u8>],
        output: &mut Vec<u8>,
    ) -> Result<(), CompressionError> {
        let failed = |_| CompressionError::Failed {
            codec: CompressionType::Zstd,
        };
        let level = level.unwrap_or(LEVEL);
        let context = match &mut self.context {
            Some(context) => context,
            none => {
                self.level = level;
                none.insert(Compressor::new(level).map_err(failed)?)
            }
        };
        if self.level != level {
            context.set_compression_level(level).map_err(failed)?;
            self.level = level;
        }
        let input = joined(chunks, &mut self.scratch);
        output.reserve(::zstd::zstd_safe::compress_bound(input.len()));
        context.compress_to_buffer(input, output).map_err(failed)?;
        Ok(())
    }
}

pub(super) fn decompress(input: &[u8], output: &mut Output) -> Result<(), DecodeError> {
    const TOO_SMALL: usize = (ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as usize).wrapping_neg();
    let corrupt = DecodeError::new(DecodeErrorKind::Decompress, 0, "zstd");
    let mut context = DCtx::try_create().ok_or(corrupt)?;
    let max = output.left();
    let mut room = input.len().saturating_mul(RATIO).max(ROOM_MIN).min(max);
    loop {
        match output.fill(room, |_, new| context.decompress(new, input)) {
            Ok(_) => return Ok(()),
            Err(TOO_SMALL) if room == max => return Err(too_large(0)),
            Err(TOO_SMALL) => room = room.saturating_mul(2).min(max),
            Err(_) => return Err(corrupt),
        }
    }
}
