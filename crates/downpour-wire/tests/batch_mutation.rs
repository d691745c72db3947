//! Damaged batches: nothing that a peer sends makes the reader panic, or take more memory than the
//! caller allowed plus a constant times what was sent. `DOWNPOUR_MUTATIONS` says how many are tried
//! (20000 without it); the sequence is the same each time.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test that cannot go on fails the test"
)]

#[path = "broken_bytes_tools/counting.rs"]
mod counting;
#[path = "golden/records.rs"]
mod records;

use downpour_wire::batch::{BatchView, HEADER_LEN, OwnedRecord};
use downpour_wire::codec::{CompressionType, Compressor, decompress};

use counting::peak;
use records::{STAMP, batch, records};

/// The bound that the reader is given. Mutated input that expands further is refused.
const MAX_BYTES: usize = 128 << 10;
/// The memory that a byte of input may cost, whatever the input claims.
const PER_BYTE: usize = 64;
/// What the decoders' own states take, and a buffer that is there twice while it grows.
const CONSTANT: usize = 128 << 10;

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
        let ((), bytes_held) = peak(|| match BatchView::parse(&bytes) {
            Ok((view, _)) => {
                let _ = view.check_crc();
                match view.records(MAX_BYTES) {
                    Ok(_) => read += 1,
                    Err(_) => refused += 1,
                }
            }
            Err(_) => refused += 1,
        });
        check(round, *codec, "records", bytes_held, bytes.len());
        let body = &bytes[bytes.len().min(HEADER_LEN)..];
        let ((), bytes_held) = peak(|| drop(decompress(*codec, body, MAX_BYTES)));
        check(round, *codec, "decompress", bytes_held, body.len());
    }
    // Otherwise the mutations are too tame or too wild to say anything.
    assert!(read > rounds / 50, "{read} read");
    assert!(refused > rounds / 50, "{refused} refused");
}

fn check(round: u64, codec: CompressionType, what: &str, peak: usize, input: usize) {
    let allowed = MAX_BYTES + PER_BYTE * input + CONSTANT;
    assert!(
        peak <= allowed,
        "{what} in round {round} with {codec}: {peak} bytes for {input} of input, {allowed} allowed"
    );
}

/// Batches of many shapes in every codec of this build.
fn seeds() -> Vec<(CompressionType, Vec<u8>)> {
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
    for codec in CompressionType::ALL
        .into_iter()
        .filter(|codec| codec.is_compiled())
    {
        for (index, shape) in shapes.iter().enumerate() {
            if codec == CompressionType::None && index >= shapes.len() - 2 {
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
