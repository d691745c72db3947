//! Broken bytes given to every decoder: none panics, and none allocates more than a small multiple
//! of what it was given. `DOWNPOUR_MUTATIONS` sets how many are tried (default 20,000).

mod common;
#[path = "broken_bytes_tools/counting.rs"]
mod counting;
#[path = "broken_bytes_tools/mutate.rs"]
mod mutate;

use std::panic::catch_unwind;

use common::entropy::Entropy;
use common::samples::{Sample, each_message};
use counting::peak;
use downpour_wire::error::{DecodeError, DecodeErrorKind};
use downpour_wire::frame::FrameReader;
use downpour_wire::header::{RequestHeader, decode_body, decode_response_header};
use downpour_wire::messages::*;
use downpour_wire::primitives::{Reader, put_uvarint};
use mutate::{Random, mutate};

/// An empty element takes as few as 2 bytes on the wire and up to 64 in memory, and arrays lie in
/// arrays; beyond that, decoding takes no more memory than the bytes have.
const MULTIPLE: usize = 32;
const ALWAYS: usize = 256;

fn decode_any<M: Decode>(bytes: &[u8], version: i16) -> Result<(), DecodeError> {
    decode_body::<M>(&mut Reader::new(bytes), version).map(drop)
}

type Decoder = fn(&[u8], i16) -> Result<(), DecodeError>;

/// One decoder in one version, and bytes that it reads.
struct Case {
    name: &'static str,
    version: i16,
    decode: Decoder,
    samples: Vec<Vec<u8>>,
}

fn cases_of<M: Sample>(name: &'static str, random: &mut Random, cases: &mut Vec<Case>) {
    let (min, max) = M::KEY.versions();
    for version in min..=max {
        let sample = |size: usize| {
            let entropy: Vec<u8> = (0..size).map(|_| random.next() as u8).collect();
            let mut bytes = Vec::new();
            let sample = M::sample(&mut Entropy::new(&entropy), version);
            sample
                .encode(&mut bytes, version)
                .expect("the sample fits the version");
            bytes
        };
        let samples = [0, 20, 100, 300, 300, 1000, 1000, 3000]
            .map(sample)
            .to_vec();
        cases.push(Case {
            name,
            version,
            decode: decode_any::<M>,
            samples,
        });
    }
}

fn cases(random: &mut Random) -> Vec<Case> {
    let mut cases = Vec::new();
    macro_rules! every {
        ($($message:ident),*) => {
            $(cases_of::<$message>(stringify!($message), random, &mut cases);)*
        };
    }
    each_message!(every);
    // What reads headers, and the body of a refusal, is given the bytes of a few messages too.
    for (name, decode) in [
        (
            "request header",
            (|b, _| RequestHeader::decode(&mut Reader::new(b)).map(drop)) as Decoder,
        ),
        ("response header", |b, v| {
            decode_response_header(&mut Reader::new(b), v == 1).map(drop)
        }),
        ("api versions", |b, v| {
            ApiVersionsResponse::decode_lenient(b, v).map(drop)
        }),
    ] {
        for version in 0..=4 {
            let headers = [
                &[0, 3, 0, 12, 0, 0, 0, 1, 0, 1, b'x', 1, 9, 2, 7, 7][..],
                &[0, 35],
            ];
            let samples = headers.map(<[u8]>::to_vec).to_vec();
            cases.push(Case {
                name,
                version,
                decode,
                samples,
            });
        }
    }
    cases
}

fn check(case: &Case, bytes: &[u8]) -> Result<(), DecodeError> {
    let (result, peak) = peak(|| catch_unwind(|| (case.decode)(bytes, case.version)));
    let Case { name, version, .. } = case;
    let limit = MULTIPLE * bytes.len() + ALWAYS;
    assert!(
        peak <= limit,
        "{name} {version} takes {peak} bytes for {}: {bytes:?}",
        bytes.len()
    );
    match result {
        Ok(result) => result,
        Err(_) => panic!("{name} {version} panics: {bytes:?}"),
    }
}

#[test]
fn no_decoder_panics_or_allocates_what_a_length_claims() {
    let wanted = match std::env::var("DOWNPOUR_MUTATIONS") {
        Ok(count) => count.parse().expect("DOWNPOUR_MUTATIONS is a number"),
        Err(_) => 20_000_usize,
    };
    let mut random = Random::new(0x00d0_3b90_9e5a_11ed);
    let cases = cases(&mut random);
    let (mut accepted, mut refused) = (0_usize, 0_usize);
    for i in 0..wanted {
        let case = &cases[i % cases.len()];
        let bytes = mutate(&mut random, &case.samples);
        match check(case, &bytes) {
            Ok(()) => accepted += 1,
            Err(error) => {
                assert!(
                    error.offset <= bytes.len(),
                    "{error} in {} bytes",
                    bytes.len()
                );
                refused += 1;
            }
        }
    }
    // Mutations that are all refused at the first byte would show nothing.
    assert!(
        accepted > wanted / 50 && refused > wanted / 50,
        "{accepted} of {wanted} accepted"
    );
}

#[test]
fn every_prefix_of_a_message_is_refused() {
    let mut random = Random::new(7);
    for case in cases(&mut random)
        .iter()
        .filter(|case| !case.name.contains(' '))
    {
        for sample in case.samples.iter().filter(|sample| sample.len() < 600) {
            assert_eq!(
                check(case, sample),
                Ok(()),
                "{} {}",
                case.name,
                case.version
            );
            for len in 0..sample.len() {
                let cut = check(case, &sample[..len]);
                assert!(
                    cut.is_err(),
                    "{} {} of {len} bytes",
                    case.name,
                    case.version
                );
            }
        }
    }
}

#[test]
fn arrays_that_claim_all_that_remains_stay_within_the_bound() {
    const REST: usize = 6000;
    let mut random = Random::new(9);
    for case in &cases(&mut random) {
        for sample in case.samples.iter().take(2) {
            for at in (0..sample.len().min(32)).chain([sample.len()]) {
                // The smallest sizes that elements have, in one message or another.
                for size in [2, 3, 6, 10, 18, 22] {
                    let count = (REST / size) as u32;
                    let mut compact = Vec::new();
                    put_uvarint(&mut compact, count + 1);
                    for claim in [count.to_be_bytes().to_vec(), compact] {
                        // Zeros and ones are empty strings and arrays, in the old form and the
                        // compact one, so that some of the elements are really there.
                        for filler in [0_u8, 1] {
                            let mut bytes = [&sample[..at], &claim].concat();
                            bytes.resize(bytes.len() + REST, filler);
                            let _: Result<(), DecodeError> = check(case, &bytes);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_frame_reader_allocates_for_bytes_and_not_for_claims() {
    let claim = |len: i32, bytes: &[u8]| [&len.to_be_bytes(), bytes].concat();
    let frame = claim(50_000_000, &[1; 1000]);
    let (reader, taken) = peak(|| {
        let mut reader = FrameReader::new(100_000_000);
        reader.push(&frame);
        assert_eq!(reader.next_frame(), Ok(None));
        reader
    });
    assert!(taken <= 2 * frame.len(), "{taken} bytes");
    assert_eq!(reader.pending(), 1004);

    let (errors, taken) = peak(|| {
        let mut reader = FrameReader::new(1000);
        reader.push(&1001_i32.to_be_bytes());
        let first = reader.next_frame().map(drop);
        for _ in 0..1000 {
            reader.push(&[0; 1000]);
        }
        [first, reader.next_frame().map(drop)]
    });
    assert_eq!(
        errors.map(|e| e.map_err(|e| e.kind)),
        [Err(DecodeErrorKind::TooLarge); 2]
    );
    assert!(taken <= 64, "{taken} bytes");
}
