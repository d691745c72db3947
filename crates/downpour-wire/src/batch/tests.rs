//! What the batch promises in single facts; random batches are in `tests/batch.rs`.

use super::{BatchBuilder, BatchView, Body, HEADER_LEN, NeedChunk, SealErrorKind, Stamp};
use crate::codec::{Compression, CompressionType, Compressor};
use crate::error::DecodeErrorKind;
use crate::record::{Header, RecordRef};

const MAX: usize = 1 << 20;

fn value(value: &[u8]) -> RecordRef<'_> {
    RecordRef {
        value: Some(value),
        timestamp: 1000,
        ..RecordRef::default()
    }
}

fn body(records: &[RecordRef<'_>]) -> Body {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(4096));
    for record in records {
        builder.try_append(record).unwrap();
    }
    sealed(builder)
}

fn sealed(builder: BatchBuilder) -> Body {
    let sealed = builder.seal(Compression::NONE, &mut Compressor::new());
    sealed.unwrap()
}

/// The kind of error that reading `batch` ends with.
fn refusal(batch: &[u8]) -> DecodeErrorKind {
    let read = BatchView::parse(batch).and_then(|(view, _)| view.records(MAX));
    read.unwrap_err().kind
}

#[test]
fn a_record_takes_the_bytes_that_kafka_documents() {
    let body = body(&[value(b"hi")]);
    // Length 8, attributes, both deltas 0, key null, value of 2, no headers.
    assert_eq!(body.chunks(), [[16, 0, 0, 0, 1, 4, b'h', b'i', 0]]);
}

#[test]
fn a_chunk_is_filled_to_its_last_byte() {
    let mut builder = BatchBuilder::new();
    let record = RecordRef {
        key: Some(b"k"),
        headers: &[Header::new("a", b"1"), Header::null("b")],
        ..value(b"v")
    };
    let len = builder.record_len(&record);
    assert_eq!(builder.try_append(&record), Err(NeedChunk { bytes: len }));
    builder.add_chunk(Vec::with_capacity(2 * len));
    assert_eq!(builder.try_append(&record), Ok(0));
    assert_eq!(builder.try_append(&record), Ok(1));
    assert_eq!(builder.spare(), 0);
    assert_eq!(builder.try_append(&record), Err(NeedChunk { bytes: len }));
    assert_eq!((builder.count(), builder.body_len()), (2, 2 * len));
}

#[test]
fn a_used_chunk_leaves_nothing_of_its_past() {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(vec![0xAA; 256]);
    builder.try_append(&value(b"new")).unwrap();
    builder.add_chunk(vec![0xBB; 256]);
    let body = sealed(builder);
    assert_eq!(body.len(), 10);
    assert!(body.chunks().concat().iter().all(|byte| *byte < 0xAA));
    let chunks = body.into_chunks();
    assert_eq!(chunks.iter().map(Vec::capacity).sum::<usize>(), 512);
}

#[test]
fn appending_never_allocates_beyond_the_chunk() {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(1000));
    let capacity = builder.capacity();
    while builder.try_append(&value(b"0123456789")).is_ok() {}
    assert_eq!(builder.capacity(), capacity);
}

#[test]
fn first_and_largest_timestamp_are_kept_apart() {
    let at = |timestamp| RecordRef {
        timestamp,
        ..value(b"v")
    };
    let body = body(&[at(50), at(70), at(20)]);
    assert_eq!((body.base_timestamp(), body.max_timestamp()), (50, 70));
    let timestamps: Vec<i64> = body
        .records()
        .unwrap()
        .iter()
        .map(|r| r.timestamp)
        .collect();
    assert_eq!(timestamps, [50, 70, 20]);
}

#[test]
fn an_empty_batch_is_refused_and_given_back() {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(100));
    let error = builder
        .seal(Compression::NONE, &mut Compressor::new())
        .unwrap_err();
    assert_eq!(error.kind, SealErrorKind::Empty);
    assert_eq!(error.builder.capacity(), 100);
}

#[test]
fn a_codec_that_panics_gives_the_batch_back() {
    let mut compressor = Compressor::new();
    compressor.panics = true;
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(100));
    builder.try_append(&value(b"kept")).unwrap();
    let lz4 = Compression::new(CompressionType::Lz4);
    let error = builder.seal(lz4, &mut compressor).unwrap_err();
    assert_eq!(error.kind, SealErrorKind::Panicked);
    let plain = error.builder.seal(Compression::NONE, &mut compressor);
    assert_eq!(plain.unwrap().count(), 1);
    assert!(!compressor.panics, "it begins anew");
}

#[test]
fn compression_frees_the_chunks() {
    let codec = CompressionType::ALL
        .into_iter()
        .rfind(|codec| codec.is_compiled())
        .unwrap();
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(300));
    builder.try_append(&value(&[7; 250])).unwrap();
    let mut body = builder.seal(codec.into(), &mut Compressor::new()).unwrap();
    let recycled = body.take_recycled();
    if codec == CompressionType::None {
        assert!(recycled.is_empty());
    } else {
        assert_eq!(recycled.iter().map(Vec::capacity).sum::<usize>(), 300);
        assert_eq!(body.chunks().len(), 1);
        assert!(body.len() < body.uncompressed_len());
    }
    assert!(body.take_recycled().is_empty());
}

#[test]
fn a_stamp_changes_the_header_only_in_its_fields_and_the_checksum() {
    let body = body(&[value(b"v")]);
    let plain = body.header(&Stamp::NONE);
    let stamped = body.header(&Stamp {
        producer_id: 9,
        producer_epoch: 2,
        base_sequence: 40,
        transactional: true,
    });
    for at in 0..HEADER_LEN {
        let may_differ = matches!(at, 17..=20 | 22 | 43..=56);
        assert!(may_differ || plain[at] == stamped[at], "byte {at}");
    }
    assert_eq!(
        &stamped[43..57],
        [0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 0, 0, 0, 40]
    );
    assert_eq!(&plain[43..57], [0xFF; 14]);
}

#[test]
fn what_follows_a_batch_is_left_to_the_caller() {
    let mut bytes = body(&[value(b"v")]).to_vec(&Stamp::NONE);
    bytes.extend_from_slice(b"rest");
    let (view, rest) = BatchView::parse(&bytes).unwrap();
    assert_eq!(rest, b"rest");
    view.check_crc().unwrap();
    assert_eq!(view.bytes().len(), bytes.len() - 4);
}

#[test]
fn every_changed_byte_after_the_checksum_is_noticed() {
    let bytes = body(&[value(b"some value")]).to_vec(&Stamp::NONE);
    for at in 17..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        if let Ok((view, _)) = BatchView::parse(&damaged) {
            let kind = view.check_crc().unwrap_err().kind;
            assert_eq!(kind, DecodeErrorKind::ChecksumMismatch, "byte {at}");
        }
    }
}

#[test]
fn every_cut_is_truncated() {
    let bytes = body(&[value(b"v")]).to_vec(&Stamp::NONE);
    for len in 0..bytes.len() {
        let error = BatchView::parse(&bytes[..len]).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Truncated, "{len} bytes");
    }
}

#[test]
fn the_reader_is_strict() {
    let good = body(&[value(b"a"), value(b"b")]).to_vec(&Stamp::NONE);
    let damaged = |at: usize, bytes: &[u8]| {
        let mut damaged = good.clone();
        damaged[at..at + bytes.len()].copy_from_slice(bytes);
        refusal(&damaged)
    };
    // The second record starts after the first one's 8 bytes.
    let (first, second) = (HEADER_LEN, HEADER_LEN + 8);
    assert_eq!(damaged(16, &[1]), DecodeErrorKind::UnsupportedMagic);
    assert_eq!(
        damaged(8, &48i32.to_be_bytes()),
        DecodeErrorKind::LengthOutOfBounds
    );
    assert_eq!(
        damaged(8, &(-1i32).to_be_bytes()),
        DecodeErrorKind::LengthOutOfBounds
    );
    assert_eq!(damaged(22, &[5]), DecodeErrorKind::UnsupportedCodec);
    assert_eq!(
        damaged(26, &[2]),
        DecodeErrorKind::InvalidValue,
        "last offset delta"
    );
    assert_eq!(
        damaged(57, &(-1i32).to_be_bytes()),
        DecodeErrorKind::LengthOutOfBounds
    );
    assert_eq!(
        damaged(second + 3, &[4]),
        DecodeErrorKind::InvalidValue,
        "offset delta"
    );
    assert_eq!(
        damaged(first, &[16]),
        DecodeErrorKind::TrailingBytes,
        "record length"
    );
    assert_eq!(
        damaged(first, &[1]),
        DecodeErrorKind::LengthOutOfBounds,
        "record length -1"
    );
    assert_eq!(
        damaged(first + 4, &[3]),
        DecodeErrorKind::LengthOutOfBounds,
        "key length -2"
    );
    assert_eq!(
        damaged(first + 7, &[2]),
        DecodeErrorKind::LengthOutOfBounds,
        "headers"
    );
    assert_eq!(
        damaged(second + 7, &[1]),
        DecodeErrorKind::LengthOutOfBounds,
        "headers"
    );

    let mut longer = good.clone();
    longer[8..12].copy_from_slice(&((good.len() - 12 + 1) as u32).to_be_bytes());
    longer.push(0);
    assert_eq!(
        refusal(&longer),
        DecodeErrorKind::Truncated,
        "a byte after the last record"
    );

    // Both counts agree, but there is one record more.
    let mut fewer = good.clone();
    fewer[26] = 0;
    fewer[60] = 1;
    assert_eq!(refusal(&fewer), DecodeErrorKind::InvalidValue);
}

#[test]
fn a_header_name_that_is_not_utf_8_is_refused() {
    let record = RecordRef {
        headers: &[Header::new("name", b"v")],
        ..value(b"v")
    };
    let mut bytes = body(&[record]).to_vec(&Stamp::NONE);
    let at = bytes
        .windows(4)
        .position(|window| window == b"name")
        .unwrap();
    bytes[at] = 0xFF;
    assert_eq!(refusal(&bytes), DecodeErrorKind::InvalidUtf8);
}

#[test]
fn no_payload_reaches_a_log() {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(100));
    builder.try_append(&value(&[0xAB; 50])).unwrap();
    let open = format!("{builder:?}");
    let body = sealed(builder);
    let bytes = body.to_vec(&Stamp::NONE);
    let (view, _) = BatchView::parse(&bytes).unwrap();
    for text in [open, format!("{body:?}"), format!("{view:?}")] {
        assert!(!text.contains("171"), "{text}");
    }
}

#[test]
fn fields_on_both_sides_of_a_varints_end_are_read_back() {
    let lengths = [None, Some(0), Some(63), Some(64), Some(8191), Some(8192)];
    let times = [0, 63, 64, -64, -65, 8191, 8192, -8192, -8193, 1 << 40];
    let bytes = vec![7; 8192];
    let headers = [Header::new("a", b"1")];
    for key in lengths {
        for value in lengths {
            for (time, headers) in times
                .into_iter()
                .flat_map(|t| [(t, &[][..]), (t, &headers)])
            {
                let second = RecordRef {
                    key: key.map(|len| &bytes[..len]),
                    value: value.map(|len| &bytes[..len]),
                    headers,
                    timestamp: 1_000_000 + time,
                };
                let first = RecordRef {
                    timestamp: 1_000_000,
                    ..RecordRef::default()
                };
                let mut builder = BatchBuilder::new();
                builder.add_chunk(Vec::with_capacity(32 << 10));
                builder.try_append(&first).unwrap();
                let len = builder.record_len(&second);
                let before = builder.body_len();
                builder.try_append(&second).unwrap();
                assert_eq!(builder.body_len() - before, len);
                let read = &sealed(builder).records().unwrap()[1];
                assert_eq!(read.key.as_deref(), second.key);
                assert_eq!(read.value.as_deref(), second.value);
                assert_eq!(read.timestamp, second.timestamp);
                assert_eq!(read.headers.len(), headers.len());
            }
        }
    }
}

#[test]
fn records_are_numbered_beyond_two_bytes_of_a_varint() {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(128 << 10));
    for _ in 0..8200 {
        builder.try_append(&value(b"v")).unwrap();
    }
    let read = sealed(builder).records().unwrap();
    let numbers = read.iter().map(|record| record.offset_delta);
    assert!(numbers.eq(0..8200));
}
