//! Tests of frames: the gather list says what the plain encoder says, and a stream splits alike
//! however it is cut.

use std::io::IoSlice;
use std::sync::Arc;

use super::*;
use crate::batch::{BatchBuilder, Body, Stamp};
use crate::codec::{Compression, Compressor};
use crate::error::{DecodeErrorKind, EncodeErrorKind};
use crate::header::{RequestHeader, decode_body, encode_request};
use crate::messages::{ProducePartition, ProduceRequest, ProduceTopic, Request};
use crate::primitives::{Reader, Uuid};
use crate::record::RecordRef;

fn body(chunks: usize, value: &[u8]) -> Arc<Body> {
    let mut builder = BatchBuilder::new();
    for i in 0..chunks {
        let timestamp = 1_000 + i as i64;
        let record = RecordRef {
            key: None,
            value: Some(value),
            headers: &[],
            timestamp,
        };
        // A chunk of exactly one record, so that the next record needs a new one.
        let len = builder.record_len(&record);
        builder.add_chunk(Vec::with_capacity(len));
        builder
            .try_append(&record)
            .expect("the chunk was made for it");
    }
    let sealed = builder.seal(Compression::NONE, &mut Compressor::new());
    Arc::new(sealed.expect("nothing to compress"))
}

const STAMP: Stamp = Stamp {
    producer_id: 9,
    producer_epoch: 1,
    base_sequence: 4,
    transactional: false,
};

/// Two topics, three partitions, bodies of several chunks; and the same as an owned request.
fn both(version: i16) -> (Frame, Vec<u8>) {
    let bodies = [body(1, b"a"), body(3, &[7; 300]), body(2, b"")];
    let ids = [Uuid([1; 16]), Uuid([2; 16])];
    let records = |body: &Arc<Body>| Some(body.to_vec(&STAMP));
    let partition = |index, body| ProducePartition {
        index,
        records: records(body),
    };
    let request = ProduceRequest {
        transactional_id: (version % 2 == 0).then(|| "tx".to_owned()),
        acks: -1,
        timeout_ms: 30_000,
        topics: vec![
            ProduceTopic {
                name: if version < 13 {
                    "first".to_owned()
                } else {
                    String::new()
                },
                topic_id: if version < 13 { Uuid::ZERO } else { ids[0] },
                partitions: vec![partition(0, &bodies[0]), partition(7, &bodies[1])],
            },
            ProduceTopic {
                name: if version < 13 {
                    "zwölf".to_owned()
                } else {
                    String::new()
                },
                topic_id: if version < 13 { Uuid::ZERO } else { ids[1] },
                partitions: vec![partition(-1, &bodies[2])],
            },
        ],
    };
    let plain = encode_request(&request, version, 42, "client").unwrap();
    let mut r = Reader::new(&plain[4..]);
    assert_eq!(RequestHeader::decode(&mut r).unwrap().correlation_id, 42);
    assert_eq!(
        decode_body::<ProduceRequest>(&mut r, version).unwrap(),
        request
    );

    let transactional_id = request.transactional_id.as_deref();
    let mut frame = ProduceFrame::new(version, 42, "client", transactional_id, -1, 30_000, 2);
    frame.topic("first", ids[0], 2);
    frame.partition(0, &bodies[0].header(&STAMP), Arc::clone(&bodies[0]));
    frame.partition(7, &bodies[1].header(&STAMP), Arc::clone(&bodies[1]));
    frame.topic("zwölf", ids[1], 1);
    frame.partition(-1, &bodies[2].header(&STAMP), Arc::clone(&bodies[2]));
    (frame.finish().unwrap(), plain)
}

#[test]
fn a_produce_frame_is_the_encoded_request_in_every_version() {
    for version in ProduceRequest::MIN..=ProduceRequest::MAX {
        let (frame, plain) = both(version);
        assert_eq!(frame.len(), plain.len(), "version {version}");
        assert_eq!(frame.to_vec(), plain, "version {version}");
    }
}

#[test]
fn an_empty_produce_frame_is_the_encoded_request_too() {
    for version in ProduceRequest::MIN..=ProduceRequest::MAX {
        let plain = encode_request(&ProduceRequest::default(), version, 1, "c").unwrap();
        let frame = ProduceFrame::new(version, 1, "c", None, 0, 0, 0)
            .finish()
            .unwrap();
        assert_eq!(frame.to_vec(), plain);
    }
}

#[test]
fn slices_resume_at_every_byte_and_keep_to_their_maximum() {
    let (frame, plain) = both(9);
    for from in 0..=plain.len() + 1 {
        for max in [1, 2, 3, 64] {
            let mut slices: Vec<IoSlice<'_>> = Vec::new();
            frame.io_slices(from, &mut slices, max);
            assert!(slices.len() <= max);
            assert!(slices.iter().all(|slice| !slice.is_empty()));
            let joined: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
            let rest = plain.get(from..).unwrap_or_default();
            assert!(rest.starts_with(&joined));
            assert_eq!(joined.is_empty(), rest.is_empty());
            if max == 64 {
                assert_eq!(joined, rest);
            }
        }
    }
}

#[test]
fn bodies_are_shared_not_copied() {
    let shared = body(1, &[9; 4096]);
    let mut frame = ProduceFrame::new(9, 1, "c", None, -1, 1, 1);
    frame.topic("t", Uuid::ZERO, 1);
    frame.partition(0, &shared.header(&STAMP), Arc::clone(&shared));
    let frame = frame.finish().unwrap();
    let mut slices = Vec::new();
    frame.io_slices(0, &mut slices, 64);
    let chunk = shared.chunks()[0].as_slice();
    assert!(
        slices
            .iter()
            .any(|slice| std::ptr::eq(slice.as_ptr(), chunk.as_ptr()))
    );
    assert_eq!(Arc::strong_count(&shared), 2);
    drop(frame);
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn a_frame_with_other_counts_than_announced_is_refused() {
    let begin = |topics| ProduceFrame::new(9, 1, "c", None, -1, 1, topics);
    let begun = |mut frame: ProduceFrame| {
        frame.topic("t", Uuid::ZERO, 1);
        frame
    };
    let full = |frame: ProduceFrame| {
        let body = body(1, b"x");
        let mut frame = begun(frame);
        frame.partition(0, &body.header(&STAMP), body);
        frame
    };
    let kind = |frame: ProduceFrame| frame.finish().unwrap_err().kind;
    assert_eq!(kind(begin(1)), EncodeErrorKind::WrongCount);
    assert_eq!(kind(full(begin(0))), EncodeErrorKind::WrongCount);
    assert_eq!(kind(begun(begin(1))), EncodeErrorKind::WrongCount);
    let two = full(begun(full(begin(2))));
    assert_eq!(kind(two), EncodeErrorKind::WrongCount);
    assert!(full(full(begin(2))).finish().is_ok());
    let unknown = ProduceFrame::new(2, 1, "c", None, -1, 1, 0);
    assert_eq!(kind(unknown), EncodeErrorKind::UnsupportedVersion);
    let mut long = ProduceFrame::new(8, 1, "c", None, -1, 1, 1);
    long.topic(&"x".repeat(40_000), Uuid::ZERO, 0);
    assert_eq!(kind(long), EncodeErrorKind::TooLong);
}

#[test]
fn a_plain_frame_gives_back_its_bytes() {
    let frame = Frame::from_vec(vec![1, 2, 3]);
    assert_eq!((frame.len(), frame.to_vec()), (3, vec![1, 2, 3]));
    let mut slices = Vec::new();
    frame.io_slices(1, &mut slices, 8);
    assert_eq!(slices.len(), 1);
    assert_eq!(&*slices[0], [2, 3]);
    assert!(Frame::from_vec(Vec::new()).is_empty());
}

#[test]
fn a_stream_splits_alike_however_it_is_cut() {
    let frames: [Vec<u8>; 5] = [
        vec![1],
        Vec::new(),
        vec![2; 300],
        vec![3; 70_000],
        vec![4, 5],
    ];
    let mut stream = Vec::new();
    for frame in &frames {
        stream.extend_from_slice(&(frame.len() as i32).to_be_bytes());
        stream.extend_from_slice(frame);
    }
    for cut in [1, 2, 3, 5, 7, 64, 1000, 65_536, stream.len()] {
        let mut reader = FrameReader::new(70_000);
        let mut seen = Vec::new();
        for part in stream.chunks(cut) {
            reader.push(part);
            while let Some(frame) = reader.next_frame().unwrap() {
                seen.push(frame.to_vec());
            }
        }
        assert_eq!(seen, frames, "cut every {cut} bytes");
        assert_eq!(reader.pending(), 0);
    }
}

#[test]
fn an_oversized_or_negative_length_is_refused_for_good() {
    for (claim, kind) in [
        (1001, DecodeErrorKind::TooLarge),
        (i32::MAX, DecodeErrorKind::TooLarge),
        (-1, DecodeErrorKind::LengthOutOfBounds),
    ] {
        let mut reader = FrameReader::new(1000);
        reader.push(&[0, 0, 0, 1, 9]);
        reader.push(&i32::to_be_bytes(claim));
        assert_eq!(reader.next_frame().unwrap(), Some(&[9][..]));
        assert_eq!(reader.refused(), None);
        assert_eq!(reader.next_frame().unwrap_err().kind, kind);
        assert_eq!(reader.refused(), Some(claim));
        reader.push(&[0; 100]);
        assert_eq!(reader.next_frame().unwrap_err().kind, kind);
        assert_eq!(reader.pending(), 0);
    }
}
