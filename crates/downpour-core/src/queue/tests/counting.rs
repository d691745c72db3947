//! Bounds on the number of records: of a batch, and of all that are buffered, where each record
//! holds a share of the credit at least.

use downpour_wire::codec::{Compression, CompressionType};
use downpour_wire::error_code::ErrorCode;
use downpour_wire::record::RecordRef;

use super::harness::{Bench, RECORDS_AT, config};
use crate::config::Config;
use crate::queue::{Append, Chunk};

fn batches_of(records: u32) -> Config {
    let mut config = config();
    config.batch_records = records;
    config
}

const SHARE: usize = 10_000;

fn shares() -> Config {
    let mut config = config();
    config.record_share = SHARE;
    config.records_ahead = 64;
    config
}

fn tickets(bench: &mut Bench, records: usize) -> Vec<u32> {
    (0..records).map(|_| bench.append("value").0).collect()
}

#[test]
fn a_batch_is_full_at_its_number_of_records() {
    let mut bench = Bench::with(&batches_of(3));
    assert_eq!(tickets(&mut bench, 7), [0, 0, 0, 1, 1, 1, 2]);
    assert_eq!(
        (bench.queue.waiting.len(), bench.queue.open.is_some()),
        (2, true)
    );
    let mut bench = Bench::with(&batches_of(1));
    assert_eq!(tickets(&mut bench, 3), [0, 1, 2]);
    assert!(bench.queue.open.is_none());
}

#[test]
fn a_batch_that_grows_while_every_slot_is_taken_keeps_to_its_number_of_records() {
    let mut config = batches_of(300);
    config.batch_size = 1024;
    let mut bench = Bench::with(&config);
    bench.batch(&["first"]);
    let first = bench.send();
    assert_eq!(tickets(&mut bench, 301)[299..], [1, 2]);
    bench.answer(&first, ErrorCode::NONE, 0);
    assert_eq!(bench.send().values.len(), 300);
}

#[test]
fn records_are_not_counted_one_by_one_where_the_number_cannot_be_met() {
    // The first chunk has 512 bytes, and no record less than seven.
    for (records, is_counted) in [(10_000, false), (70, true)] {
        let mut bench = Bench::with(&batches_of(records));
        bench.append("value");
        let open = bench.queue.open.as_ref().unwrap();
        assert_eq!(open.builder.is_to_be_looked_at(), is_counted, "{records}");
    }
}

#[test]
fn every_record_holds_its_share_of_the_credit() {
    let mut bench = Bench::with(&shares());
    for count in 1..=300 {
        bench.append("value");
        let held = bench.queue.held();
        assert!(held >= count * SHARE, "{held} for {count}");
        // What is taken ahead is at most as much again, and at most 64 records'.
        assert!(
            held <= (count + (count - 1).min(64)) * SHARE,
            "{held} for {count}"
        );
    }
    let sent = bench.send();
    assert_eq!(
        sent.values.len(),
        300,
        "credit that grows does not end a batch"
    );
    assert_eq!(
        (bench.queue.held(), bench.lent()),
        (300 * SHARE, 300 * SHARE)
    );
    bench.answer(&sent, ErrorCode::NONE, 0);
    assert_eq!((bench.queue.held(), bench.lent()), (0, 0));
}

#[test]
fn no_record_comes_in_by_the_short_way_without_credit() {
    let mut bench = Bench::with(&shares());
    bench.batch(&["1", "2", "3"]);
    let options = bench.options;
    let record = RecordRef {
        key: None,
        value: Some(b"v"),
        headers: &[],
        timestamp: RECORDS_AT,
    };
    let mut come_in = || {
        let index = bench.queue.append_to_open(&record, &options);
        assert!(!bench.queue.is_full());
        index
    };
    // Credit for four was taken with the third.
    assert_eq!([come_in(), come_in(), come_in()], [Some(3), None, None]);
    let values = bench.send().values;
    assert_eq!(values, ["1", "2", "3", "v"]);
}

#[test]
fn a_batch_that_opens_as_another_closes_lets_no_record_in_without_credit() {
    let mut config = shares();
    config.batch_size = 1024;
    let mut bench = Bench::with(&config);
    bench.append("small");
    bench.append(&"x".repeat(1000));
    assert_eq!(bench.queue.waiting.len(), 1);
    let record = RecordRef {
        key: None,
        value: None,
        headers: &[],
        timestamp: RECORDS_AT,
    };
    let options = bench.options;
    assert_eq!(bench.queue.append_to_open(&record, &options), None);
}

#[test]
fn what_a_batch_took_for_records_that_did_not_come_is_the_next_one_s() {
    let mut config = shares();
    config.batch_records = 3;
    let mut bench = Bench::with(&config);
    bench.batch(&["1", "2", "3"]);
    assert_eq!(bench.queue.held(), 4 * SHARE);
    bench.append("4");
    assert_eq!(
        bench.queue.held(),
        4 * SHARE + 512,
        "a chunk was all that it needed"
    );
    for _ in 0..2 {
        let sent = bench.send();
        bench.answer(&sent, ErrorCode::NONE, 0);
    }
    assert_eq!((bench.queue.held(), bench.lent()), (0, 0));
}

#[test]
fn a_compressed_batch_still_holds_its_records_shares() {
    let mut bench = Bench::with(&shares()).compressed(Compression::new(CompressionType::Gzip));
    bench.batch(&["1", "2", "3"]);
    let sent = bench.send();
    assert_eq!((bench.queue.held(), bench.lent()), (3 * SHARE, 3 * SHARE));
    bench.answer(&sent, ErrorCode::NONE, 0);
    assert_eq!((bench.queue.held(), bench.lent()), (0, 0));
}

#[test]
fn memory_that_is_too_small_for_a_record_is_not_taken_along_with_a_credit() {
    let mut bench = Bench::with(&shares());
    bench.batch(&["1", "2", "3", "4"]);
    let (options, now, line) = (bench.options, bench.now, bench.queue.line());
    let record = RecordRef {
        key: None,
        value: Some(&[7; 100]),
        headers: &[],
        timestamp: RECORDS_AT,
    };
    // It was asked for by a caller who found something else open.
    let lend = |bytes| Chunk {
        memory: Vec::with_capacity(bytes),
        credit: 2 * SHARE,
        line,
    };
    for (bytes, is_taken) in [(50, false), (0, true)] {
        let mut chunk = Some(lend(bytes));
        let ticket = || unreachable!("one is open");
        let append = bench
            .queue
            .append(&record, &options, &mut chunk, || now, ticket);
        assert_eq!(matches!(append, Append::Added(_)), is_taken, "{bytes}");
        assert_eq!(chunk.is_none(), is_taken);
    }
}

#[test]
fn records_that_are_larger_than_their_share_hold_what_they_take() {
    let mut config = shares();
    config.record_share = 8;
    let mut bench = Bench::with(&config);
    let mut plain = Bench::new();
    for _ in 0..100 {
        bench.append("a value of some length");
        plain.append("a value of some length");
    }
    assert_eq!(bench.queue.held(), plain.queue.held());
}
