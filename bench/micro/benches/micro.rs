//! Micro benches, in time: `cargo bench -p bench-micro` in `bench/`. What must not grow is counted
//! in instructions by the program next door; these say what a step costs on this machine.

use std::hint::black_box;

use bench_micro::{BATCH, FOUR_BATCHES, Partition, record, values};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use downpour_core::callers::partitioner::murmur2::{for_key, murmur2};
use downpour_core::callers::partitioner::sticky::Sticky;
use downpour_fake::FakeCluster;
use downpour_wire::batch::BatchBuilder;
use downpour_wire::codec::{Compression, CompressionType, Compressor};

const SIZES: [usize; 2] = [100, 1024];

fn main() {
    divan::main();
}

/// A builder with room for a batch, its memory touched.
fn empty() -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(vec![1; BATCH]);
    builder
}

fn fill(builder: &mut BatchBuilder, values: &[Vec<u8>]) {
    let mut values = values.iter().cycle();
    while values
        .next()
        .is_some_and(|value| builder.try_append(&record(value)).is_ok())
    {}
}

fn full(values: &[Vec<u8>]) -> BatchBuilder {
    let mut builder = empty();
    fill(&mut builder, values);
    builder
}

/// A batch of 64 KiB filled by the builder alone; items are records.
#[divan::bench(args = SIZES)]
fn append_wire(bencher: Bencher<'_, '_>, size: usize) {
    let values = values(size);
    let records = full(&values).count();
    bencher
        .with_inputs(empty)
        .input_counter(move |_| ItemsCount::new(records))
        .bench_local_refs(|builder| fill(builder, &values));
}

/// Some four batches through a partition's queue, which opens and closes them.
#[divan::bench(args = SIZES)]
fn append_queue(bencher: Bencher<'_, '_>, size: usize) {
    let values = values(size);
    let records = FOUR_BATCHES / size;
    bencher
        .with_inputs(Partition::new)
        .input_counter(move |_| ItemsCount::new(records))
        .bench_local_refs(|partition| {
            for value in values.iter().take(records) {
                partition.append(value);
            }
        });
}

/// A batch of 64 KiB of such values compressed and summed up.
#[divan::bench(args = CompressionType::ALL, consts = SIZES)]
fn seal<const SIZE: usize>(bencher: Bencher<'_, '_>, codec: CompressionType) {
    let values = values(SIZE);
    let mut compressor = Compressor::new();
    bencher
        .with_inputs(|| full(&values))
        .input_counter(|batch| BytesCount::new(batch.body_len()))
        .bench_local_values(|batch| batch.seal(Compression::new(codec), &mut compressor));
}

/// The hash alone, by length of the key.
#[divan::bench(args = [8, 16, 100])]
fn hash_murmur2(bencher: Bencher<'_, '_>, len: usize) {
    let key = vec![b'k'; len];
    bencher.bench_local(|| murmur2(black_box(&key)));
}

/// The partition of a key.
#[divan::bench(args = [8, 16, 100])]
fn partition_for_key(bencher: Bencher<'_, '_>, len: usize) {
    let key = vec![b'k'; len];
    bencher.bench_local(|| for_key(black_box(&key), black_box(6)));
}

/// A thousand records without keys, with a change of partition each 64 KiB.
#[divan::bench]
fn partition_sticky(bencher: Bencher<'_, '_>) {
    const RECORDS: usize = 1_000;
    let mut sticky = Sticky::default();
    let mut random = 0_u32;
    let available = [0, 1, 2, 3, 4, 5];
    bencher
        .counter(ItemsCount::new(RECORDS))
        .bench_local(move || {
            for _ in 0..RECORDS {
                let next = || {
                    random = random.wrapping_add(1);
                    random
                };
                black_box(sticky.choose(black_box(116), BATCH, next, 6, &available));
            }
        });
}

/// Waiting on the handle of a record that has its verdict.
#[divan::bench]
fn wait_settled(bencher: Bencher<'_, '_>) {
    let cluster = FakeCluster::builder()
        .topic("events", 1)
        .start()
        .expect("loopback has a port");
    let producer = downpour::Producer::builder(cluster.bootstrap_servers())
        .build()
        .expect("these are the defaults")
        .blocking();
    let delivery = producer
        .send(downpour::Record::to("events").value("clicked"))
        .expect("the topic is there");
    producer.flush();
    bencher.bench_local(|| delivery.wait().is_ok());
    producer.close();
}
