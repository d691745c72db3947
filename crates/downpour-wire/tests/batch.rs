//! Random records through the batch: there and back in every codec, in and out of another
//! implementation (the `kafka-protocol` crate), and in parts. Java's bytes are in `golden.rs`.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test that cannot go on fails the test"
)]

use bytes::Bytes;
use downpour_wire::batch::{BatchBuilder, BatchView, Body, HEADER_LEN, OwnedRecord, Stamp};
use downpour_wire::codec::{Compression, CompressionType, Compressor, decompress};
use downpour_wire::crc;
use downpour_wire::record::RecordRef;
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records as other;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const MAX: usize = 64 << 20;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 0..200),
        // Around the edges of a length's varint: 1, 2 and 3 bytes.
        (60usize..70, any::<u8>()).prop_map(|(n, byte)| vec![byte; n]),
        (8185usize..8200, any::<u8>()).prop_map(|(n, byte)| vec![byte; n]),
    ]
}

fn timestamp() -> impl Strategy<Value = i64> {
    prop_oneof![
        5 => 1_700_000_000_000i64..1_700_000_100_000,
        1 => Just(0),
        1 => Just(i64::MAX),
        1 => any::<i64>(),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, Option<Vec<u8>>)>> {
    let name = prop_oneof![Just(String::new()), "[ab]", "\\PC{0,8}"];
    prop_oneof![2 => Just(Vec::new()), 1 => vec((name, option::of(bytes())), 0..6)]
}

fn record() -> impl Strategy<Value = OwnedRecord> {
    let parts = (
        option::of(bytes()),
        option::of(bytes()),
        headers(),
        timestamp(),
    );
    parts.prop_map(|(key, value, headers, timestamp)| OwnedRecord {
        key,
        value,
        headers,
        timestamp,
        offset_delta: 0,
    })
}

fn records() -> impl Strategy<Value = Vec<OwnedRecord>> {
    vec(record(), 1..100).prop_map(|mut records| {
        for (index, record) in records.iter_mut().enumerate() {
            record.offset_delta = index as i32;
        }
        records
    })
}

fn stamp() -> impl Strategy<Value = Stamp> {
    let parts = (any::<i64>(), any::<i16>(), any::<i32>(), any::<bool>());
    parts.prop_map(
        |(producer_id, producer_epoch, base_sequence, transactional)| Stamp {
            producer_id,
            producer_epoch,
            base_sequence,
            transactional,
        },
    )
}

fn compiled_codec() -> impl Strategy<Value = CompressionType> {
    let codecs: Vec<CompressionType> = CompressionType::ALL
        .into_iter()
        .filter(|c| c.is_compiled())
        .collect();
    proptest::sample::select(codecs)
}

/// Appends all records, in chunks of `chunk_len` bytes where that suffices, and checks on the way
/// that every size announced is the size taken.
fn build(records: &[OwnedRecord], chunk_len: usize) -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    for (index, record) in records.iter().enumerate() {
        let headers = record.header_refs();
        let record = RecordRef {
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers,
            timestamp: record.timestamp,
        };
        let announced = builder.record_len(&record);
        let before = builder.body_len();
        let spare = builder.spare();
        let appended = match builder.try_append(&record) {
            Ok(index) => {
                assert!(announced <= spare);
                assert_eq!(builder.spare(), spare - announced);
                index
            }
            Err(need) => {
                assert!(announced > spare, "a record that fits is taken");
                assert_eq!(need.bytes, announced);
                assert_eq!(builder.body_len(), before, "nothing was written");
                builder.add_chunk(Vec::with_capacity(chunk_len.max(need.bytes)));
                builder.try_append(&record).unwrap()
            }
        };
        assert_eq!(appended as usize, index);
        assert_eq!(builder.body_len(), before + announced);
        assert_eq!(builder.count() as usize, index + 1);
    }
    builder
}

fn seal(records: &[OwnedRecord], chunk_len: usize, codec: CompressionType) -> Body {
    build(records, chunk_len)
        .seal(codec.into(), &mut Compressor::new())
        .unwrap()
}

fn parse(bytes: &[u8]) -> BatchView<'_> {
    let (view, rest) = BatchView::parse(bytes).unwrap();
    assert!(rest.is_empty());
    view
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_built_is_read_back(
        records in records(),
        chunk_len in 1usize..20_000,
        codec in compiled_codec(),
        stamp in stamp(),
    ) {
        let body = seal(&records, chunk_len, codec);
        let batch = body.to_vec(&stamp);
        let view = parse(&batch);
        view.check_crc().unwrap();
        prop_assert_eq!(batch.len(), HEADER_LEN + body.len());
        prop_assert_eq!(body.chunks().iter().map(Vec::len).sum::<usize>(), body.len());
        prop_assert_eq!(view.codec(), Ok(codec));
        prop_assert_eq!(view.count as usize, records.len());
        prop_assert_eq!(view.base_timestamp, records[0].timestamp);
        prop_assert_eq!(Some(view.max_timestamp), records.iter().map(|r| r.timestamp).max());
        prop_assert_eq!(
            (view.producer_id, view.producer_epoch, view.base_sequence, view.is_transactional()),
            (stamp.producer_id, stamp.producer_epoch, stamp.base_sequence, stamp.transactional)
        );
        prop_assert_eq!(&view.records(MAX).unwrap(), &records);
        prop_assert_eq!(&body.records().unwrap(), &records);
    }

    #[test]
    fn the_stamped_checksum_is_that_of_the_whole(
        records in records(),
        chunk_len in 1usize..20_000,
        stamps in vec(stamp(), 1..5),
    ) {
        let body = seal(&records, chunk_len, CompressionType::None);
        for stamp in stamps {
            let batch = body.to_vec(&stamp);
            prop_assert_eq!(parse(&batch).crc, crc::crc32c(&batch[21..]));
        }
    }

    #[test]
    fn parts_of_a_split_are_the_whole_in_order(
        records in records(),
        max_bytes in 1usize..30_000,
        codec in compiled_codec(),
    ) {
        let body = seal(&records, 4096, codec);
        let parts = body.split(max_bytes, &mut Compressor::new()).unwrap();
        let mut read = Vec::new();
        for part in &parts {
            prop_assert!(part.uncompressed_len() <= max_bytes || part.count() == 1);
            prop_assert_eq!(part.capacity(), part.len(), "credit is for what is sent");
            prop_assert_eq!(part.codec(), codec);
            let part = part.records().unwrap();
            read.extend(part.into_iter().zip(0..).map(|(record, index)| {
                assert_eq!(record.offset_delta, index);
                record
            }));
        }
        for (record, index) in read.iter_mut().zip(0..) {
            record.offset_delta = index;
        }
        prop_assert_eq!(read, records);
    }

    #[test]
    fn what_is_left_without_some_records_are_the_others_where_they_were(
        records in records(),
        chosen in vec(any::<bool>(), 0..40),
        codec in compiled_codec(),
    ) {
        let is_named = |at: usize| chosen.get(at).copied().unwrap_or(false);
        let named: Vec<u32> = (0..).zip(&records).map(|(at, _)| at).filter(|&at| is_named(at as usize)).collect();
        let body = seal(&records, 4096, codec);
        let runs = body.without(&named, &mut Compressor::new()).unwrap();
        let mut read = Vec::new();
        for (first, run) in &runs {
            prop_assert_eq!(run.codec(), codec);
            // There may be thousands: each with room for the whole would be gigabytes.
            prop_assert_eq!(run.capacity(), run.len());
            prop_assert!(*first == 0 || is_named(*first as usize - 1), "a run begins behind one that is named");
            read.extend(run.records().unwrap().into_iter().map(|mut record| {
                record.offset_delta += i32::try_from(*first).unwrap();
                record
            }));
        }
        let mut left = records;
        left.retain(|record| !is_named(record.offset_delta as usize));
        prop_assert_eq!(read, left);
    }

    #[test]
    fn another_implementation_reads_ours(
        records in records(),
        codec in compiled_codec(),
        chunk_len in 1usize..20_000,
    ) {
        let records = as_the_other_can(records);
        let stamp = Stamp { producer_id: 77, producer_epoch: 3, base_sequence: 5, transactional: true };
        let batch = seal(&records, chunk_len, codec).to_vec(&stamp);
        let set = other::RecordBatchDecoder::decode(&mut Bytes::from(batch)).unwrap();
        prop_assert_eq!(set.compression, to_other(codec));
        prop_assert_eq!(set.records.len(), records.len());
        for (theirs, ours) in set.records.iter().zip(&records) {
            prop_assert_eq!(theirs.producer_id, 77);
            prop_assert_eq!(theirs.producer_epoch, 3);
            prop_assert_eq!(theirs.sequence, 5 + ours.offset_delta);
            prop_assert!(theirs.transactional);
            prop_assert_eq!(theirs.timestamp, ours.timestamp);
            prop_assert_eq!(theirs.key.as_deref(), ours.key.as_deref());
            prop_assert_eq!(theirs.value.as_deref(), ours.value.as_deref());
            let headers: Vec<_> = theirs
                .headers
                .iter()
                .map(|(key, value)| (key.to_string(), value.as_ref().map(|v| v.to_vec())))
                .collect();
            prop_assert_eq!(&headers, &ours.headers);
        }
    }

    #[test]
    fn another_implementations_batches_are_read(
        records in records(),
        codec in compiled_codec(),
    ) {
        let records = as_the_other_can(records);
        let theirs: Vec<other::Record> = records.iter().map(to_other_record).collect();
        let options = other::RecordEncodeOptions { version: 2, compression: to_other(codec) };
        let mut batch = Vec::new();
        other::RecordBatchEncoder::encode(&mut batch, &theirs, &options).unwrap();
        let view = parse(&batch);
        view.check_crc().unwrap();
        prop_assert_eq!(view.codec(), Ok(codec));
        prop_assert_eq!(view.records(MAX).unwrap(), records);
    }

    #[test]
    fn bytes_survive_every_codec_within_their_exact_length(
        chunks in vec(bytes(), 0..20),
        codec in compiled_codec(),
    ) {
        let whole = chunks.concat();
        let mut compressor = Compressor::new();
        // Twice, so that contexts that are reused are seen to be reset.
        for _ in 0..2 {
            let packed = compressor.compress(codec.into(), &chunks).unwrap();
            let unpacked = decompress(codec, &packed, whole.len()).unwrap();
            prop_assert_eq!(&unpacked, &whole);
            if let Some(less) = whole.len().checked_sub(1) {
                prop_assert!(decompress(codec, &packed, less).is_err());
            }
        }
    }
}

#[test]
fn large_and_incompressible_bodies_survive_every_codec() {
    let mut state = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(900_000)
    .collect();
    let mut compressor = Compressor::new();
    for codec in CompressionType::ALL
        .into_iter()
        .filter(|codec| codec.is_compiled())
    {
        for len in [
            0, 1, 32_768, 65_534, 65_535, 65_536, 65_537, 262_145, 900_000,
        ] {
            for chunk_len in [900_000, 50_000, 999] {
                let chunks: Vec<Vec<u8>> = noise[..len].chunks(chunk_len).map(Into::into).collect();
                let packed = compressor.compress(codec.into(), &chunks).unwrap();
                assert!(packed.len() <= len + len / 16 + 64, "{codec} of {len}");
                assert!(
                    decompress(codec, &packed, len).unwrap() == noise[..len],
                    "{codec} of {len}"
                );
            }
        }
    }
}

#[test]
fn levels_are_checked_before_use() {
    for (codec, level, valid) in [
        (CompressionType::Gzip, 0, false),
        (CompressionType::Gzip, 1, true),
        (CompressionType::Gzip, 9, true),
        (CompressionType::Gzip, 10, false),
        (CompressionType::Lz4, 9, false),
        (CompressionType::Snappy, 1, false),
        (CompressionType::None, 0, false),
        (CompressionType::Zstd, -131_073, false),
        (CompressionType::Zstd, -131_072, true),
        (CompressionType::Zstd, 22, true),
        (CompressionType::Zstd, 23, false),
    ] {
        let compression = Compression::with_level(codec, level);
        assert_eq!(compression.is_ok(), valid, "{codec} at {level}");
        let Ok(compression) = compression else {
            continue;
        };
        if codec.is_compiled() {
            let chunks = [b"abcabcabcabcabcabc".repeat(100)];
            let mut compressor = Compressor::new();
            // Another level before, so that changing it is seen to work.
            compressor.compress(codec.into(), &chunks).unwrap();
            let packed = compressor.compress(compression, &chunks).unwrap();
            assert_eq!(
                decompress(codec, &packed, chunks[0].len()).unwrap(),
                chunks[0]
            );
        }
    }
}

/// The other implementation keeps headers in a map, and its sums overflow where timestamps are
/// further apart than 63 bits can say.
fn as_the_other_can(mut records: Vec<OwnedRecord>) -> Vec<OwnedRecord> {
    for record in &mut records {
        let mut seen = std::collections::HashSet::new();
        record.headers.retain(|(name, _)| seen.insert(name.clone()));
        record.timestamp &= i64::MAX;
    }
    records
}

fn to_other(codec: CompressionType) -> other::Compression {
    match codec {
        CompressionType::None => other::Compression::None,
        CompressionType::Gzip => other::Compression::Gzip,
        CompressionType::Snappy => other::Compression::Snappy,
        CompressionType::Lz4 => other::Compression::Lz4,
        CompressionType::Zstd => other::Compression::Zstd,
        other => panic!("{other} has no counterpart"),
    }
}

fn to_other_record(record: &OwnedRecord) -> other::Record {
    let headers: IndexMap<StrBytes, Option<Bytes>> = record
        .headers
        .iter()
        .map(|(key, value)| {
            (
                StrBytes::from_string(key.clone()),
                value.clone().map(Bytes::from),
            )
        })
        .collect();
    other::Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: -1,
        producer_epoch: -1,
        timestamp_type: other::TimestampType::Creation,
        offset: i64::from(record.offset_delta),
        sequence: record.offset_delta,
        timestamp: record.timestamp,
        key: record.key.clone().map(Bytes::from),
        value: record.value.clone().map(Bytes::from),
        headers,
    }
}
