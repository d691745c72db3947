//! Batches that Kafka's Java client wrote, read and written again. Batches of ours that Java reads
//! are `golden/ReadBack.java`'s; random ones are in `batch.rs`.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test that cannot go on fails the test"
)]

#[path = "golden/records.rs"]
mod records;

use downpour_wire::batch::{BatchView, Stamp};
use downpour_wire::codec::{Compression, CompressionType, Compressor};

use records::{STAMP, batch, records};

const MAX: usize = 1 << 20;

fn check(bytes: &[u8], codec: CompressionType, stamp: Stamp) {
    let (view, rest) = BatchView::parse(bytes).unwrap();
    let expected = records();
    assert!(rest.is_empty());
    view.check_crc().unwrap();
    assert_eq!(view.codec(), Ok(codec));
    assert_eq!(view.base_offset, 0);
    assert_eq!(view.batch_len as usize, bytes.len() - 12);
    assert_eq!(view.partition_leader_epoch, -1);
    assert_eq!(view.producer_id, stamp.producer_id);
    assert_eq!(view.producer_epoch, stamp.producer_epoch);
    assert_eq!(view.base_sequence, stamp.base_sequence);
    assert_eq!(view.is_transactional(), stamp.transactional);
    assert!(!view.is_control());
    assert!(!view.is_log_append_time());
    assert_eq!(view.base_timestamp, expected[0].timestamp);
    assert_eq!(view.max_timestamp, i64::MAX);
    assert_eq!(view.last_offset_delta as usize, expected.len() - 1);
    assert_eq!(view.records(MAX).unwrap(), expected);
}

fn reproduce(chunk_len: usize, stamp: Stamp) -> Vec<u8> {
    let builder = batch(&records(), chunk_len);
    let body = builder
        .seal(Compression::NONE, &mut Compressor::new())
        .unwrap();
    body.to_vec(&stamp)
}

#[test]
fn javas_plain_batch_is_read_and_reproduced_byte_for_byte() {
    let java = include_bytes!("golden/none.bin");
    check(java, CompressionType::None, STAMP);
    assert!(reproduce(1 << 18, STAMP) == java, "one chunk");
    assert!(reproduce(100, STAMP) == java, "many chunks");
}

#[test]
fn javas_transactional_batch_is_read_and_reproduced_byte_for_byte() {
    let java = include_bytes!("golden/none-transactional.bin");
    let stamp = Stamp {
        transactional: true,
        ..STAMP
    };
    check(java, CompressionType::None, stamp);
    assert!(reproduce(4096, stamp) == java);
}

#[test]
#[cfg(feature = "gzip")]
fn javas_gzip_batch_is_read() {
    check(
        include_bytes!("golden/gzip.bin"),
        CompressionType::Gzip,
        STAMP,
    );
}

#[test]
#[cfg(feature = "snappy")]
fn javas_snappy_batch_is_read() {
    check(
        include_bytes!("golden/snappy.bin"),
        CompressionType::Snappy,
        STAMP,
    );
}

#[test]
#[cfg(feature = "lz4")]
fn javas_lz4_batch_is_read() {
    check(
        include_bytes!("golden/lz4.bin"),
        CompressionType::Lz4,
        STAMP,
    );
}

#[test]
#[cfg(feature = "zstd")]
fn javas_zstd_batch_is_read() {
    check(
        include_bytes!("golden/zstd.bin"),
        CompressionType::Zstd,
        STAMP,
    );
}

#[test]
fn a_codec_that_is_not_compiled_in_is_named() {
    for (codec, bytes) in [
        (
            CompressionType::Gzip,
            &include_bytes!("golden/gzip.bin")[..],
        ),
        (
            CompressionType::Zstd,
            &include_bytes!("golden/zstd.bin")[..],
        ),
    ] {
        let (view, _) = BatchView::parse(bytes).unwrap();
        let read = view.records(MAX);
        let sealed = batch(&records(), 4096).seal(codec.into(), &mut Compressor::new());
        assert_eq!(read.is_ok(), codec.is_compiled(), "{codec}");
        match sealed {
            Ok(body) => assert_eq!(body.codec(), codec),
            Err(error) => {
                assert!(
                    error.kind.to_string().contains("enable the feature"),
                    "{codec}"
                );
                assert_eq!(error.builder.count() as usize, records().len());
            }
        }
    }
}
