//! The framings that other writers use, and the bounds. Round trips are in `tests/batch.rs`.

use super::{Compression, CompressionError, CompressionType, Compressor, decompress};
use crate::error::DecodeErrorKind;

#[allow(dead_code, reason = "a build without codecs has nothing to bound")]
const MAX: usize = 16 << 20;

/// Bytes that compress, but not to nothing.
fn text(len: usize) -> Vec<u8> {
    let mut state = 7u32;
    let mut text = Vec::with_capacity(len + 32);
    while text.len() < len {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend_from_slice(format!("user-{} clicks; ", state >> 20).as_bytes());
    }
    text.truncate(len);
    text
}

fn kind(codec: CompressionType, input: &[u8], max: usize) -> DecodeErrorKind {
    decompress(codec, input, max).unwrap_err().kind
}

#[test]
fn names_and_numbers_are_kafkas() {
    for (codec, number, name) in [
        (CompressionType::None, 0, "none"),
        (CompressionType::Gzip, 1, "gzip"),
        (CompressionType::Snappy, 2, "snappy"),
        (CompressionType::Lz4, 3, "lz4"),
        (CompressionType::Zstd, 4, "zstd"),
    ] {
        assert_eq!(codec as u8, number);
        assert_eq!(CompressionType::try_from(number), Ok(codec));
        assert_eq!(CompressionType::from_name(name), Some(codec));
        assert_eq!(codec.to_string(), name);
    }
    assert_eq!(
        CompressionType::try_from(5),
        Err(CompressionError::Unknown { number: 5 })
    );
    assert_eq!(CompressionType::from_name("LZ4"), None);
}

#[test]
fn what_is_shown_of_a_compression_can_be_read_again() {
    let levels = [(CompressionType::Gzip, 9), (CompressionType::Zstd, -7)];
    let levels = levels.map(|(codec, level)| Compression::with_level(codec, level).unwrap());
    let plain = CompressionType::ALL.map(Compression::new);
    for compression in levels.into_iter().chain(plain) {
        assert_eq!(compression.to_string().parse(), Ok(compression));
    }
    assert_eq!(levels[1].to_string(), "zstd:-7");
    assert_eq!("LZ4".parse(), Ok(CompressionType::Lz4));
    for (bad, said) in [
        (
            "brotli",
            "\"brotli\" is no codec; there are none, gzip, snappy, lz4, zstd",
        ),
        ("gzip:", "\"\" is no level"),
        ("gzip:77", "gzip has no level 77: its levels are 1 to 9"),
    ] {
        let error = bad.parse::<Compression>().unwrap_err();
        assert_eq!(error.to_string(), said);
    }
}

#[test]
fn an_lz4_level_is_refused_with_the_reason() {
    let error = Compression::with_level(CompressionType::Lz4, 9).unwrap_err();
    let says = "lz4 has no level 9: its levels are none in this implementation, which is always \
                the fast one";
    assert_eq!(error.to_string(), says);
}

#[test]
fn compressed_bytes_occupy_no_more_than_they_are() {
    let chunks = [text(50_000)];
    for codec in CompressionType::ALL
        .into_iter()
        .filter(|codec| codec.is_compiled())
    {
        let packed = Compressor::new().compress(codec.into(), &chunks).unwrap();
        assert_eq!(packed.capacity(), packed.len(), "{codec}");
    }
}

#[test]
fn a_bomb_ends_at_the_bound() {
    let chunks = [vec![0; 10 << 20]];
    for codec in CompressionType::ALL
        .into_iter()
        .filter(|codec| codec.is_compiled())
    {
        let packed = Compressor::new().compress(codec.into(), &chunks).unwrap();
        assert_eq!(
            kind(codec, &packed, 100_000),
            DecodeErrorKind::TooLarge,
            "{codec}"
        );
        assert_eq!(
            kind(codec, &packed, 0),
            DecodeErrorKind::TooLarge,
            "{codec}"
        );
    }
}

#[cfg(feature = "gzip")]
mod gzip {
    use super::*;

    #[test]
    fn several_members_are_one_stream() {
        let mut compressor = Compressor::new();
        let mut packed = Vec::new();
        for part in [text(1000), text(10)] {
            packed.extend(
                compressor
                    .compress(CompressionType::Gzip.into(), &[part])
                    .unwrap(),
            );
        }
        let whole = [text(1000), text(10)].concat();
        assert_eq!(
            decompress(CompressionType::Gzip, &packed, whole.len()).unwrap(),
            whole
        );
    }

    #[test]
    fn every_cut_is_refused() {
        let packed = Compressor::new()
            .compress(CompressionType::Gzip.into(), &[text(300)])
            .unwrap();
        for len in 0..packed.len() {
            assert!(
                decompress(CompressionType::Gzip, &packed[..len], MAX).is_err(),
                "{len} bytes"
            );
        }
    }
}

#[cfg(feature = "snappy")]
mod snappy {
    use super::*;

    #[test]
    fn a_raw_block_is_read() {
        let packed = snap::raw::Encoder::new()
            .compress_vec(&text(100_000))
            .unwrap();
        assert_eq!(
            decompress(CompressionType::Snappy, &packed, 100_000).unwrap(),
            text(100_000)
        );
    }

    #[test]
    fn blocks_are_small_enough_for_javas_reader() {
        let packed = Compressor::new()
            .compress(CompressionType::Snappy.into(), &[text(100_000)])
            .unwrap();
        assert_eq!(&packed[..16], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
        let mut at = 16;
        let mut sizes = Vec::new();
        while at < packed.len() {
            let len = u32::from_be_bytes(packed[at..at + 4].try_into().unwrap()) as usize;
            sizes.push(snap::raw::decompress_len(&packed[at + 4..at + 4 + len]).unwrap());
            at += 4 + len;
        }
        assert_eq!(sizes, [32_768, 32_768, 32_768, 1696]);
    }

    #[test]
    fn a_claim_beyond_what_snappy_can_do_is_refused() {
        // A raw block of a few bytes that claims a megabyte.
        let input = [0x80, 0x80, 0x40, 0, b'x'];
        assert_eq!(
            kind(CompressionType::Snappy, &input, MAX),
            DecodeErrorKind::Decompress
        );
        let framed = [&b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0\x05"[..], &input].concat();
        assert_eq!(
            kind(CompressionType::Snappy, &framed, MAX),
            DecodeErrorKind::Decompress
        );
    }

    #[test]
    fn a_block_longer_than_the_rest_is_refused() {
        let framed = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\x7F\xFF\xFF\xFFabc";
        assert_eq!(
            kind(CompressionType::Snappy, framed, MAX),
            DecodeErrorKind::LengthOutOfBounds
        );
        assert_eq!(
            kind(CompressionType::Snappy, &framed[..18], MAX),
            DecodeErrorKind::Truncated
        );
        assert_eq!(
            kind(CompressionType::Snappy, &framed[..9], MAX),
            DecodeErrorKind::Truncated
        );
    }
}

#[cfg(feature = "lz4")]
mod lz4 {
    use std::io::{Read, Write};

    use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

    use super::*;

    fn frame(info: FrameInfo, content: &[u8]) -> Vec<u8> {
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn frames_of_another_writer_are_read_whatever_they_carry() {
        let content = text(200_000);
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max4MB] {
                for checksums in [false, true] {
                    let info = FrameInfo::new()
                        .block_mode(mode)
                        .block_size(size)
                        .block_checksums(checksums)
                        .content_checksum(checksums)
                        .content_size(checksums.then_some(content.len() as u64));
                    let packed = frame(info, &content);
                    assert!(
                        decompress(CompressionType::Lz4, &packed, content.len()).unwrap()
                            == content
                    );
                    assert_eq!(
                        kind(CompressionType::Lz4, &packed, 199_999),
                        DecodeErrorKind::TooLarge
                    );
                }
            }
        }
    }

    #[test]
    fn our_frames_are_read_by_another_reader() {
        let mut compressor = Compressor::new();
        for len in [1, 1000, 65_535, 65_536, 65_537, 300_000, 2_000_000] {
            let content = text(len);
            let packed = compressor
                .compress(CompressionType::Lz4.into(), std::slice::from_ref(&content))
                .unwrap();
            let mut read = Vec::new();
            FrameDecoder::new(packed.as_slice())
                .read_to_end(&mut read)
                .unwrap();
            assert!(read == content, "{len} bytes");
        }
    }

    #[test]
    fn a_few_bytes_too_many_do_not_make_a_block_of_their_own() {
        let packed = Compressor::new()
            .compress(CompressionType::Lz4.into(), &[text(65_591)])
            .unwrap();
        let block = u32::from_le_bytes(packed[7..11].try_into().unwrap()) as usize;
        assert_eq!(packed.len(), 7 + 4 + block + 4);
    }

    #[test]
    fn damage_to_a_frame_is_noticed() {
        let info = FrameInfo::new()
            .content_checksum(true)
            .content_size(Some(5000));
        let good = frame(info, &text(5000));
        let damaged = |at: usize, mask: u8| {
            let mut damaged = good.clone();
            damaged[at] ^= mask;
            kind(CompressionType::Lz4, &damaged, MAX)
        };
        assert_eq!(damaged(0, 1), DecodeErrorKind::Decompress, "magic");
        assert_eq!(damaged(4, 0x80), DecodeErrorKind::Decompress, "version");
        assert_eq!(damaged(4, 0x01), DecodeErrorKind::Decompress, "dictionary");
        assert_eq!(
            damaged(5, 0x80),
            DecodeErrorKind::Decompress,
            "reserved bit"
        );
        assert_eq!(
            damaged(6, 1),
            DecodeErrorKind::ChecksumMismatch,
            "content size"
        );
        assert_eq!(
            damaged(14, 1),
            DecodeErrorKind::ChecksumMismatch,
            "header checksum"
        );
        assert_eq!(
            damaged(17, 0x7F),
            DecodeErrorKind::LengthOutOfBounds,
            "block size"
        );
        let last = good.len() - 1;
        assert_eq!(
            damaged(last, 1),
            DecodeErrorKind::ChecksumMismatch,
            "content checksum"
        );
        let longer = [good.as_slice(), b"x"].concat();
        assert_eq!(
            kind(CompressionType::Lz4, &longer, MAX),
            DecodeErrorKind::TrailingBytes
        );
        for len in 0..good.len() {
            assert!(
                decompress(CompressionType::Lz4, &good[..len], MAX).is_err(),
                "{len} bytes"
            );
        }
    }

    #[test]
    fn noise_is_stored_as_it_is() {
        let mut state = 1u64;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        let noise: Vec<u8> = std::iter::repeat_with(next).take(1000).collect();
        let packed = Compressor::new()
            .compress(CompressionType::Lz4.into(), std::slice::from_ref(&noise))
            .unwrap();
        assert_eq!(packed.len(), noise.len() + 15);
        assert_eq!(
            decompress(CompressionType::Lz4, &packed, 1000).unwrap(),
            noise
        );
    }
}

#[cfg(feature = "zstd")]
mod zstd {
    use super::*;

    #[test]
    fn frames_without_their_size_are_read() {
        let content = text(300_000);
        let packed = ::zstd::stream::encode_all(content.as_slice(), 3).unwrap();
        assert!(decompress(CompressionType::Zstd, &packed, content.len()).unwrap() == content);
        assert_eq!(
            kind(CompressionType::Zstd, &packed, 299_999),
            DecodeErrorKind::TooLarge
        );
    }
}
