//! The compression codecs of record batches: compressing chunks with contexts that are reused, and
//! decompressing within a bound. Which batch is compressed, when and by whom is decided elsewhere.
//!
//! All five codecs can always be named; using one whose feature is off is an error that says so.

#[cfg(any(feature = "snappy", feature = "lz4", feature = "zstd"))]
mod chunks;
mod compression;
mod compression_type;
mod compressor;
mod decompress;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "lz4")]
mod lz4;
mod output;
#[cfg(feature = "snappy")]
mod snappy;
#[cfg(feature = "lz4")]
mod xxh32;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(test)]
mod tests;

pub use compression::Compression;
pub use compression_type::{CompressionError, CompressionType};
pub use compressor::Compressor;
pub use decompress::decompress;
