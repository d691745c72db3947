//! A closed batch that is to be compressed: work that is done without any lock.
//!
//! The queue makes the job and takes its result back; who runs it, a caller, the I/O thread or a
//! pool, is the shell's choice.

use downpour_wire::batch::{BatchBuilder, Body};
use downpour_wire::codec::{Compression, Compressor};

/// A batch to compress and sum up; run it without any lock, then bring the result back.
#[derive(Debug)]
pub struct SealJob {
    order: u64,
    builder: BatchBuilder,
    compression: Compression,
    credit: Credit,
}

/// What a batch holds, and what it holds at least, compressed as it may be.
#[derive(Debug, Clone, Copy)]
struct Credit {
    held: usize,
    least: usize,
}

impl SealJob {
    /// Of a closed batch, whose place in its queue is `order`. It holds so much credit, of which
    /// so much stays however small it becomes.
    pub(crate) fn new(
        order: u64,
        builder: BatchBuilder,
        compression: Compression,
        (held, least): (usize, usize),
    ) -> Self {
        Self {
            order,
            builder,
            compression,
            credit: Credit { held, least },
        }
    }

    /// Bytes to compress.
    pub fn bytes(&self) -> usize {
        self.builder.body_len()
    }

    /// Does the work.
    pub fn run(self, compressor: &mut Compressor) -> Sealed {
        let mut body = match self.builder.seal(self.compression, compressor) {
            Ok(body) => body,
            // A codec that fails on good input must not cost the records: they go uncompressed.
            Err(error) => seal_plain(*error.builder),
        };
        let recycled = body.take_recycled();
        Sealed {
            order: self.order,
            body,
            credit: self.credit,
            recycled,
        }
    }

    /// Seals without compressing, for a batch that will not be sent.
    pub(crate) fn run_plain(self) -> Sealed {
        Sealed {
            order: self.order,
            body: seal_plain(self.builder),
            credit: self.credit,
            recycled: Vec::new(),
        }
    }
}

/// A sealed batch on its way back to its queue.
#[derive(Debug)]
pub struct Sealed {
    order: u64,
    body: Body,
    credit: Credit,
    recycled: Vec<Vec<u8>>,
}

impl Sealed {
    /// Its place among the closed batches of its queue.
    pub(crate) fn order(&self) -> u64 {
        self.order
    }

    /// Bytes of credit that the batch held before it was compressed.
    pub(crate) fn held(&self) -> usize {
        self.credit.held
    }

    /// Bytes of credit that it needs now, which are never more.
    pub(crate) fn needs(&self) -> usize {
        let needs = self.body.capacity().max(self.credit.least);
        needs.min(self.credit.held)
    }

    /// What is sent, and the chunks that compression emptied.
    pub(crate) fn into_parts(self) -> (Body, Vec<Vec<u8>>) {
        (self.body, self.recycled)
    }
}

/// Seals without compressing.
pub(crate) fn seal_plain(builder: BatchBuilder) -> Body {
    // The only refusal is a body over 2 GiB, and `batch_max` is far below that.
    builder
        .seal(Compression::NONE, &mut Compressor::new())
        .expect("a batch is below batch_max")
}
