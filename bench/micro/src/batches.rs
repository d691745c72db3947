//! Records into batches, and batches sealed: `downpour-wire` and `downpour-core` without a
//! producer around them.

use std::error::Error;
use std::hint::black_box;

use bench_micro::{BATCH, FOUR_BATCHES, Partition, record, values};
use downpour_wire::batch::BatchBuilder;
use downpour_wire::codec::{Compression, CompressionType, Compressor};

use crate::count::counted;

/// Bytes of a value.
pub(crate) const SIZE: usize = 100;
/// How many batches a program fills or seals, or how many queues.
const BATCHES: usize = 16;

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
    let each = FOUR_BATCHES / SIZE;
    for _ in 0..BATCHES {
        let mut partition = Partition::new();
        counted(|| {
            for value in values.iter().take(each) {
                partition.append(value);
            }
        });
    }
    Ok((BATCHES * each) as u64)
}

/// Full batches wait in proven queues; `count` gets each queue with how many there are.
fn waiting(count: impl Fn(&mut Partition) -> u64) -> Result<u64, Box<dyn Error>> {
    let values = values(SIZE);
    let mut batches = 0;
    for _ in 0..BATCHES {
        let mut partition = Partition::proven();
        for value in values.iter().take(FOUR_BATCHES / SIZE) {
            partition.append(value);
        }
        batches += count(&mut partition);
        black_box(partition);
    }
    Ok(batches)
}

/// How many full batches of a queue leave. The open one stays: closing it costs its checksum.
const FULL: usize = 3;

/// A full batch leaves its queue, stamped.
pub(crate) fn drain() -> Result<u64, Box<dyn Error>> {
    waiting(|partition| {
        let sent = counted(|| [(); FULL].map(|()| partition.drain()));
        sent.iter().flatten().count() as u64
    })
}

/// It is acknowledged.
pub(crate) fn answer() -> Result<u64, Box<dyn Error>> {
    waiting(|partition| {
        let sent = [(); FULL].map(|()| partition.drain().unwrap_or(u64::MAX));
        partition.settle();
        let done = counted(|| sent.map(|sent| partition.acknowledge(sent)));
        done.iter().filter(|done| **done).count() as u64
    })
}

fn seal(codec: CompressionType) -> Result<u64, Box<dyn Error>> {
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
    seal(CompressionType::None)
}

/// The same.
pub(crate) fn seal_lz4() -> Result<u64, Box<dyn Error>> {
    seal(CompressionType::Lz4)
}

/// The same.
pub(crate) fn seal_zstd() -> Result<u64, Box<dyn Error>> {
    seal(CompressionType::Zstd)
}
