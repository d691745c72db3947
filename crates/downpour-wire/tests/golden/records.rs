//! The records of the golden batches, read from `records.txt`; shared by the test that reads Java's
//! batches and by the example that writes ours for Java to read.

use downpour_wire::batch::{BatchBuilder, OwnedRecord, Stamp};
use downpour_wire::record::RecordRef;

/// What every golden batch is stamped with. The sequence wraps within the batch.
pub(crate) const STAMP: Stamp = Stamp {
    producer_id: 4_000_000_001,
    producer_epoch: 7,
    base_sequence: 2_147_483_600,
    transactional: false,
};

/// The records, in order.
pub(crate) fn records() -> Vec<OwnedRecord> {
    let lines = include_str!("records.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .enumerate()
        .map(|(index, line)| record(index, line))
        .collect()
}

/// A batch of `records`, in chunks of `chunk_len` bytes or of what a larger record takes.
pub(crate) fn batch(records: &[OwnedRecord], chunk_len: usize) -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    for record in records {
        let headers = record.header_refs();
        let record = RecordRef {
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers,
            timestamp: record.timestamp,
        };
        if let Err(need) = builder.try_append(&record) {
            builder.add_chunk(Vec::with_capacity(chunk_len.max(need.bytes)));
            builder
                .try_append(&record)
                .expect("the chunk has the bytes asked for");
        }
    }
    builder
}

fn record(index: usize, line: &str) -> OwnedRecord {
    let words: Vec<&str> = line.split(' ').collect();
    let [timestamp, key, value, headers @ ..] = words.as_slice() else {
        panic!("a record has three words at least: {line}");
    };
    let header = |word: &&str| {
        let (name, value) = word
            .split_once('=')
            .expect("a header has a name and a value");
        (name.to_owned(), part(value))
    };
    OwnedRecord {
        key: part(key),
        value: part(value),
        headers: headers.iter().map(header).collect(),
        timestamp: timestamp.parse().expect("a timestamp is a number"),
        offset_delta: i32::try_from(index).expect("there are few records"),
    }
}

fn part(word: &str) -> Option<Vec<u8>> {
    let numbers: Vec<&str> = word.split(':').collect();
    match numbers.as_slice() {
        ["null"] => None,
        ["empty"] => Some(Vec::new()),
        ["text", ..] => Some(word.as_bytes()["text:".len()..].to_vec()),
        ["fill", len, seed] => {
            let len: usize = len.parse().expect("a length is a number");
            let seed: usize = seed.parse().expect("a seed is a number");
            Some((0..len).map(|i| (i / seed * 7 + i % 3) as u8).collect())
        }
        _ => panic!("not a part of a record: {word}"),
    }
}
