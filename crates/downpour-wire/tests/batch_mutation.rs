//! Damaged batches: nothing that a peer sends makes the reader panic, or take more memory than the
//! caller allowed plus a constant times what was sent. `DOWNPOUR_MUTATIONS` says how many are tried
//! (20000 without it); the sequence is the same each time.
//!
//! This file holds one test, because it counts the memory of the whole process.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test that cannot go on fails the test"
)]
#![expect(
    unsafe_code,
    reason = "counting memory means standing in for the allocator"
)]

#[path = "golden/records.rs"]
mod records;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use downpour_wire::batch::{BatchView, HEADER_LEN, OwnedRecord};
use downpour_wire::codec::{Codec, Compressor, decompress};

use records::{STAMP, batch, records};

/// The bound that the reader is given. Mutated input that expands further is refused.
const MAX_BYTES: usize = 128 << 10;
/// The memory that a byte of input may cost, whatever it says.
const PER_BYTE: usize = 64;
/// What the decoders' own states take, and an error's few bytes.
const CONSTANT: usize = 128 << 10;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; only sums are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        LIVE.fetch_sub(layout.size(), Relaxed);
        grow(new_size);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn damaged_batches_neither_panic_nor_take_more_memory_than_allowed() {
    let rounds: u64 = match std::env::var("DOWNPOUR_MUTATIONS") {
        Ok(number) => number.parse().expect("DOWNPOUR_MUTATIONS is a number"),
        Err(_) => 20_000,
    };
    let seeds = seeds();
    let mut random = Random(0x5EED);
    let (mut read, mut refused) = (0u64, 0u64);
    for round in 0..rounds {
        let (codec, seed) = &seeds[random.below(seeds.len())];
        let mut bytes = seed.clone();
        for _ in 0..=random.below(4) {
            random.damage(&mut bytes);
        }
        if random.below(4) > 0 {
            mend_header(&mut bytes);
        }
        let peak = peak_of(|| match BatchView::parse(&bytes) {
            Ok((view, _)) => {
                let _ = view.check_crc();
                match view.records(MAX_BYTES) {
                    Ok(_) => read += 1,
                    Err(_) => refused += 1,
                }
            }
            Err(_) => refused += 1,
        });
        check(round, *codec, "records", peak, bytes.len());
        let body = &bytes[bytes.len().min(HEADER_LEN)..];
        let peak = peak_of(|| drop(decompress(*codec, body, MAX_BYTES)));
        check(round, *codec, "decompress", peak, body.len());
    }
    // Otherwise the mutations are too tame or too wild to say anything.
    assert!(read > rounds / 50, "{read} read");
    assert!(refused > rounds / 50, "{refused} refused");
}

fn check(round: u64, codec: Codec, what: &str, peak: usize, input: usize) {
    let allowed = MAX_BYTES + PER_BYTE * input + CONSTANT;
    assert!(
        peak <= allowed,
        "{what} in round {round} with {codec}: {peak} bytes for {input} of input, {allowed} allowed"
    );
}

fn peak_of(run: impl FnOnce()) -> usize {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    run();
    PEAK.load(Relaxed) - before
}

/// Batches of many shapes in every codec of this build.
fn seeds() -> Vec<(Codec, Vec<u8>)> {
    let record = |headers: usize| OwnedRecord {
        headers: vec![(String::new(), None); headers],
        ..OwnedRecord::default()
    };
    let small = |r: &OwnedRecord| r.value.as_ref().is_none_or(|value| value.len() < 1000);
    let shapes: [Vec<OwnedRecord>; 6] = [
        records().into_iter().filter(small).collect(),
        records().into_iter().filter(small).take(3).collect(),
        vec![record(0); 500],
        vec![record(1000), record(100), record(300)],
        // The last two are sent compressed only: few bytes on the wire, and in memory many
        // structs or many bytes.
        vec![record(20_000)],
        vec![OwnedRecord {
            value: Some(vec![0; 100_000]),
            ..OwnedRecord::default()
        }],
    ];
    let mut compressor = Compressor::new();
    let mut seeds = Vec::new();
    for codec in Codec::ALL.into_iter().filter(|codec| codec.is_compiled()) {
        for (index, shape) in shapes.iter().enumerate() {
            if codec == Codec::None && index >= shapes.len() - 2 {
                continue;
            }
            let body = batch(shape, 4096)
                .seal(codec.into(), &mut compressor)
                .unwrap();
            seeds.push((codec, body.to_vec(&STAMP)));
        }
    }
    seeds
}

/// Makes the header's length that of the bytes again, so that damage elsewhere is reached.
fn mend_header(bytes: &mut [u8]) {
    if bytes.len() >= HEADER_LEN {
        let len = (bytes.len() - 12) as u32;
        bytes[8..12].copy_from_slice(&len.to_be_bytes());
        bytes[16] = 2;
    }
}

/// A small generator, so that a failure's round can be run again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// A place to damage: half the time near the beginning, where headers and frames are.
    fn place(&mut self, len: usize) -> usize {
        if self.below(2) == 0 {
            self.below(len.min(100))
        } else {
            self.below(len)
        }
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.place(bytes.len());
        match self.below(7) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.next() as u8,
            2 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF][self.below(6)],
            3 => bytes.truncate(at),
            4 => {
                let noise = self.next().to_le_bytes();
                let len = self.below(noise.len());
                bytes.splice(at..at, noise[..len].iter().copied());
            }
            5 => {
                let end = bytes.len().min(at + 1 + self.below(20));
                bytes.drain(at..end);
            }
            _ => {
                // A length that claims far too much.
                let end = bytes.len().min(at + 4);
                bytes[at..end].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF][..end - at]);
            }
        }
    }
}
