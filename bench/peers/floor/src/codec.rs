//! Which codec packs a batch.

use std::io;

use bench_contract::{Codec, Run};

use crate::lz4::Lz4;
use crate::zstd::Zstd;

/// A codec with what it keeps from batch to batch.
pub(crate) enum Packer {
    Lz4(Lz4),
    Zstd(Zstd),
}

impl Packer {
    /// That of the run; none if batches stay as they are.
    pub(crate) fn of(run: &Run, batch_bytes: usize) -> io::Result<Option<Self>> {
        Ok(match run.codec {
            Codec::Lz4 => Some(Self::Lz4(Lz4::new(batch_bytes))),
            Codec::Zstd => Some(Self::Zstd(Zstd::new(batch_bytes)?)),
            Codec::None | Codec::Gzip | Codec::Snappy => None,
        })
    }

    /// The codec's number in a batch's attributes.
    pub(crate) const fn number(&self) -> i16 {
        match self {
            Self::Lz4(_) => 3,
            Self::Zstd(_) => 4,
        }
    }

    /// Packs records behind room for the batch's header.
    pub(crate) fn pack(&mut self, records: &[u8]) -> &mut [u8] {
        match self {
            Self::Lz4(lz4) => lz4.pack(records),
            Self::Zstd(zstd) => zstd.pack(records),
        }
    }
}
