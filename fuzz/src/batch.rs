//! Record batches and what they are compressed with, out of any bytes: nothing panics, memory keeps
//! within what the caller allowed and a constant times what was sent, and records that were written
//! are read as they were.

use std::borrow::Cow;
use std::cell::RefCell;

use downpour_wire::batch::{BatchBuilder, BatchView, Body, HEADER_LEN, OwnedRecord, Stamp};
use downpour_wire::codec::{CompressionType, Compressor, decompress};
use downpour_wire::crc::crc32c;
use downpour_wire::record::{Header, RecordRef};

use crate::script::Script;
use crate::wire_tests::counting::peak;

/// The bounds of `batch_mutation`, the test of downpour-wire.
const MAX_BYTES: usize = 128 << 10;
const PER_BYTE: usize = 64;
const CONSTANT: usize = 128 << 10;

thread_local! {
    /// Its tables are large: one for each input would be most of the work.
    static COMPRESSOR: RefCell<Compressor> = RefCell::new(Compressor::new());
}

fn compressed(codec: CompressionType, bytes: Vec<u8>) -> Vec<u8> {
    let packed = COMPRESSOR.with_borrow_mut(|it| it.compress(codec.into(), &[bytes]));
    packed.expect("what is compiled in compresses")
}

/// What an input is taken for.
const MODES: usize = 4;

const STAMP: Stamp = Stamp {
    producer_id: 7,
    producer_epoch: 3,
    base_sequence: 11,
    transactional: false,
};

/// Does with the bytes what the first of them says.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    match script.below(MODES) {
        0 => read(script.rest()),
        1 => read(&mended(&mut script)),
        2 => {
            let codec = codec(&mut script);
            unpack(codec, script.rest());
        }
        _ => round_trip(&mut script),
    }
}

fn codec(script: &mut Script<'_>) -> CompressionType {
    let compiled = CompressionType::ALL
        .into_iter()
        .filter(|codec| codec.is_compiled());
    let compiled: Vec<CompressionType> = compiled.collect();
    script.pick(&compiled)
}

fn bounded<T>(what: &str, input: usize, f: impl FnOnce() -> T) -> T {
    let (result, peak) = peak(f);
    let allowed = MAX_BYTES + PER_BYTE * input + CONSTANT;
    assert!(peak <= allowed, "{what}: {peak} bytes for {input} of input");
    result
}

fn read(bytes: &[u8]) {
    let read = bounded("records", bytes.len(), || {
        let (view, rest) = BatchView::parse(bytes).ok()?;
        assert!(rest.len() < bytes.len());
        let _ = view.check_crc();
        let records = view.records(MAX_BYTES).ok()?;
        assert_eq!(records.len(), view.count as usize);
        Some(records)
    });
    let Some(records) = read else { return };
    let deltas = records.iter().map(|record| record.offset_delta);
    assert!(deltas.eq(0..records.len() as i32), "places of {records:?}");
}

/// A batch whose header fits whatever its body is: no fuzzer guesses a checksum.
fn mended(script: &mut Script<'_>) -> Vec<u8> {
    let codec = codec(script);
    let count = i32::from(script.byte() % 64);
    let body = match script.one_in(2) {
        // The records reach the reader of records whatever the codec.
        true => compressed(codec, script.rest().to_vec()),
        false => script.rest().to_vec(),
    };
    let mut bytes = vec![0; HEADER_LEN];
    bytes[8..12].copy_from_slice(&((HEADER_LEN - 12 + body.len()) as i32).to_be_bytes());
    bytes[16] = 2;
    bytes[22] = codec as u8;
    bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    bytes[57..61].copy_from_slice(&count.to_be_bytes());
    bytes.extend_from_slice(&body);
    let crc = crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn unpack(codec: CompressionType, bytes: &[u8]) {
    let unpacked = bounded("unpacking", bytes.len(), || {
        decompress(codec, bytes, MAX_BYTES).ok()
    });
    let Some(unpacked) = unpacked else { return };
    assert!(unpacked.len() <= MAX_BYTES);
    // A bound that is just enough is enough, and one byte less is not.
    assert_eq!(
        decompress(codec, bytes, unpacked.len()).as_ref(),
        Ok(&unpacked)
    );
    if let Some(less) = unpacked.len().checked_sub(1) {
        assert!(decompress(codec, bytes, less).is_err(), "{codec}");
    }
}

/// Writes records, reads them back, cuts the batch in pieces and takes records out of it.
fn round_trip(script: &mut Script<'_>) {
    COMPRESSOR.with_borrow_mut(|compressor| write_and_read(script, compressor));
}

fn write_and_read(script: &mut Script<'_>, compressor: &mut Compressor) {
    let codec = codec(script);
    let chunk = 16 << script.below(8);
    let split_at = 20 + script.below(256);
    let left_out = script.word();
    let mut builder = BatchBuilder::new();
    let mut records = Vec::new();
    while !script.is_over() && records.len() < 200 {
        let record = record(script, records.len() as i32);
        let headers = record.header_refs();
        let as_ref = RecordRef {
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers,
            timestamp: record.timestamp,
        };
        if let Err(need) = builder.try_append(&as_ref) {
            builder.add_chunk(Vec::with_capacity(need.bytes.max(chunk)));
            builder
                .try_append(&as_ref)
                .expect("the chunk is as large as was asked for");
        }
        records.push(record);
    }
    if records.is_empty() {
        return;
    }
    let body = builder
        .seal(codec.into(), compressor)
        .expect("small batches can be sealed");
    let bytes = body.to_vec(&STAMP);
    let (view, rest) = BatchView::parse(&bytes).expect("our own batch");
    assert!(rest.is_empty());
    view.check_crc().expect("our own checksum");
    assert_eq!(view.records(1 << 20).as_ref(), Ok(&records));
    let longest = records.iter().map(|record| record.timestamp).max();
    assert_eq!(Some(view.max_timestamp), longest);

    let parts = body
        .split(split_at.max(bytes.len() / 8), compressor)
        .expect("our own batch can be split");
    let joined: Vec<OwnedRecord> = parts.iter().flat_map(records_of).collect();
    assert_same(&joined, &records);

    let out: Vec<u32> = (0..records.len() as u32)
        .filter(|index| left_out >> (index % 16) & 1 == 1)
        .collect();
    let runs = body
        .without(&out, compressor)
        .expect("records can be left out of our own batch");
    let mut kept = Vec::new();
    for (first, run) in &runs {
        for (index, record) in (*first..).zip(records_of(run)) {
            assert!(!out.contains(&index), "{index} was to be left out");
            assert_same(
                std::slice::from_ref(&record),
                &records[index as usize..=index as usize],
            );
            kept.push(index);
        }
    }
    assert_eq!(kept.len() + out.len(), records.len());
    assert!(kept.is_sorted());
}

fn records_of(body: &Body) -> Vec<OwnedRecord> {
    body.records().expect("our own records")
}

/// The same but for their places.
fn assert_same(read: &[OwnedRecord], written: &[OwnedRecord]) {
    let placeless = |record: &OwnedRecord| OwnedRecord {
        offset_delta: 0,
        ..record.clone()
    };
    assert!(
        read.iter().map(placeless).eq(written.iter().map(placeless)),
        "{read:?} is not {written:?}"
    );
}

fn record(script: &mut Script<'_>, offset_delta: i32) -> OwnedRecord {
    let shape = script.byte();
    let part = |bit: u8, script: &mut Script<'_>| {
        let len = script.below(40);
        (shape & bit != 0).then(|| script.take(len).to_vec())
    };
    let (key, value) = (part(1, script), part(2, script));
    let headers = (0..(shape >> 2) % 4).map(|_| {
        let name = String::from_utf8_lossy(script.take(3)).into_owned();
        let value = script.one_in(2).then(|| script.take(4).to_vec());
        (name, value)
    });
    let headers = headers.collect();
    let timestamp = match shape >> 5 {
        0 => i64::from(script.byte()),
        1 => i64::MAX - i64::from(script.byte()),
        2 => -i64::from(script.word()),
        _ => 1_700_000_000_000 + i64::from(script.word()),
    };
    OwnedRecord {
        key,
        value,
        headers,
        timestamp,
        offset_delta,
    }
}

/// Inputs to begin with: batches in every codec, and what they are compressed to.
pub fn seeds(entropy: &[u8]) -> Vec<Vec<u8>> {
    let text = b"a record, and another record, and the same record again, again, again".as_slice();
    let mut seeds = Vec::new();
    for (at, codec) in (0u8..).zip(CompressionType::ALL.into_iter().filter(|c| c.is_compiled())) {
        let mut builder = BatchBuilder::new();
        let headers = [Header {
            key: Cow::Borrowed("h"),
            value: Some(Cow::Borrowed(b"v")),
        }];
        for value in [text, b"", entropy] {
            let record = RecordRef {
                key: Some(b"k"),
                value: Some(value),
                headers: &headers,
                timestamp: 1_700_000_000_000,
            };
            builder.add_chunk(Vec::with_capacity(builder.record_len(&record)));
            builder
                .try_append(&record)
                .expect("the chunk is as large as the record");
        }
        let body = builder
            .seal(codec.into(), &mut Compressor::new())
            .expect("small batches can be sealed");
        let bytes = body.to_vec(&STAMP);
        seeds.push([&[0], bytes.as_slice()].concat());
        // Codec, number of records, the body as it is.
        seeds.push([&[1, at, 3, 0], &bytes[HEADER_LEN..]].concat());
        seeds.push([&[2, at], &bytes[HEADER_LEN..]].concat());
        seeds.push([&[3, at], entropy].concat());
    }
    seeds
}
