//! Records whose timestamps are so old that brokers may forget their producer.

use downpour_wire::error_code::ErrorCode as E;

use super::harness::{Bench, RECORDS_AT, SECOND, config};
use crate::queue::{Answer, Drain};

const HOUR: i64 = 3_600_000;

/// A proven queue whose records are so many hours old.
fn aged(hours: i64) -> Bench {
    let mut bench = Bench::new();
    bench.prove();
    bench.unix_ms = Some(RECORDS_AT + hours * HOUR);
    bench
}

#[test]
fn they_go_alone_and_prove_nothing() {
    let mut bench = aged(48);
    bench.batch(&["a"]);
    let first = bench.send();
    bench.batch(&["b"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
    bench.answer(&first, E::NONE, 1);
    let second = bench.send();
    assert_eq!(second.values, ["b"]);
    // Were the first one's acknowledgement a proof, a fresh batch could follow now.
    bench.unix_ms = Some(RECORDS_AT);
    bench.batch(&["fresh"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
    bench.answer(&second, E::NONE, 2);
    let fresh = bench.send();
    bench.batch(&["alone"]);
    assert!(matches!(bench.drain(), Drain::Blocked), "not proven yet");
    bench.answer(&fresh, E::NONE, 3);
    bench.send();
}

#[test]
fn they_wait_for_fresh_ones_that_are_in_flight() {
    let mut bench = aged(0);
    bench.batch(&["fresh"]);
    let fresh = bench.send();
    bench.unix_ms = Some(RECORDS_AT + 48 * HOUR);
    // As if the fresh one had left just now.
    bench.queue.sent_unix_ms = bench.unix_ms;
    bench.batch(&["old"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
    bench.answer(&fresh, E::NONE, 1);
    bench.send();
}

#[test]
fn up_to_six_hours_are_trusted() {
    let mut bench = aged(6);
    bench.batch(&["a"]);
    bench.send();
    bench.batch(&["b"]);
    bench.send();
}

#[test]
fn in_doubt_they_are_not_sent_again() {
    let mut bench = aged(48);
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.lose(&sent, true);
    bench.batch(&["b"]);
    bench.sleep(2000);
    assert!(matches!(bench.drain(), Drain::NeedBump(_)));
    let verdict = bench.verdict(1);
    assert!(
        verdict.contains("may have forgotten this producer"),
        "{verdict}"
    );
    assert!(verdict.starts_with("unknown: ") && verdict.contains("cable cut"));
    bench.identity = Some(SECOND);
    let next = bench.send();
    assert_eq!((next.epoch, next.sequence), (1, 0));
}

#[test]
fn java_s_way_sends_them_again() {
    let mut config = config();
    config.resend_unknown = true;
    let mut bench = Bench::with(&config);
    bench.unix_ms = Some(RECORDS_AT + 48 * HOUR);
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.lose(&sent, true);
    bench.sleep(2000);
    assert_eq!(bench.send().bytes, sent.bytes);
}

#[test]
fn a_refused_one_is_sent_again() {
    let mut bench = aged(48);
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.answer(&sent, E::NOT_ENOUGH_REPLICAS, -1);
    bench.sleep(2000);
    assert_eq!(bench.send().bytes, sent.bytes);
}

#[test]
fn a_topic_that_stamps_records_itself_keeps_producers_by_its_own_clock() {
    let mut bench = aged(48);
    bench.batch(&["a"]);
    let sent = bench.send();
    let mut answer = Answer::of(E::NONE);
    (answer.base_offset, answer.log_append_time) = (1, RECORDS_AT + 48 * HOUR);
    bench
        .queue
        .handle_answer(sent.send_id, &answer, bench.now, &mut bench.out);
    bench.batch(&["b"]);
    bench.send();
    bench.batch(&["c"]);
    bench.send();
}

#[test]
fn without_idempotence_age_means_nothing() {
    let mut config = config();
    config.idempotence = false;
    config.allow_reordering = true;
    let mut bench = Bench::with(&config);
    bench.unix_ms = Some(RECORDS_AT + 48 * HOUR);
    for value in ["a", "b", "c"] {
        bench.batch(&[value]);
        bench.send();
    }
}

#[test]
fn an_acknowledgement_that_was_on_the_socket_for_days_proves_nothing() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    // The process stands still, and the broker forgets it meanwhile.
    bench.sleep(2 * 86_400_000);
    bench.answer(&sent, E::NONE, 0);
    bench.batch(&["b"]);
    bench.send();
    bench.batch(&["c"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
}
