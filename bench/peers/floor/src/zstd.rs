//! Zstandard at its default level, through a context that is kept.

use std::io;

use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

use crate::batch::HEADER_LEN;

/// The context, and the last batch that was packed.
pub(crate) struct Zstd {
    context: Compressor<'static>,
    bytes: Vec<u8>,
}

impl Zstd {
    pub(crate) fn new(batch: usize) -> io::Result<Self> {
        Ok(Self {
            context: Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL)?,
            bytes: vec![0; HEADER_LEN + compress_bound(batch)],
        })
    }

    /// Packs records behind room for the batch's header. Where that fails, what is sent is no
    /// batch, and the broker says so.
    pub(crate) fn pack(&mut self, records: &[u8]) -> &mut [u8] {
        let room = &mut self.bytes[HEADER_LEN..];
        let packed = self.context.compress_to_buffer(records, room).unwrap_or(0);
        &mut self.bytes[..HEADER_LEN + packed]
    }
}
