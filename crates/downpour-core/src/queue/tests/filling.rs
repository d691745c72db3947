//! How records become batches.

use downpour_wire::codec::{Compression, CompressionType};
use downpour_wire::error_code::ErrorCode;

use super::harness::{Bench, config};
use crate::config::Config;

fn small() -> Config {
    let mut config = config();
    config.batch_size = 1024;
    config.batch_max = 16 << 10;
    config
}

fn value(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[test]
fn records_share_a_batch_until_it_is_full() {
    let mut bench = Bench::with(&small());
    let tickets: Vec<_> = (0..12).map(|_| bench.append(&value(200)).0).collect();
    // Four records of 200 bytes and their overhead fit into 1024.
    assert_eq!(tickets[..4], [0, 0, 0, 0]);
    assert_eq!(tickets[4], 1);
}

#[test]
fn a_full_batch_closes_without_waiting_for_the_next_record() {
    let mut bench = Bench::with(&small());
    for _ in 0..4 {
        bench.append(&value(200));
    }
    assert!(bench.queue.open.is_none());
    assert_eq!(bench.queue.waiting.len(), 1);
}

#[test]
fn an_open_batch_grows_while_every_slot_is_taken() {
    let mut bench = Bench::with(&small());
    bench.batch(&["first"]);
    let first = bench.send();
    // Not proven: one partition, and it is taken.
    let tickets: Vec<_> = (0..20).map(|_| bench.append(&value(200)).0).collect();
    assert!(tickets.iter().all(|&t| t == tickets[0]), "{tickets:?}");
    bench.answer(&first, ErrorCode::NONE, 0);
    assert_eq!(bench.send().values.len(), 20);
}

#[test]
fn a_batch_never_grows_past_what_a_broker_takes() {
    let mut bench = Bench::with(&small());
    bench.batch(&["first"]);
    let first = bench.send();
    for _ in 0..200 {
        bench.append(&value(200));
    }
    bench.answer(&first, ErrorCode::NONE, 0);
    let mut records = 0;
    while records < 200 {
        let sent = bench.send();
        assert!(sent.bytes.len() <= 16 << 10, "{}", sent.bytes.len());
        records += sent.values.len();
        bench.answer(&sent, ErrorCode::NONE, 0);
    }
}

#[test]
fn a_record_larger_than_a_batch_gets_one_of_its_own() {
    let mut bench = Bench::with(&small());
    bench.append("small");
    let (large, index) = bench.append(&value(5000));
    assert_eq!((large, index), (1, 0));
    let first = bench.send();
    bench.answer(&first, ErrorCode::NONE, 0);
    assert_eq!(bench.send().values, [value(5000)]);
}

#[test]
fn other_options_seal_the_open_batch() {
    let mut bench = Bench::new();
    bench.append("plain");
    let mut bench = bench.compressed(Compression::new(CompressionType::Gzip));
    assert_eq!(bench.append(&value(300)), (1, 0));
    let first = bench.send();
    bench.answer(&first, ErrorCode::NONE, 0);
    let second = bench.send();
    assert_eq!(
        (first.values, second.values),
        (vec!["plain".into()], vec![value(300)])
    );
    assert_eq!(second.bytes[22] & 7, CompressionType::Gzip as u8);
}

#[test]
fn a_small_batch_holds_little_memory() {
    let mut bench = Bench::new();
    bench.append("one");
    assert_eq!(bench.queue.buffered_bytes(), 512);
}

#[test]
fn credit_comes_back_when_the_batch_is_answered_not_before() {
    let mut bench = Bench::new().compressed(Compression::new(CompressionType::Gzip));
    for _ in 0..100 {
        bench.append(&value(500));
    }
    let sent = bench.send();
    assert!(bench.lent() > 0);
    bench.answer(&sent, ErrorCode::NONE, 0);
    assert_eq!(bench.lent(), 0);
}
