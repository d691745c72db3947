//! The decompressing side of all codecs, for bytes that a peer sent.

use crate::codec::compression_type::CompressionType;
#[cfg(feature = "gzip")]
use crate::codec::gzip;
#[cfg(feature = "lz4")]
use crate::codec::lz4;
use crate::codec::output::Output;
#[cfg(feature = "snappy")]
use crate::codec::snappy;
#[cfg(feature = "zstd")]
use crate::codec::zstd;
use crate::error::DecodeError;

/// What `input` decompresses to, at most `max_bytes`.
///
/// Memory grows with the data that appears, never by what the input claims. All framings that
/// Kafka's clients write are read: gzip of several members, snappy with and without xerial's
/// blocks, LZ4 frames of linked and of independent blocks, zstd frames with and without their size.
///
/// # Errors
/// `Decompress` or a more exact kind for corrupt input, `TooLarge` beyond `max_bytes`,
/// `UnsupportedCodec` if the codec's feature is off. Offsets count compressed bytes.
pub fn decompress(
    codec: CompressionType,
    input: &[u8],
    max_bytes: usize,
) -> Result<Vec<u8>, DecodeError> {
    let mut output = Output::new(max_bytes);
    match codec {
        CompressionType::None => output.append(input, 0)?,
        #[cfg(feature = "gzip")]
        CompressionType::Gzip => gzip::decompress(input, &mut output)?,
        #[cfg(feature = "snappy")]
        CompressionType::Snappy => snappy::decompress(input, &mut output)?,
        #[cfg(feature = "lz4")]
        CompressionType::Lz4 => lz4::decompress(input, &mut output)?,
        #[cfg(feature = "zstd")]
        CompressionType::Zstd => zstd::decompress(input, &mut output)?,
        #[allow(
            unreachable_patterns,
            reason = "all are compiled in if all features are on"
        )]
        codec => {
            let kind = crate::error::DecodeErrorKind::UnsupportedCodec;
            return Err(DecodeError::new(kind, 0, codec.name()));
        }
    }
    Ok(output.into_bytes())
}
