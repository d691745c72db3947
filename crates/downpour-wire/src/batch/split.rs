//! Cutting a sealed batch into smaller ones, for a broker that finds it too large.
//! What becomes of sequences and handles is the sender's part: the records keep their order, so
//! that a child's first sequence is the parent's plus the records before it.

use std::fmt;

use crate::batch::body::Body;
use crate::batch::builder::{BatchBuilder, SealErrorKind};
use crate::codec::Compressor;
use crate::error::DecodeError;

/// A batch could not be split.
#[derive(Debug)]
#[non_exhaustive]
pub enum SplitError {
    /// The records could not be read back.
    Decode(DecodeError),
    /// A part could not be sealed.
    Seal(SealErrorKind),
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decode(_) => "cannot read back a batch that is to be split",
            Self::Seal(_) => "cannot seal a part of a split batch",
        })
    }
}

impl std::error::Error for SplitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            Self::Seal(error) => Some(error),
        }
    }
}

impl From<DecodeError> for SplitError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<SealErrorKind> for SplitError {
    fn from(error: SealErrorKind) -> Self {
        Self::Seal(error)
    }
}

impl Body {
    /// The same records in the same order, in bodies of at most `max_bytes` before compression,
    /// with the same codec, and with no more memory than they have bytes. A record that is larger gets a
    /// body for itself. The result has at least one body, and just one if everything fits.
    ///
    /// # Errors
    /// The codec failed, or the body's memory was damaged.
    pub fn split(
        &self,
        max_bytes: usize,
        compressor: &mut Compressor,
    ) -> Result<Vec<Self>, SplitError> {
        let compression = self.compression();
        let mut bodies = Vec::new();
        let mut open = BatchBuilder::new();
        let mut left = self.uncompressed_len();
        let mut seal = |open: BatchBuilder| {
            let mut sealed = open.seal(compression, compressor).map_err(|e| e.kind)?;
            sealed.shrink();
            Ok::<_, SealErrorKind>(sealed)
        };
        self.each_record(|record| {
            let record = record.as_ref();
            if !open.is_empty() && open.body_len() + open.record_len(&record) > max_bytes {
                bodies.push(seal(std::mem::take(&mut open))?);
            }
            let before = open.body_len();
            if let Err(need) = open.try_append(&record) {
                let room = left.min(max_bytes - before.min(max_bytes));
                open.add_chunk(Vec::with_capacity(need.bytes.max(room)));
                // The chunk has the capacity that was asked for.
                let _ = open.try_append(&record);
            }
            left = left.saturating_sub(open.body_len() - before);
            Ok::<(), SplitError>(())
        })?;
        bodies.push(seal(open)?);
        Ok(bodies)
    }

    /// The runs of records between those of these indexes, which ascend, in the same order and with
    /// the same codec; each with the index of its first record, and with no more memory than it has
    /// bytes. None if every record is named.
    ///
    /// # Errors
    /// The codec failed, or the body's memory was damaged.
    pub fn without(
        &self,
        indexes: &[u32],
        compressor: &mut Compressor,
    ) -> Result<Vec<(u32, Self)>, SplitError> {
        let compression = self.compression();
        let mut runs = Vec::new();
        let mut open = BatchBuilder::new();
        let (mut index, mut first) = (0, 0);
        let mut close = |open: BatchBuilder, first: u32| {
            if open.is_empty() {
                return Ok(());
            }
            let mut sealed = open.seal(compression, compressor).map_err(|e| e.kind)?;
            sealed.shrink();
            runs.push((first, sealed));
            Ok::<(), SplitError>(())
        };
        self.each_record(|record| {
            if indexes.binary_search(&index).is_ok() {
                close(std::mem::take(&mut open), first)?;
                first = index + 1;
            } else {
                let record = record.as_ref();
                if let Err(need) = open.try_append(&record) {
                    // How long the run is nobody knows yet, and there may be thousands.
                    let twice = open.body_len();
                    open.add_chunk(Vec::with_capacity(need.bytes.max(twice)));
                    // The chunk has the capacity that was asked for.
                    let _ = open.try_append(&record);
                }
            }
            index += 1;
            Ok::<(), SplitError>(())
        })?;
        close(open, first)?;
        Ok(runs)
    }
}
