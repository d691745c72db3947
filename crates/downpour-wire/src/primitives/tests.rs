//! Tests of the primitive types: every value reads back, every broken one is refused.

use proptest::prelude::*;

use super::*;
use crate::error::DecodeErrorKind as Kind;

/// A zigzag varint as the protocol describes it; a record's are written by `batch`.
fn zigzag(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut out = Vec::new();
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

proptest! {
    #[test]
    fn varints_read_back(u: u32, i: i32, l: i64, shift in 0_u32..64) {
        for (u, i, l) in [(u, i, l), (u >> (shift / 2), i >> (shift / 2), l >> shift)] {
            let mut out = Vec::new();
            put_uvarint(&mut out, u);
            out.extend(zigzag(i64::from(i)));
            out.extend(zigzag(l));
            let mut r = Reader::new(&out);
            prop_assert_eq!(r.uvarint().unwrap(), u);
            prop_assert_eq!(r.varint().unwrap(), i);
            prop_assert_eq!(r.varlong().unwrap(), l);
            r.finish("test").unwrap();
        }
    }

    #[test]
    fn arbitrary_bytes_never_make_a_reader_panic(bytes: Vec<u8>, n: usize) {
        let calls: [fn(&mut Reader<'_>, usize) -> bool; 7] = [
            |r, _| r.uvarint().is_ok(),
            |r, _| r.varint().is_ok(),
            |r, _| r.varlong().is_ok(),
            |r, _| r.uuid().is_ok(),
            |r, n| r.take(n).is_ok(),
            |r, n| r.sub(n).is_ok(),
            |r, n| r.utf8(n).is_ok(),
        ];
        for call in calls {
            for n in [n, n % 16] {
                let mut r = Reader::new(&bytes);
                call(&mut r, n);
                prop_assert!(r.position() <= bytes.len());
            }
        }
    }
}

#[test]
fn varints_have_the_known_bytes_at_their_edges() {
    let written = [0, 127, 128, 16383, 16384, (1 << 28) - 1, 1 << 28, u32::MAX].map(|value| {
        let mut out = Vec::new();
        put_uvarint(&mut out, value);
        out
    });
    assert_eq!(written.each_ref().map(Vec::len), [1, 1, 2, 2, 3, 4, 5, 5]);
    assert_eq!(written[2], [0x80, 1]);
    for (bytes, value) in [
        (&[0][..], 0),
        (&[1], -1),
        (&[0x7f], -64),
        (&[0x80, 1], 64),
        (&[0xff, 0xff, 0xff, 0xff, 0x0f], i32::MIN),
    ] {
        assert_eq!(Reader::new(bytes).varint(), Ok(value));
        assert_eq!(Reader::new(bytes).varlong(), Ok(i64::from(value)));
    }
    let lowest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(Reader::new(&lowest).varlong(), Ok(i64::MIN));
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
fn an_id_is_printed_as_kafka_prints_it() {
    assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
    let id = Uuid([
        0xfb, 0xff, 0xbe, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0,
        0xd1,
    ]);
    assert_eq!(id.to_string(), "-_--ECAwQFBgcICQoLDA0Q");
}
