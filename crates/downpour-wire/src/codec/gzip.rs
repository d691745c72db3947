//! gzip, by flate2 over zlib-rs. One member is written; several are read.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use flate2::{Compress, FlushCompress, Status};

use crate::codec::compression_type::{CompressionError, CompressionType};
use crate::codec::output::{Output, too_large};
use crate::error::{DecodeError, DecodeErrorKind};

/// The level if none was chosen: zlib's own default.
const LEVEL: i32 = 6;
/// The window of 32 KiB, which every reader has.
const WINDOW_BITS: u8 = 15;
/// The step in which the output grows.
const STEP: usize = 16 * 1024;

/// A deflate state that is reset between batches.
#[derive(Default)]
pub(super) struct Encoder {
    state: Option<(i32, Compress)>,
}

impl Encoder {
    pub(super) fn compress(
        &mut self,
        level: Option<i32>,
        chunks: &[Vec<u8>],
        output: &mut Vec<u8>,
    ) -> Result<(), CompressionError> {
        let deflate = self.ready(level.unwrap_or(LEVEL));
        for chunk in chunks {
            write(deflate, chunk, FlushCompress::None, output)?;
        }
        write(deflate, &[], FlushCompress::Finish, output)
    }

    fn ready(&mut self, level: i32) -> &mut Compress {
        let kept = self.state.take().filter(|(of, _)| *of == level);
        let mut deflate = kept.map_or_else(
            || Compress::new_gzip(flate2::Compression::new(level as u32), WINDOW_BITS),
            |(_, deflate)| deflate,
        );
        deflate.reset();
        &mut self.state.insert((level, deflate)).1
    }
}

/// Feeds all of `input`, and with `Finish` goes on to the end of the stream.
fn write(
    deflate: &mut Compress,
    mut input: &[u8],
    flush: FlushCompress,
    output: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let finishes = matches!(flush, FlushCompress::Finish);
    while finishes || !input.is_empty() {
        output.reserve(STEP);
        let (read, written) = (deflate.total_in(), output.len());
        let failed = CompressionError::Failed {
            codec: CompressionType::Gzip,
        };
        let status = deflate
            .compress_vec(input, output, flush)
            .map_err(|_| failed)?;
        let consumed = (deflate.total_in() - read) as usize;
        input = input.get(consumed..).unwrap_or_default();
        if status == Status::StreamEnd {
            return Ok(());
        }
        if consumed == 0 && output.len() == written {
            return Err(failed);
        }
    }
    Ok(())
}

pub(super) fn decompress(input: &[u8], output: &mut Output) -> Result<(), DecodeError> {
    let corrupt = |rest: &MultiGzDecoder<&[u8]>| {
        let offset = input.len() - rest.get_ref().len();
        DecodeError::new(DecodeErrorKind::Decompress, offset, "gzip")
    };
    let mut decoder = MultiGzDecoder::new(input);
    loop {
        if output.left() == 0 {
            // Full: only the end may follow.
            return match decoder.read(&mut [0]) {
                Ok(0) => Ok(()),
                Ok(_) => Err(too_large(input.len() - decoder.get_ref().len())),
                Err(_) => Err(corrupt(&decoder)),
            };
        }
        let room = output.left().min(STEP.max(output.len()));
        match output.fill(room, |_, new| decoder.read(new)) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(_) => return Err(corrupt(&decoder)),
        }
    }
}
