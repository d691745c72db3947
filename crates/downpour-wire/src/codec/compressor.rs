//! The compressing side of all codecs: contexts and buffers that one thread reuses for its batches.

use std::fmt;

use crate::codec::compression::Compression;
use crate::codec::compression_type::{CompressionError, CompressionType};
#[cfg(feature = "gzip")]
use crate::codec::gzip;
#[cfg(feature = "lz4")]
use crate::codec::lz4;
#[cfg(feature = "snappy")]
use crate::codec::snappy;
#[cfg(feature = "zstd")]
use crate::codec::zstd;

/// Compresses batches one after the other. Contexts and buffers of the codecs are made at first use
/// and kept, so a thread should have one compressor for all its batches.
#[derive(Default)]
pub struct Compressor {
    /// Takes the compressed bytes, whose number nobody knows before; the result is cut to size.
    output: Vec<u8>,
    #[cfg(feature = "gzip")]
    gzip: gzip::Encoder,
    #[cfg(feature = "snappy")]
    snappy: snappy::Encoder,
    #[cfg(feature = "lz4")]
    lz4: lz4::Encoder,
    #[cfg(feature = "zstd")]
    zstd: zstd::Encoder,
    /// For tests of what follows.
    #[cfg(test)]
    pub(crate) panics: bool,
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

impl Compressor {
    /// A compressor that has allocated nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of `chunks`, in order, compressed as Kafka's readers expect them; with
    /// [`CompressionType::None`], joined. The result's capacity is its length.
    ///
    /// # Errors
    /// [`CompressionError::NotCompiled`], or [`CompressionError::Failed`] if memory is short.
    pub fn compress(
        &mut self,
        compression: Compression,
        chunks: &[Vec<u8>],
    ) -> Result<Vec<u8>, CompressionError> {
        #[cfg(test)]
        assert!(!self.panics, "as a test wants it");
        self.output.clear();
        match compression.codec() {
            CompressionType::None => chunks
                .iter()
                .for_each(|chunk| self.output.extend_from_slice(chunk)),
            #[cfg(feature = "gzip")]
            CompressionType::Gzip => {
                self.gzip
                    .compress(compression.level(), chunks, &mut self.output)?
            }
            #[cfg(feature = "snappy")]
            CompressionType::Snappy => self.snappy.compress(chunks, &mut self.output)?,
            #[cfg(feature = "lz4")]
            CompressionType::Lz4 => self.lz4.compress(chunks, &mut self.output)?,
            #[cfg(feature = "zstd")]
            CompressionType::Zstd => {
                self.zstd
                    .compress(compression.level(), chunks, &mut self.output)?
            }
            #[allow(
                unreachable_patterns,
                reason = "all are compiled in if all features are on"
            )]
            codec => return Err(CompressionError::not_compiled(codec)),
        }
        Ok(self.output.as_slice().to_vec())
    }
}
