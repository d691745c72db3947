//! How records become batches.

use std::time::Duration;

use downpour_wire::codec::{Compression, CompressionType};
use downpour_wire::error_code::ErrorCode;
use downpour_wire::record::RecordRef;

use super::harness::{Bench, LINE, RECORDS_AT, config};
use crate::config::Config;
use crate::ids::MemoryLine;
use crate::output::Output;
use crate::queue::{Append, Chunk, Peek, Turn};

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
fn each_batch_is_compressed_as_its_records_ask() {
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

/// Delivery timeouts that make one set of options each, in milliseconds.
fn with_timeout(bench: &mut Bench, ms: u64) {
    bench.options.delivery_timeout = Duration::from_millis(ms);
}

#[test]
fn records_of_two_option_sets_that_alternate_fill_two_batches() {
    let mut bench = Bench::new();
    for value in ["a", "b", "c"] {
        with_timeout(&mut bench, 60_000);
        bench.append(value);
        with_timeout(&mut bench, 90_000);
        bench.append(&value.to_uppercase());
    }
    let first = bench.send();
    assert_eq!(first.values, ["a", "b", "c"]);
    bench.answer(&first, ErrorCode::NONE, 1);
    assert_eq!(bench.send().values, ["A", "B", "C"]);
}

#[test]
fn a_record_that_fits_into_a_batch_that_was_put_aside_asks_for_no_memory() {
    let mut config = config();
    config.batch_size = 200;
    let mut bench = Bench::with(&config);
    bench.append(&value(60));
    with_timeout(&mut bench, 90_000);
    bench.append("other");
    let held = bench.queue.held();
    with_timeout(&mut bench, 120_000);
    // Refused memory, a caller would wait for it or be turned away.
    assert_eq!(bench.append(&value(60)), (0, 1));
    assert_eq!(bench.queue.held(), held);
}

#[test]
fn where_order_across_options_is_asked_for_a_change_closes_the_batch() {
    let mut config = config();
    config.order_across_options = true;
    let mut bench = Bench::with(&config);
    bench.append("plain");
    bench.options.delivery_timeout = Duration::from_secs(7);
    bench.append("hurried");
    bench.options.delivery_timeout = Duration::from_secs(8);
    bench.append("last");
    for expected in ["plain", "hurried", "last"] {
        let sent = bench.send();
        assert_eq!(sent.values, [expected]);
        bench.answer(&sent, ErrorCode::NONE, 1);
    }
}

#[test]
fn the_fifth_option_set_closes_the_oldest() {
    let mut bench = Bench::new();
    for ms in 1..=5 {
        with_timeout(&mut bench, 60_000 + ms);
        bench.append(&ms.to_string());
    }
    // The first is closed and leaves first; its options begin another batch, which closes the
    // second.
    with_timeout(&mut bench, 60_001);
    bench.append("again");
    let mut values = Vec::new();
    for offset in 0..6 {
        let sent = bench.send();
        bench.answer(&sent, ErrorCode::NONE, offset);
        values.extend(sent.values);
    }
    assert_eq!(values, ["1", "2", "3", "4", "5", "again"]);
    assert!(bench.queue.is_empty());
    assert_eq!(bench.lent(), 0);
}

#[test]
fn each_open_batch_lingers_expires_and_is_flushed() {
    let mut bench = Bench::new();
    with_timeout(&mut bench, 60_000);
    bench.append("long");
    bench.sleep(2);
    with_timeout(&mut bench, 1_000);
    bench.append("short");
    // The linger of the older one ends first, though it does not take records any more.
    let Peek::At(at) = bench.queue.peek(bench.now) else {
        panic!("it lingers")
    };
    assert_eq!(at - bench.now, Duration::from_millis(3));
    bench.sleep(1_100);
    bench.expire();
    assert!(bench.verdict(1).starts_with("failed: delivery timeout"));
    assert_eq!(bench.verdict(0), "none");
    bench.queue.request_flush();
    assert_eq!(bench.queue.peek(bench.now), Peek::Now);
    let mut tickets = Vec::new();
    bench.queue.tickets(&mut tickets);
    assert_eq!(tickets, [0]);
}

#[test]
fn a_small_batch_holds_little_memory() {
    let mut bench = Bench::new();
    bench.append("one");
    assert_eq!(bench.queue.held(), 512);
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

#[test]
fn memory_goes_back_to_the_line_that_the_partition_turned_to() {
    let mut bench = Bench::with(&small()).compressed(Compression::new(CompressionType::Gzip));
    bench.append("in flight");
    let sent = bench.send();
    bench.append("open");
    let other = MemoryLine(Some(2));
    bench.queue.set_leader_line(other);
    assert_eq!(bench.queue.poll_turn(), None, "broker 1 has not answered");
    bench.lose(&sent, false);
    let held = bench.queue.held();
    assert_eq!((held, bench.lent()), (held, held));
    let turn = Turn {
        from: LINE,
        to: other,
        bytes: held,
    };
    assert_eq!(bench.queue.poll_turn(), Some(turn));
    assert_eq!(bench.queue.poll_turn(), None);
    // A chunk of the line before is not taken: its bytes were not counted here.
    let mut chunk = Some(Chunk {
        memory: Vec::with_capacity(1024),
        credit: 1024,
        line: LINE,
    });
    let record = RecordRef {
        key: None,
        value: Some(&[0; 900]),
        headers: &[],
        timestamp: RECORDS_AT,
    };
    let now = bench.now;
    let options = bench.options;
    let append = (bench.queue).append(&record, &options, &mut chunk, || now, || 9);
    assert!(matches!(append, Append::NeedChunk { line, .. } if line == other));
    assert_eq!((chunk.is_some(), bench.queue.held()), (true, held));
    bench.append("another");
    let now = bench.now;
    bench.queue.abort(now, &mut Vec::new(), &mut bench.out);
    let freed = bench.out.iter().filter_map(|output| match output {
        Output::Free { bytes, line, .. } => Some((*line, *bytes)),
        _ => None,
    });
    let freed: Vec<_> = freed.collect();
    assert!(freed.iter().all(|(line, _)| *line == other), "{freed:?}");
    assert_eq!(bench.queue.held(), 0);
}
