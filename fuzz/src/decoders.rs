//! Every message in every version out of any bytes: none panics, none takes more memory than a small
//! multiple of what it was given, and what was read is the same after it was written.

use downpour_wire::error::DecodeError;
use downpour_wire::frame::FrameReader;
use downpour_wire::header::{
    RequestHeader, decode_body, decode_response_header, encode_response_header,
};
use downpour_wire::messages::*;
use downpour_wire::primitives::Reader;

use crate::script::Script;
use crate::wire_tests::common::entropy::Entropy;
use crate::wire_tests::common::samples::{Sample, each_message};
use crate::wire_tests::counting::peak;

/// The bounds of `broken_bytes`, the test of downpour-wire.
const MULTIPLE: usize = 32;
const ALWAYS: usize = 256;

/// One message.
struct Kind {
    name: &'static str,
    versions: (i16, i16),
    check: fn(&[u8], i16, &'static str),
    sample: fn(&[u8], i16) -> Vec<u8>,
}

const fn kind<M: Sample>(name: &'static str) -> Kind {
    Kind {
        name,
        versions: M::KEY.versions(),
        check: check_message::<M>,
        sample: sample_of::<M>,
    }
}

macro_rules! kinds {
    ($($message:ident),*) => { &[$(kind::<$message>(stringify!($message))),*] };
}

const KINDS: &[Kind] = each_message!(kinds);

/// What else is read from a peer.
const OTHERS: usize = 4;

/// Reads the bytes as what their first two say.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let which = script.below(KINDS.len() + OTHERS);
    let version = i16::from(script.byte());
    match KINDS.get(which) {
        Some(kind) => {
            let (min, max) = kind.versions;
            // One more than there are: it has to be refused.
            let version = min + version % (max - min + 2);
            (kind.check)(script.rest(), version, kind.name);
        }
        None => check_other(which - KINDS.len(), version, script.rest()),
    }
}

/// Inputs to begin with: a sample of each message in each version, of this much entropy.
pub fn seeds(entropy: &[u8]) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (which, kind) in KINDS.iter().enumerate() {
        let (min, max) = kind.versions;
        for version in min..=max {
            let body = (kind.sample)(entropy, version);
            let head = [which as u8, (version - min) as u8];
            seeds.push([&head[..], &body].concat());
        }
    }
    for other in 0..OTHERS {
        let head = [(KINDS.len() + other) as u8, 3];
        let header = &[0, 3, 0, 12, 0, 0, 0, 1, 0, 1, b'x', 1, 9, 2, 7, 7][..];
        seeds.push([&head[..], header].concat());
        seeds.push([&head[..], &[0, 35], entropy].concat());
    }
    seeds
}

fn sample_of<M: Sample>(entropy: &[u8], version: i16) -> Vec<u8> {
    let mut out = Vec::new();
    let sample = M::sample(&mut Entropy::new(entropy), version);
    sample
        .encode(&mut out, version)
        .expect("a sample fits its version");
    out
}

fn check_message<M: Sample>(bytes: &[u8], version: i16, name: &'static str) {
    let read = |bytes: &[u8]| decode_body::<M>(&mut Reader::new(bytes), version);
    let Some(message) = bounded(bytes, name, || read(bytes)) else {
        return;
    };
    let mut again = Vec::new();
    if let Err(error) = message.encode(&mut again, version) {
        panic!("{name} {version} was read and cannot be written: {error}: {message:?}");
    }
    assert_eq!(
        read(&again).as_ref(),
        Ok(&message),
        "{name} {version}, written again"
    );
}

/// Reads within the bound for memory.
fn bounded<M>(
    bytes: &[u8],
    name: &str,
    read: impl FnOnce() -> Result<M, DecodeError>,
) -> Option<M> {
    let (result, peak) = peak(read);
    let limit = MULTIPLE * bytes.len() + ALWAYS;
    assert!(peak <= limit, "{name} takes {peak} for {}", bytes.len());
    match result {
        Ok(message) => Some(message),
        Err(error) => {
            assert!(error.offset <= bytes.len(), "{name}: {error}");
            None
        }
    }
}

fn check_other(which: usize, version: i16, bytes: &[u8]) {
    match which {
        0 => {
            let header = bounded(bytes, "a request's header", || {
                RequestHeader::decode(&mut Reader::new(bytes))
            });
            let Some(header) = header else { return };
            let key = ApiKey::try_from(header.api_key);
            let flexible = key.is_ok_and(|key| key.is_flexible(header.api_version));
            let mut again = Vec::new();
            header
                .encode(&mut again, flexible)
                .expect("a header that was read can be written");
            assert_eq!(RequestHeader::decode(&mut Reader::new(&again)), Ok(header));
        }
        1 => {
            let flexible = version % 2 == 1;
            let id = bounded(bytes, "a response's header", || {
                decode_response_header(&mut Reader::new(bytes), flexible)
            });
            let Some(id) = id else { return };
            let mut again = Vec::new();
            encode_response_header(&mut again, id, flexible);
            assert!(bytes.starts_with(&again[..4]));
        }
        2 => {
            bounded(bytes, "lenient versions", || {
                ApiVersionsResponse::decode_lenient(bytes, version % 6)
            });
        }
        _ => check_frames(bytes),
    }
}

/// Frames come out as they went in, wherever the stream was cut.
fn check_frames(bytes: &[u8]) {
    const MAX: usize = 300;
    let mut script = Script::new(bytes);
    let piece = 1 + script.below(40);
    let stream = script.rest();
    let (frames, _) = peak(|| {
        let mut reader = FrameReader::new(MAX);
        let mut frames = Vec::new();
        'pieces: for piece in stream.chunks(piece) {
            reader.push(piece);
            loop {
                match reader.next_frame() {
                    Ok(Some(frame)) => frames.push(Some(frame.to_vec())),
                    Ok(None) => break,
                    Err(_) => {
                        frames.push(None);
                        break 'pieces;
                    }
                }
            }
        }
        frames
    });
    let mut expected = Vec::new();
    let mut left = stream;
    while let Some((len, rest)) = left.split_first_chunk::<4>() {
        let len = i32::from_be_bytes(*len);
        match usize::try_from(len).ok().filter(|len| *len <= MAX) {
            None => {
                expected.push(None);
                break;
            }
            Some(len) => match rest.split_at_checked(len) {
                Some((frame, rest)) => {
                    expected.push(Some(frame.to_vec()));
                    left = rest;
                }
                None => break,
            },
        }
    }
    assert_eq!(frames, expected, "frames of {stream:?} by {piece}");
}
