//! Tests of the primitive types: every value reads back, every broken one is refused.

use proptest::prelude::*;

use super::*;
use crate::error::DecodeErrorKind as Kind;

proptest! {
    #[test]
    fn varints_read_back_and_take_the_length_foretold(u: u32, i: i32, l: i64, shift in 0_u32..64) {
        for (u, i, l) in [(u, i, l), (u >> (shift / 2), i >> (shift / 2), l >> shift)] {
            let mut out = Vec::new();
            put_uvarint(&mut out, u);
            prop_assert_eq!(out.len(), uvarint_len(u));
            put_varint(&mut out, i);
            prop_assert_eq!(out.len(), uvarint_len(u) + varint_len(i));
            put_varlong(&mut out, l);
            prop_assert_eq!(out.len(), uvarint_len(u) + varint_len(i) + varlong_len(l));
            let mut r = Reader::new(&out);
            prop_assert_eq!(r.uvarint().unwrap(), u);
            prop_assert_eq!(r.varint().unwrap(), i);
            prop_assert_eq!(r.varlong().unwrap(), l);
            r.finish("test").unwrap();
        }
    }

    #[test]
    fn arbitrary_bytes_never_make_a_reader_panic(bytes: Vec<u8>, min in 0_usize..9) {
        let calls: [fn(&mut Reader<'_>, usize) -> bool; 14] = [
            |r, _| r.uvarint().is_ok(),
            |r, _| r.varint().is_ok(),
            |r, _| r.varlong().is_ok(),
            |r, _| r.string().is_ok(),
            |r, _| r.nullable_string().is_ok(),
            |r, _| r.compact_string().is_ok(),
            |r, _| r.compact_nullable_string().is_ok(),
            |r, _| r.bytes().is_ok(),
            |r, _| r.nullable_bytes().is_ok(),
            |r, _| r.compact_bytes().is_ok(),
            |r, _| r.compact_nullable_bytes().is_ok(),
            |r, m| r.array_len(m).is_ok_and(|n| n > r.remaining()),
            |r, m| r.compact_array_len(m).is_ok_and(|n| n > r.remaining()),
            |r, _| r.skip_tagged_fields().is_ok(),
        ];
        for (i, call) in calls.into_iter().enumerate() {
            let mut r = Reader::new(&bytes);
            let answer = call(&mut r, min);
            prop_assert!(r.position() <= bytes.len());
            prop_assert!(!((11..=12).contains(&i) && answer), "a count above what remains");
        }
    }
}

#[test]
fn varint_edges_take_the_known_lengths() {
    assert_eq!(
        [0, 127, 128, 16383, 16384].map(uvarint_len),
        [1, 1, 2, 2, 3]
    );
    assert_eq!(
        [(1 << 28) - 1, 1 << 28, u32::MAX].map(uvarint_len),
        [4, 5, 5]
    );
    assert_eq!([0, -64, 63, 64, i32::MIN].map(varint_len), [1, 1, 1, 2, 5]);
    assert_eq!(
        [0, -64, 64, i64::MAX, i64::MIN].map(varlong_len),
        [1, 1, 2, 10, 10]
    );
}

#[test]
fn a_varint_that_exceeds_its_bits_is_refused() {
    let overlong = [0xff; 11];
    assert_eq!(
        Reader::new(&overlong).uvarint().unwrap_err().kind,
        Kind::VarintOverflow
    );
    assert_eq!(
        Reader::new(&overlong).varlong().unwrap_err().kind,
        Kind::VarintOverflow
    );
    let bit_33 = [0xff, 0xff, 0xff, 0xff, 0x1f];
    assert_eq!(
        Reader::new(&bit_33).uvarint().unwrap_err().kind,
        Kind::VarintOverflow
    );
    let all_32 = [0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(Reader::new(&all_32).uvarint(), Ok(u32::MAX));
    let bit_65 = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
    assert_eq!(
        Reader::new(&bit_65).varlong().unwrap_err().kind,
        Kind::VarintOverflow
    );
}

#[test]
fn a_length_is_bounded_by_what_remains() {
    let mut out = Vec::new();
    put_i32(&mut out, 3);
    out.extend_from_slice(&[0; 11]);
    assert_eq!(Reader::new(&out).array_len(3), Ok(3));
    assert_eq!(
        Reader::new(&out).array_len(4).unwrap_err().kind,
        Kind::LengthOutOfBounds
    );
    assert_eq!(
        Reader::new(&[0xff, 0xfe]).string().unwrap_err().kind,
        Kind::LengthOutOfBounds
    );
    assert_eq!(
        Reader::new(&[0xff, 0xff]).string().unwrap_err().kind,
        Kind::InvalidValue
    );
    assert_eq!(Reader::new(&[0xff, 0xff]).nullable_string(), Ok(None));
    assert_eq!(Reader::new(&[0]).compact_nullable_bytes(), Ok(None));
    assert_eq!(
        Reader::new(&[0]).compact_bytes().unwrap_err().kind,
        Kind::InvalidValue
    );
}

#[test]
fn an_error_names_the_offset_in_the_whole_input() {
    let bytes = [0, 1, 2, 2, 0, 2, b'a', 0xff];
    let mut r = Reader::new(&bytes);
    r.take(4).unwrap();
    let mut inner = r.sub(4).unwrap();
    let error = inner.string().unwrap_err();
    assert_eq!((error.kind, error.offset), (Kind::InvalidUtf8, 7));
    assert_eq!(
        error.to_string(),
        "cannot decode a string at byte 7: a string is not UTF-8"
    );
}

#[test]
fn unknown_tagged_fields_are_skipped_and_known_ones_read_to_their_end() {
    let mut out = vec![2];
    put_tagged_field(&mut out, 3, b"xyz").unwrap();
    put_tagged_field(&mut out, 9, &[7, 7]).unwrap();
    let mut seen = Vec::new();
    let mut r = Reader::new(&out);
    r.tagged_fields(|tag, field| {
        seen.push((tag, field.remaining()));
        Ok(false)
    })
    .unwrap();
    assert_eq!((seen, r.remaining()), (vec![(3, 3), (9, 2)], 0));
    let half_read = Reader::new(&out).tagged_fields(|_, field| field.i8().map(|_| true));
    assert_eq!(half_read.unwrap_err().kind, Kind::TrailingBytes);
}

#[test]
fn a_string_too_long_for_its_length_field_is_refused() {
    let text = "x".repeat(32_768);
    let mut out = Vec::new();
    assert!(put_string(&mut out, &text).is_err());
    assert!(put_string(&mut out, &text[1..]).is_ok());
    assert!(put_compact_string(&mut out, &text).is_ok());
}

#[test]
fn an_id_is_printed_as_kafka_prints_it() {
    assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
    let id = Uuid([
        0xfb, 0xff, 0xbe, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0,
        0xd1,
    ]);
    assert_eq!(id.to_string(), "-_--ECAwQFBgcICQoLDA0Q");
}
