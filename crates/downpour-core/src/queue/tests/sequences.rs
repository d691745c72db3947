//! Retries, gaps and epochs.

use downpour_wire::error_code::ErrorCode as E;

use super::harness::{Bench, FIRST, SECOND, config};
use crate::queue::{Drain, Left};

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
    assert!(!bench.queue.sequence.is_broken());
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
fn a_refused_batch_s_sequence_is_given_to_no_other() {
    let mut bench = Bench::new();
    bench.prove();
    bench.batch(&["refused"]);
    let sent = bench.send();
    bench.answer(&sent, E::INVALID_RECORD, -1);
    bench.batch(&["next"]);
    assert!(matches!(bench.drain(), Drain::NeedBump(FIRST)));
    bench.identity = Some(SECOND);
    let next = bench.send();
    assert_eq!((next.epoch, next.sequence), (1, 0));
    // And it goes alone, as after any new epoch.
    bench.batch(&["after"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
}

/// A batch is sent, lost after so much of it had left, and ends by its delivery timeout; the
/// epoch and sequence of the next one, and the sequence of the first.
fn after_a_loss(left: Left) -> (i16, i32, i32) {
    let mut bench = Bench::new();
    bench.prove();
    bench.batch(&["lost"]);
    let lost = bench.send();
    bench.lose_after(&lost, left);
    bench.sleep(121_000);
    bench.expire();
    bench.batch(&["next"]);
    // A newer epoch is taken only where the sequence broke.
    bench.identity = Some(SECOND);
    let next = bench.send();
    (next.epoch, next.sequence, lost.sequence)
}

#[test]
fn a_sequence_of_which_nothing_left_is_used_again_and_one_that_began_to_leave_is_not() {
    let (epoch, next, lost) = after_a_loss(Left::Nothing);
    assert_eq!((epoch, next), (0, lost));
    assert!(matches!(after_a_loss(Left::Part), (1, 0, _)));
    assert!(matches!(after_a_loss(Left::Whole), (1, 0, _)));
}

#[test]
fn followers_of_an_absent_batch_are_sent_again_though_their_answers_were_lost() {
    for refused_first in [true, false] {
        let (mut bench, sent) = three_in_flight();
        if refused_first {
            bench.answer(&sent[0], E::INVALID_RECORD, -1);
        }
        bench.lose(&sent[1], true);
        bench.lose(&sent[2], true);
        if !refused_first {
            bench.answer(&sent[0], E::INVALID_RECORD, -1);
        }
        bench.sleep(2000);
        bench.identity = Some(SECOND);
        let first = bench.send();
        assert_eq!((first.epoch, first.sequence), (1, 0));
        assert_eq!(first.values, ["b"]);
        bench.answer(&first, E::NONE, 7);
        assert_eq!(bench.send().values, ["c"]);
    }
}

#[test]
fn followers_that_are_refused_behind_an_absent_batch_leave_without_a_backoff() {
    let (mut bench, sent) = three_in_flight();
    bench.answer(&sent[0], E::INVALID_RECORD, -1);
    bench.answer(&sent[1], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.answer(&sent[2], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.identity = Some(SECOND);
    let first = bench.send();
    assert_eq!((first.epoch, first.sequence), (1, 0));
    assert_eq!(first.values, ["b"]);
    bench.answer(&first, E::NONE, 7);
    assert_eq!(bench.send().values, ["c"]);
}

#[test]
fn a_follower_that_expires_in_flight_behind_an_absent_batch_has_not_been_written() {
    let (mut bench, sent) = three_in_flight();
    bench.answer(&sent[0], E::INVALID_RECORD, -1);
    bench.lose(&sent[1], true);
    bench.sleep(121_000);
    bench.expire();
    assert!(
        bench.verdict(2).starts_with("failed: "),
        "{}",
        bench.verdict(2)
    );
}

#[test]
fn followers_in_flight_that_expire_along_with_an_absent_batch_have_not_been_written() {
    let (mut bench, sent) = three_in_flight();
    bench.answer(&sent[0], E::NOT_ENOUGH_REPLICAS, -1);
    bench.sleep(121_000);
    bench.expire();
    for ticket in 1..4 {
        let verdict = bench.verdict(ticket);
        assert!(verdict.starts_with("failed: "), "{ticket}: {verdict}");
    }
}

#[test]
fn a_follower_that_the_broker_says_it_may_have_appended_stays_in_doubt() {
    let (mut bench, sent) = three_in_flight();
    bench.answer(&sent[0], E::INVALID_RECORD, -1);
    bench.answer(&sent[1], E::NOT_ENOUGH_REPLICAS_AFTER_APPEND, 9);
    bench.answer(&sent[2], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.sleep(2000);
    bench.identity = Some(SECOND);
    assert_eq!(bench.send().values, ["c"]);
    assert!(bench.verdict(2).starts_with("unknown: "));
}

#[test]
fn what_follows_a_doubtful_batch_is_as_doubtful() {
    let (mut bench, sent) = three_in_flight();
    bench.lose(&sent[0], true);
    bench.lose(&sent[1], true);
    bench.lose(&sent[2], true);
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::INVALID_PRODUCER_EPOCH, -1);
    bench.identity = Some(SECOND);
    assert!(matches!(bench.drain(), Drain::Empty));
    for ticket in 1..4 {
        assert!(bench.verdict(ticket).starts_with("unknown: "), "{ticket}");
    }
}

#[test]
fn a_disk_that_failed_may_have_failed_after_the_append() {
    let mut bench = Bench::new();
    bench.prove();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.answer(&sent, E::KAFKA_STORAGE_ERROR, -1);
    bench.sleep(121_000);
    bench.expire();
    assert!(bench.verdict(1).starts_with("unknown: "));
    bench.batch(&["b"]);
    assert!(matches!(bench.drain(), Drain::NeedBump(FIRST)));
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
    bench.queue.sequence.continue_at(i32::MAX);
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
    assert_eq!(bench.lent(), bench.queue.held());
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
