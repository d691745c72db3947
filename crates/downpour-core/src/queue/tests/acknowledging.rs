//! Which verdict a record gets.

use downpour_wire::error_code::ErrorCode as E;

use super::harness::{Bench, RECORDS_AT, SECOND, Sent, config};
use crate::event::Event;
use crate::outcome::{Verdict, Written};
use crate::output::Output;
use crate::queue::{Answer, Drain};

#[test]
fn each_record_gets_its_own_offset() {
    let mut bench = Bench::new();
    bench.batch(&["a", "b"]);
    let sent = bench.send();
    bench.answer(&sent, E::NONE, 41);
    assert_eq!(bench.verdicts()[&(0, 1)], "delivered 42");
    assert_eq!(bench.lent(), 0);
}

#[test]
fn an_offset_that_cannot_be_is_none() {
    for offset in [i64::MAX, i64::MIN, -2] {
        let mut bench = Bench::new();
        bench.batch(&["a", "b"]);
        let sent = bench.send();
        bench.answer(&sent, E::NONE, offset);
        assert_eq!(bench.verdict(0), "delivered");
    }
}

#[test]
fn a_duplicate_is_delivered_at_an_unknown_offset() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.answer(&sent, E::DUPLICATE_SEQUENCE_NUMBER, -1);
    assert_eq!(bench.verdict(0), "delivered");
}

/// What is told of a batch whose records are of 1,700,000,000,000.
fn told_append_time(bench: &mut Bench, sent: &Sent, log_append_time: i64) -> Option<i64> {
    let mut answer = Answer::of(E::NONE);
    (answer.base_offset, answer.log_append_time) = (4, log_append_time);
    bench.out.clear();
    bench
        .queue
        .handle_answer(sent.send_id, &answer, bench.now, &mut bench.out);
    let told = bench.out.iter().find_map(|output| match output {
        Output::Resolve {
            verdict: Verdict::Delivered {
                log_append_time, ..
            },
            ..
        } => Some(*log_append_time),
        _ => None,
    });
    told.expect("it is delivered")
}

#[test]
fn a_broker_that_repeats_the_batch_s_own_time_has_not_stamped_it() {
    for (time, append_time) in [(RECORDS_AT, None), (RECORDS_AT + 5, Some(RECORDS_AT + 5))] {
        let mut bench = Bench::new();
        bench.batch(&["a"]);
        let sent = bench.send();
        bench.lose(&sent, true);
        bench.sleep(2000);
        let again = bench.send();
        assert_eq!(told_append_time(&mut bench, &again, time), append_time);
    }
}

#[test]
fn the_time_of_an_append_may_be_that_of_the_latest_record() {
    let mut bench = Bench::new();
    for first in [true, false] {
        bench.batch(&["a"]);
        let mut sent = bench.send();
        if !first {
            // Also of a batch that is told of twice, once it is known that the topic stamps.
            bench.lose(&sent, true);
            bench.sleep(2000);
            sent = bench.send();
        }
        let told = told_append_time(&mut bench, &sent, RECORDS_AT);
        assert_eq!(told, Some(RECORDS_AT));
    }
}

#[test]
fn a_refusal_after_a_lost_answer_is_unknown() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.lose(&sent, true);
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::TOPIC_AUTHORIZATION_FAILED, -1);
    assert!(
        bench
            .verdict(0)
            .starts_with("unknown: TOPIC_AUTHORIZATION_FAILED")
    );
}

#[test]
fn a_refusal_after_a_request_that_never_left_is_a_failure() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.lose(&sent, false);
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::TOPIC_AUTHORIZATION_FAILED, -1);
    assert!(
        bench
            .verdict(0)
            .starts_with("failed: TOPIC_AUTHORIZATION_FAILED")
    );
}

#[test]
fn a_record_that_was_never_sent_expires_as_failed() {
    let mut bench = Bench::new();
    bench.append("a");
    bench.sleep(119_999);
    bench.expire();
    assert_eq!(bench.verdict(0), "none");
    bench.sleep(1);
    bench.expire();
    let verdict = "failed: delivery timeout while waiting for a reachable leader";
    assert_eq!(bench.verdict(0), verdict);
    assert!(bench.queue.is_empty());
    assert_eq!(bench.lent(), 0);
}

#[test]
fn a_record_past_its_deadline_is_not_sent_any_more() {
    let mut bench = Bench::new();
    bench.append("late");
    bench.sleep(120_000);
    bench.append("also late");
    assert!(matches!(bench.drain(), Drain::Empty));
    assert!(
        bench.verdict(0).starts_with("failed: "),
        "{}",
        bench.verdict(0)
    );
    bench.append("in time");
    assert_eq!(bench.send().values, ["in time"]);
}

#[test]
fn a_record_in_flight_expires_as_unknown_and_its_buffer_stays() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.sleep(120_000);
    bench.expire();
    bench.expire();
    assert!(
        bench.verdict(0).starts_with("unknown: delivery timeout"),
        "{}",
        bench.verdict(0)
    );
    assert!(
        bench.lent() > 0,
        "the request may still be on its way out (KAFKA-19012)"
    );
    bench.answer(&sent, E::NONE, 1);
    assert_eq!(bench.lent(), 0);
    assert!(
        !bench.queue.sequence.is_broken(),
        "the late acknowledgement proves the sequence"
    );
}

#[test]
fn records_that_end_in_flight_are_told_of_once() {
    let failures = |bench: &Bench| {
        let failed = |output: &&Output<u32>| {
            matches!(output, Output::Event(Event::DeliveryFailed { written, .. })
                if *written == Written::Unknown)
        };
        bench.out.iter().filter(failed).count()
    };
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.sleep(121_000);
    bench.expire();
    assert_eq!(failures(&bench), 1);
    bench.answer(&sent, E::NOT_ENOUGH_REPLICAS, -1);
    assert_eq!(failures(&bench), 1);
    bench.batch(&["b"]);
    bench.identity = Some(SECOND);
    bench.send();
    bench
        .queue
        .abort(bench.now, &mut Vec::new(), &mut bench.out);
    assert_eq!(failures(&bench), 2);
}

#[test]
fn an_expired_batch_that_was_lost_leaves_a_gap_that_a_new_epoch_closes() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.sleep(120_000);
    bench.expire();
    bench.lose(&sent, true);
    bench.append("b");
    assert!(matches!(bench.drain(), Drain::NeedBump(_)));
}

#[test]
fn the_delivery_timeout_names_its_root_cause() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.answer(&sent, E::NOT_ENOUGH_REPLICAS, -1);
    bench.sleep(120_000);
    bench.expire();
    let verdict = bench.verdict(0);
    assert!(
        verdict.starts_with("failed: ") && verdict.contains("NOT_ENOUGH_REPLICAS"),
        "{verdict}"
    );
}

#[test]
fn acks_0_is_sent_once_it_has_left() {
    let mut config = config();
    config.idempotence = false;
    let mut bench = Bench::with(&config);
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.queue.handle_sent(sent.send_id, &mut bench.out);
    assert_eq!(bench.verdict(0), "sent");
    assert_eq!(bench.lent(), 0);
}

#[test]
fn an_abort_hands_back_what_never_left_and_calls_the_rest_unknown() {
    let mut bench = Bench::new();
    bench.prove();
    bench.batch(&["in flight"]);
    bench.send();
    bench.append("open");
    let mut unsent = Vec::new();
    bench.queue.abort(bench.now, &mut unsent, &mut bench.out);
    let values: Vec<_> = unsent
        .iter()
        .flat_map(|u| u.body.records().unwrap())
        .map(|r| String::from_utf8(r.value.unwrap()).unwrap())
        .collect();
    assert_eq!(values, ["open"]);
    assert!(bench.verdict(1).starts_with("unknown: "));
    assert!(bench.verdict(2).starts_with("failed: "));
    assert!(bench.queue.is_empty());
}

#[test]
fn an_abort_keeps_the_root_cause() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.lose(&sent, true);
    bench
        .queue
        .abort(bench.now, &mut Vec::new(), &mut bench.out);
    let verdict = bench.verdict(0);
    assert!(verdict.starts_with("unknown: "), "{verdict}");
    assert!(verdict.contains("cable cut"), "{verdict}");
}

#[test]
fn retries_that_are_used_up_end_a_batch_with_what_went_wrong() {
    let mut config = config();
    config.retries = 1;
    let mut bench = Bench::with(&config);
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.answer(&sent, E::NOT_ENOUGH_REPLICAS, -1);
    assert_eq!(bench.verdict(0), "none");
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::NOT_ENOUGH_REPLICAS, -1);
    let verdict = bench.verdict(0);
    assert!(
        verdict.starts_with("failed: NOT_ENOUGH_REPLICAS"),
        "{verdict}"
    );
    assert_eq!(bench.lent(), 0);
}

#[test]
fn without_retries_a_lost_answer_leaves_the_record_unknown() {
    let mut config = config();
    config.retries = 0;
    let mut bench = Bench::with(&config);
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.lose(&sent, true);
    assert_eq!(bench.verdict(0), "unknown: the connection ended: cable cut");
    // What comes next is under an epoch of its own.
    bench.identity = Some(SECOND);
    bench.batch(&["b"]);
    assert_eq!(bench.send().epoch, 1);
}
