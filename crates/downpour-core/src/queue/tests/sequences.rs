//! Retries, gaps and epochs.

use downpour_wire::error_code::ErrorCode as E;

use super::harness::{Bench, FIRST, SECOND, config};
use crate::queue::Drain;

fn three_in_flight() -> (Bench, Vec<super::harness::Sent>) {
    let mut bench = Bench::new();
    bench.prove();
    let sent = bench.send_batches(&[&["a"], &["b"], &["c"]]);
    (bench, sent)
}

#[test]
fn a_retry_is_byte_identical() {
    let mut bench = Bench::new();
    bench.batch(&["a", "b"]);
    let first = bench.send();
    bench.lose(&first, true);
    bench.sleep(2000);
    let again = bench.send();
    assert_eq!(again.bytes, first.bytes);
    assert_ne!(again.send_id, first.send_id);
}

#[test]
fn retries_go_first_and_in_order_whatever_order_the_answers_had() {
    let (mut bench, sent) = three_in_flight();
    bench.batch(&["new"]);
    bench.answer(&sent[2], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.answer(&sent[0], E::NOT_ENOUGH_REPLICAS, -1);
    bench.answer(&sent[1], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.sleep(2000);
    let first = bench.send();
    assert_eq!(first.bytes, sent[0].bytes);
    // Until the retried one is through it goes alone.
    assert!(matches!(bench.drain(), Drain::Blocked));
    bench.answer(&first, E::NONE, 1);
    assert_eq!(bench.send().bytes, sent[1].bytes);
    assert_eq!(bench.send().bytes, sent[2].bytes);
    assert_eq!(bench.send().values, ["new"]);
}

#[test]
fn an_acknowledged_successor_does_not_open_the_way_past_a_retry() {
    let (mut bench, sent) = three_in_flight();
    bench.answer(&sent[0], E::NOT_ENOUGH_REPLICAS, -1);
    bench.answer(&sent[1], E::NONE, 5);
    bench.answer(&sent[2], E::NONE, 6);
    bench.batch(&["new"]);
    bench.sleep(2000);
    assert_eq!(bench.send().bytes, sent[0].bytes);
    assert!(matches!(bench.drain(), Drain::Blocked));
}

#[test]
fn out_of_order_behind_a_missing_predecessor_needs_no_new_epoch() {
    let (mut bench, sent) = three_in_flight();
    bench.answer(&sent[0], E::NOT_LEADER_OR_FOLLOWER, -1);
    bench.answer(&sent[1], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.answer(&sent[2], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    assert!(!bench.queue.needs_bump);
}

#[test]
fn out_of_order_at_the_head_begins_a_new_epoch_at_zero() {
    let (mut bench, sent) = three_in_flight();
    for sent in &sent {
        bench.answer(sent, E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    }
    bench.sleep(2000);
    assert!(matches!(bench.drain(), Drain::NeedBump(FIRST)));
    bench.identity = Some(SECOND);
    let first = bench.send();
    assert_eq!(
        (first.epoch, first.sequence, first.values),
        (1, 0, vec!["a".to_owned()])
    );
}

#[test]
fn a_batch_that_may_be_written_is_never_sent_under_a_new_epoch() {
    let (mut bench, sent) = three_in_flight();
    bench.lose(&sent[0], true);
    bench.answer(&sent[1], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.answer(&sent[2], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.sleep(2000);
    let again = bench.send();
    assert_eq!(again.bytes, sent[0].bytes);
    bench.answer(&again, E::UNKNOWN_PRODUCER_ID, -1);
    bench.identity = Some(SECOND);
    let first = bench.send();
    assert_eq!(
        (first.epoch, first.sequence, first.values),
        (1, 0, vec!["b".to_owned()])
    );
    assert!(
        bench.verdict(1).starts_with("unknown: "),
        "{}",
        bench.verdict(1)
    );
}

#[test]
fn java_s_way_resends_it_when_asked_for() {
    let mut config = config();
    config.resend_unknown = true;
    let mut bench = Bench::with(&config);
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.lose(&sent, true);
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::UNKNOWN_PRODUCER_ID, -1);
    bench.identity = Some(SECOND);
    bench.sleep(2000);
    assert_eq!(bench.send().epoch, 1);
}

#[test]
fn a_refused_batch_with_nothing_behind_it_gives_its_sequence_to_the_next() {
    let mut bench = Bench::new();
    bench.prove();
    bench.batch(&["refused"]);
    let sent = bench.send();
    bench.answer(&sent, E::INVALID_RECORD, -1);
    bench.batch(&["next"]);
    let next = bench.send();
    assert_eq!((next.epoch, next.sequence), (0, sent.sequence));
}

#[test]
fn a_refused_batch_with_others_behind_it_begins_a_new_epoch_once_they_are_answered() {
    let (mut bench, sent) = three_in_flight();
    bench.answer(&sent[0], E::INVALID_RECORD, -1);
    assert!(matches!(bench.drain(), Drain::Empty));
    bench.answer(&sent[1], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    assert!(matches!(bench.drain(), Drain::Blocked));
    bench.answer(&sent[2], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.sleep(2000);
    bench.identity = Some(SECOND);
    let first = bench.send();
    assert_eq!(
        (first.epoch, first.sequence, first.values),
        (1, 0, vec!["b".to_owned()])
    );
}

#[test]
fn sequences_wrap_to_zero() {
    let mut bench = Bench::new();
    bench.prove();
    bench.queue.next_sequence = i32::MAX;
    bench.batch(&["a", "b"]);
    let first = bench.send();
    bench.answer(&first, E::NONE, 1);
    bench.batch(&["c"]);
    let second = bench.send();
    assert_eq!((first.sequence, second.sequence), (i32::MAX, 1));
}

#[test]
fn an_answer_to_an_attempt_that_is_gone_changes_nothing() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let first = bench.send();
    bench.lose(&first, true);
    bench.answer(&first, E::NONE, 3);
    assert_eq!(bench.verdict(0), "none");
}

#[test]
fn a_split_keeps_sequences_order_and_deadline() {
    let mut bench = Bench::new();
    bench.prove();
    bench.batch(&["a", "b", "c", "d"]);
    let whole = bench.send();
    bench.batch(&["e"]);
    bench.answer(&whole, E::MESSAGE_TOO_LARGE, -1);
    let mut values = Vec::new();
    let mut sequence = whole.sequence;
    let mut base = 100;
    while values.len() < 5 {
        let part = bench.send();
        assert_eq!(part.sequence, sequence);
        assert_eq!(part.epoch, 0);
        bench.answer(&part, E::NONE, base);
        sequence += part.values.len() as i32;
        base += part.values.len() as i64;
        values.extend(part.values);
    }
    assert_eq!(values, ["a", "b", "c", "d", "e"]);
    let verdicts = bench.verdicts();
    for i in 0..4 {
        assert_eq!(verdicts[&(1, i)], format!("delivered {}", 100 + i));
    }
    assert_eq!(bench.lent(), bench.queue.buffered_bytes());
}

#[test]
fn a_single_record_that_is_too_large_fails() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.answer(&sent, E::MESSAGE_TOO_LARGE, -1);
    assert!(
        bench.verdict(0).starts_with("failed: MESSAGE_TOO_LARGE"),
        "{}",
        bench.verdict(0)
    );
}

#[test]
fn a_batch_that_may_be_written_is_not_split() {
    let mut bench = Bench::new();
    bench.batch(&["a", "b"]);
    let sent = bench.send();
    bench.lose(&sent, true);
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::MESSAGE_TOO_LARGE, -1);
    assert!(
        bench.verdict(0).starts_with("unknown: "),
        "{}",
        bench.verdict(0)
    );
}
