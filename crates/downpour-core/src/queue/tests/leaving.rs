//! When a batch leaves.

use std::time::Duration;

use downpour_wire::codec::{Compression, CompressionType, Compressor};
use downpour_wire::error_code::ErrorCode;

use super::harness::{Bench, RECORDS_AT, config};
use crate::queue::{Drain, Peek, Readiness};

#[test]
fn a_lone_record_leaves_at_once_or_lingers() {
    let mut bench = Bench::new();
    bench.append("one");
    let mut context = bench.context();
    context.readiness = Readiness::Half;
    let drain = bench.queue.poll_drain(&context, &mut bench.out);
    assert!(matches!(drain, Drain::Until(at) if at == bench.now + Duration::from_millis(5)));
    assert_eq!(
        bench.queue.peek(bench.now),
        Peek::At(bench.now + Duration::from_millis(5))
    );
    bench.sleep(5);
    assert_eq!(bench.queue.peek(bench.now), Peek::Now);
    assert_eq!(bench.send().values, ["one"]);
}

#[test]
fn a_flushed_batch_does_not_linger() {
    let mut bench = Bench::new();
    bench.append("one");
    bench.queue.request_flush();
    assert_eq!(bench.queue.peek(bench.now), Peek::Now);
}

#[test]
fn one_batch_is_in_flight_until_one_was_acknowledged_then_five() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let first = bench.send();
    bench.batch(&["b"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
    bench.answer(&first, ErrorCode::NONE, 0);
    let sent = bench.send_batches(&[&["c"], &["d"], &["e"], &["f"], &["g"]]);
    let sequences: Vec<_> = sent.iter().map(|s| s.sequence).collect();
    assert_eq!(sequences, [1, 3, 4, 5, 6]);
    bench.batch(&["h"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
}

#[test]
fn without_idempotence_one_batch_is_in_flight() {
    let mut config = config();
    config.idempotence = false;
    let mut bench = Bench::with(&config);
    bench.prove();
    bench.batch(&["a"]);
    let first = bench.send();
    assert_eq!((first.epoch, first.sequence), (-1, -1));
    bench.batch(&["b"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
}

#[test]
fn nothing_leaves_for_a_new_leader_before_the_old_one_has_answered() {
    let mut bench = Bench::new();
    bench.prove();
    bench.batch(&["a"]);
    let first = bench.send();
    bench.batch(&["b"]);
    let mut context = bench.context();
    context.broker = 2;
    assert!(matches!(
        bench.queue.poll_drain(&context, &mut bench.out),
        Drain::Blocked
    ));
    bench.answer(&first, ErrorCode::NONE, 1);
    assert!(matches!(
        bench.queue.poll_drain(&context, &mut bench.out),
        Drain::Send(_)
    ));
}

/// The clock that times are measured by stands still meanwhile.
#[test]
fn after_the_machine_has_slept_the_first_batch_goes_alone_again() {
    let mut bench = Bench::new();
    bench.unix_ms = Some(RECORDS_AT);
    bench.prove();
    bench.batch(&["before"]);
    let before = bench.send();
    bench.unix_ms = Some(RECORDS_AT + 120_000);
    bench.batch(&["after"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
    // An answer that may have lain there since before proves nothing.
    bench.answer(&before, ErrorCode::NONE, 1);
    let after = bench.send();
    bench.batch(&["next"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
    bench.answer(&after, ErrorCode::NONE, 2);
    bench.send();
}

#[test]
fn a_backoff_ends_early_when_the_leader_moves() {
    let mut bench = Bench::new();
    bench.prove();
    bench.batch(&["a"]);
    let first = bench.send();
    assert!(bench.answer(&first, ErrorCode::NOT_LEADER_OR_FOLLOWER, -1));
    assert!(matches!(bench.drain(), Drain::Until(_)));
    bench.queue.handle_leader_moved();
    assert_eq!(bench.send().bytes, first.bytes);
}

#[test]
fn nothing_leaves_without_an_identity() {
    let mut bench = Bench::new();
    bench.identity = None;
    bench.append("a");
    assert!(matches!(bench.drain(), Drain::NeedIdentity));
}

#[test]
fn the_engine_is_told_once_until_it_looks() {
    let mut bench = Bench::new();
    bench.append("a");
    assert!(bench.queue.is_dirty);
    bench.queue.peek(bench.now);
    assert!(!bench.queue.is_dirty);
    bench.append("b");
    assert!(
        !bench.queue.is_dirty,
        "a second record of a lingering batch tells nobody"
    );
}

#[test]
fn an_expired_batch_that_was_to_be_compressed_does_not_silence_the_next() {
    let mut bench = Bench::new().compressed(Compression::new(CompressionType::Gzip));
    bench.append("late");
    bench.sleep(120_000);
    assert!(matches!(bench.drain(), Drain::Empty));
    bench.append("next");
    assert!(bench.queue.is_dirty, "the engine would never hear of it");
    bench.queue.peek(bench.now);
    bench.sleep(120_000);
    bench.expire();
    assert!(!bench.queue.is_dirty);
}

#[test]
fn a_compression_that_never_ends_stops_neither_its_records_nor_those_behind() {
    let mut bench = Bench::new().compressed(Compression::new(CompressionType::Lz4));
    bench.append("stuck");
    let Drain::Seal(job) = bench.drain() else {
        panic!("it is compressed first")
    };
    bench.sleep(119_999);
    bench.expire();
    assert_eq!(bench.verdict(0), "none");
    bench.append("behind");
    bench.sleep(1);
    bench.expire();
    let told = "failed: delivery timeout while waiting to be compressed";
    assert_eq!(bench.verdict(0), told);
    let sent = bench.send();
    assert_eq!(sent.values, ["behind"]);
    // It comes back after all.
    let done = bench.queue.finish_seal(job.run(&mut Compressor::new()));
    bench.answer(&sent, ErrorCode::NONE, 0);
    assert_eq!(bench.lent(), done.freed);
    assert!(bench.queue.is_empty());
}
