//! Records into batches, and batches sealed: `downpour-wire` and `downpour-core` without a
//! producer around them.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bench_micro::values;
use downpour_core::config::{Address, BatchOptions, Config};
use downpour_core::queue::{Append, Queue, Settings};
use downpour_wire::batch::BatchBuilder;
use downpour_wire::codec::{Codec, Compression, Compressor};
use downpour_wire::record::RecordRef;

use crate::count::counted;

/// Bytes of a value.
pub(crate) const SIZE: usize = 100;
/// Bytes of a batch.
const BATCH: usize = 64 << 10;
const BATCHES: usize = 16;
/// Some four batches: a queue with more of them lets the open one grow.
const RECORDS_OF_A_QUEUE: u64 = 2_400;
const TIMESTAMP: i64 = 1_700_000_000_000;

fn record(value: &[u8]) -> RecordRef<'_> {
    RecordRef {
        value: Some(value),
        timestamp: TIMESTAMP,
        ..RecordRef::default()
    }
}

/// Appends until the only chunk is full; answers how many went in.
fn fill(builder: &mut BatchBuilder, values: &[Vec<u8>]) -> u64 {
    let mut records = 0;
    while builder
        .try_append(&record(&values[records as usize % values.len()]))
        .is_ok()
    {
        records += 1;
    }
    records
}

fn empty() -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(vec![0; BATCH]);
    builder
}

/// The batch builder alone.
pub(crate) fn append_wire() -> Result<u64, Box<dyn Error>> {
    let values = values(SIZE);
    let mut records = 0;
    for _ in 0..BATCHES {
        let mut builder = empty();
        records += counted(|| fill(&mut builder, &values));
        black_box(builder);
    }
    Ok(records)
}

/// A partition's queue, with what opening and closing batches takes and no compression.
pub(crate) fn append_queue() -> Result<u64, Box<dyn Error>> {
    let values = values(SIZE);
    let config = Config::new(vec![Address {
        host: Arc::from("nobody"),
        port: 1,
    }]);
    let options = config.batch_options();
    let mut records = 0;
    for _ in 0..BATCHES {
        let mut queue = Queue::new(Arc::from("t"), 0, Settings::from(&config));
        let mut chunks: Vec<_> = (0..16).map(|_| vec![0_u8; BATCH]).collect();
        counted(|| {
            for number in 0..RECORDS_OF_A_QUEUE {
                let value = &values[number as usize % values.len()];
                append(&mut queue, &options, value, &mut chunks);
            }
        });
        records += RECORDS_OF_A_QUEUE;
    }
    Ok(records)
}

#[inline]
fn append(
    queue: &mut Queue<Arc<()>>,
    options: &BatchOptions,
    value: &[u8],
    chunks: &mut Vec<Vec<u8>>,
) {
    let mut chunk = None;
    while let Append::NeedChunk { .. } = queue.append(
        &record(value),
        options,
        &mut chunk,
        Instant::now,
        Arc::default,
    ) {
        // All are of the largest size that is asked for.
        chunk = chunks.pop();
    }
}

fn seal(codec: Codec) -> Result<u64, Box<dyn Error>> {
    let values = values(SIZE);
    let mut compressor = Compressor::new();
    let mut records = 0;
    for round in 0..=BATCHES {
        let mut builder = empty();
        let filled = fill(&mut builder, &values);
        let seal = || builder.seal(Compression::new(codec), &mut compressor);
        // The first makes the codec's context, once a thread.
        let body = if round == 0 {
            seal()?
        } else {
            records += filled;
            counted(seal)?
        };
        black_box(body);
    }
    Ok(records)
}

/// A batch of 64 KiB.
pub(crate) fn seal_none() -> Result<u64, Box<dyn Error>> {
    seal(Codec::None)
}

/// The same.
pub(crate) fn seal_lz4() -> Result<u64, Box<dyn Error>> {
    seal(Codec::Lz4)
}

/// The same.
pub(crate) fn seal_zstd() -> Result<u64, Box<dyn Error>> {
    seal(Codec::Zstd)
}
