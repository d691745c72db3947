//! What each fault does to the log and to the answer, in the logic.

use std::time::Duration;

use downpour_fake::logic::{Then, Verdict};
use downpour_fake::{ApiKey, ErrorCode, Fault};
use downpour_wire::header::decode_response;
use downpour_wire::messages::{
    InitProducerIdRequest, MetadataRequest, ProducePartition, ProduceRequest,
};

use crate::support::*;

/// The verdict of the only request's only batch.
fn verdict(cluster: &downpour_fake::logic::Cluster) -> Verdict {
    cluster.requests().last().expect("a request").batches[0]
        .verdict
        .clone()
}

#[test]
fn error_is_answered_for_its_partition_alone() {
    let mut cluster = one_broker();
    let scripted = Fault::error(ErrorCode::NOT_ENOUGH_REPLICAS);
    cluster.fault(scripted.on(ApiKey::Produce).topic("events").partition(1));
    let mut request = produce_request(-1, "events", 0, batch(&["a"]));
    request.topics[0].partitions.push(ProducePartition {
        index: 1,
        records: Some(batch(&["b"])),
    });
    let codes = |answer: downpour_wire::messages::ProduceResponse| -> Vec<ErrorCode> {
        answer.topics[0]
            .partitions
            .iter()
            .map(|found| found.error_code)
            .collect()
    };
    let answer = ask(&mut cluster, 1, &request, 9);
    assert_eq!(codes(answer), [OK, ErrorCode::NOT_ENOUGH_REPLICAS]);
    assert_eq!(cluster.end_offset("events", 1), 0);
    let answer = ask(&mut cluster, 1, &request, 9);
    assert_eq!(codes(answer), [OK, OK]);
    assert_eq!(cluster.violations().len(), 0);
}

#[test]
fn applied_error_appends_all_the_same() {
    let mut cluster = one_broker();
    let code = ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND;
    cluster.fault(Fault::apply_then_error(code));
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 0, 1)).error_code,
        code
    );
    assert_eq!(
        verdict(&cluster),
        Verdict::AppendedWithError {
            base_offset: 0,
            error: code
        }
    );
    let again = produce(&mut cluster, "events", 0, stamped(0, 0, 1));
    assert_eq!((again.error_code, again.base_offset), (OK, 0));
    assert_eq!(cluster.end_offset("events", 0), 1);
}

#[test]
fn lost_answer_leaves_the_records_and_closes() {
    let mut cluster = one_broker();
    cluster.fault(Fault::apply_and_lose_answer());
    let reaction = react(&mut cluster, batch(&["a"]));
    assert_eq!((reaction.answer, reaction.then), (None, Then::Close));
    assert_eq!(values(&cluster, "events", 0), ["a"]);
    assert_eq!(verdict(&cluster), Verdict::Appended { base_offset: 0 });
}

#[test]
fn disconnect_and_hang_leave_no_records() {
    for (fault, then) in [
        (Fault::disconnect(), Then::Close),
        (Fault::hang(), Then::Hang),
    ] {
        let mut cluster = one_broker();
        cluster.fault(fault);
        let reaction = react(&mut cluster, batch(&["a"]));
        assert_eq!((reaction.answer, reaction.then), (None, then));
        assert_eq!(cluster.end_offset("events", 0), 0);
        assert_eq!(verdict(&cluster), Verdict::NotServed);
    }
}

#[test]
fn applied_hang_leaves_records_and_silence() {
    let mut cluster = one_broker();
    cluster.fault(Fault::apply_and_hang());
    let reaction = react(&mut cluster, batch(&["a"]));
    assert_eq!((reaction.answer, reaction.then), (None, Then::Hang));
    assert_eq!(cluster.end_offset("events", 0), 1);
}

#[test]
fn disconnect_mid_frame_never_lets_the_whole_answer_out() {
    for (asked, expected) in [(0, Then::Close), (6, Then::CloseAfter(6))] {
        let mut cluster = one_broker();
        cluster.fault(Fault::disconnect_mid_frame(asked));
        assert_eq!(react(&mut cluster, batch(&["a"])).then, expected);
    }
    let mut cluster = one_broker();
    cluster.fault(Fault::disconnect_mid_frame(1_000_000));
    let reaction = react(&mut cluster, batch(&["a"]));
    let whole = reaction.answer.expect("an answer to cut").len();
    assert_eq!(reaction.then, Then::CloseAfter(whole - 1));
}

#[test]
fn held_request_is_applied_only_when_its_time_has_come() {
    let mut cluster = one_broker();
    cluster.fault(Fault::hold(Duration::from_millis(100)));
    let held = frame(&produce_request(-1, "events", 0, stamped(0, 0, 1)), 9, 1);
    let until = cluster
        .handle(T0, 1, 1, &held)
        .parked_until
        .expect("it lies");
    assert_eq!(until, Duration::from_millis(100));
    assert_eq!(verdict(&cluster), Verdict::NotServed);
    let early = cluster.resume(Duration::from_millis(99), 1, 1, until, &held);
    assert_eq!((early.answer, early.parked_until), (None, Some(until)));
    // The client has sent the batch again meanwhile, on another connection.
    let again = frame(&produce_request(-1, "events", 0, stamped(0, 0, 1)), 9, 1);
    assert!(cluster.handle(T0, 1, 2, &again).answer.is_some());
    assert_eq!(cluster.end_offset("events", 0), 1);
    let late = cluster.resume(until, 1, 1, until, &held);
    let answer = only(read::<ProduceRequest>(
        &late.answer.expect("an answer"),
        9,
        1,
    ));
    assert_eq!((answer.error_code, answer.base_offset), (OK, 0));
    let verdicts: Vec<Verdict> = cluster
        .requests()
        .map(|request| request.batches[0].verdict.clone())
        .collect();
    let (first, second) = (
        Verdict::Duplicate { base_offset: 0 },
        Verdict::Appended { base_offset: 0 },
    );
    assert_eq!(verdicts, [first, second]);
}

#[test]
fn throttle_is_told_and_mutes() {
    let mut cluster = one_broker();
    cluster.fault(Fault::throttle(250));
    let reaction = react(&mut cluster, batch(&["a"]));
    assert_eq!(reaction.mute, Duration::from_millis(250));
    let answer = read::<ProduceRequest>(&reaction.answer.expect("an answer"), 9, 42);
    assert_eq!(answer.throttle_time_ms, 250);
}

#[test]
fn delays_add_up_and_stay_apart() {
    let mut cluster = one_broker();
    cluster.set_service_delay(Duration::from_millis(3));
    cluster.set_network_delay(Duration::from_millis(40));
    cluster.fault(Fault::delay(Duration::from_millis(100)));
    let slow = react(&mut cluster, batch(&["a"]));
    assert_eq!(slow.service_delay, Duration::from_millis(103));
    assert_eq!(slow.network_delay, Duration::from_millis(40));
    assert_eq!(
        react(&mut cluster, batch(&["a"])).service_delay,
        Duration::from_millis(3)
    );
}

#[test]
fn spoilt_answers_cannot_be_read_as_what_was_asked() {
    let mut cluster = one_broker();
    cluster.fault(Fault::corrupt_answer());
    let answer = react(&mut cluster, batch(&["a"]))
        .answer
        .expect("an answer");
    assert_eq!(answer[4..8], 42_i32.to_be_bytes());
    assert!(decode_response::<ProduceRequest>(&answer[4..], 9).is_err());

    cluster.fault(Fault::wrong_correlation_id());
    let answer = react(&mut cluster, batch(&["a"]))
        .answer
        .expect("an answer");
    assert_ne!(answer[4..8], 42_i32.to_be_bytes());
    assert_eq!(cluster.end_offset("events", 0), 2);
}

#[test]
fn answer_can_be_empty_or_lie_about_its_length() {
    let mut cluster = one_broker();
    cluster.fault(Fault::empty_answer());
    let answer = react(&mut cluster, batch(&["a"])).answer;
    assert_eq!(answer, Some(vec![0, 0, 0, 4, 0, 0, 0, 42]));
    cluster.fault(Fault::wrong_length(i32::MAX));
    let answer = react(&mut cluster, batch(&["a"]))
        .answer
        .expect("an answer");
    assert_eq!(answer[..4], i32::MAX.to_be_bytes());
    assert!(answer.len() > 8);
}

#[test]
fn omitted_partition_is_missing_from_the_answer() {
    for (fault, end) in [(Fault::omit(), 0), (Fault::apply_and_omit(), 1)] {
        let mut cluster = one_broker();
        cluster.fault(fault.partition(0));
        let mut request = produce_request(-1, "events", 0, batch(&["a"]));
        let other = ProducePartition {
            index: 1,
            records: Some(batch(&["b"])),
        };
        request.topics[0].partitions.push(other);
        let answer = ask(&mut cluster, 1, &request, 9);
        let indexes: Vec<i32> = answer.topics[0]
            .partitions
            .iter()
            .map(|found| found.index)
            .collect();
        assert_eq!(indexes, [1]);
        assert_eq!(cluster.end_offset("events", 0), end);
    }
}

#[test]
fn leader_moves_before_the_request_is_served() {
    let mut cluster = three_brokers();
    cluster.fault(Fault::move_leader(2).on(ApiKey::Produce).partition(0));
    let answer = produce(&mut cluster, "events", 0, batch(&["a"]));
    assert_eq!(answer.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    assert_eq!(cluster.leader("events", 0), 2);
    assert_eq!(
        produce(&mut cluster, "events", 0, batch(&["a"])).error_code,
        OK
    );
}

#[test]
fn expired_producers_are_forgotten_before_the_request_is_served() {
    let mut cluster = one_broker();
    produce(&mut cluster, "events", 0, stamped(0, 0, 1));
    cluster.fault(Fault::expire_producers());
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 9, 1)).error_code,
        OK
    );
}

#[test]
fn kill_takes_the_broker_down_with_or_without_the_records() {
    for (fault, end) in [
        (Fault::kill_broker(), 0),
        (Fault::apply_and_kill_broker(), 1),
    ] {
        let mut cluster = three_brokers();
        cluster.fault(fault.on(ApiKey::Produce));
        let reaction = react(&mut cluster, batch(&["a"]));
        assert_eq!((reaction.answer, reaction.then), (None, Then::Close));
        assert!(!cluster.is_alive(1));
        assert_eq!(cluster.leader("events", 0), 2);
        assert_eq!(cluster.end_offset("events", 0), end);
    }
}

#[test]
fn requests_without_partitions_can_fail_too() {
    let mut cluster = one_broker();
    cluster.fault(Fault::error(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS).on(ApiKey::InitProducerId));
    cluster.fault(Fault::error(ErrorCode::LEADER_NOT_AVAILABLE).on(ApiKey::Metadata));
    let id = ask(&mut cluster, 1, &InitProducerIdRequest::default(), 4);
    assert_eq!(id.error_code, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
    let all = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let answer = ask(&mut cluster, 1, &all, 9);
    assert_eq!(answer.topics[0].error_code, ErrorCode::LEADER_NOT_AVAILABLE);
    assert_eq!(cluster.pending_faults(), 0);
}

#[test]
fn fault_on_a_topic_applies_to_a_request_by_id() {
    let mut cluster = one_broker();
    cluster.fault(Fault::error(ErrorCode::KAFKA_STORAGE_ERROR).topic("events"));
    let answer = produce_to(&mut cluster, 1, 13, "events", 0, batch(&["a"]));
    assert_eq!(answer.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
}

#[test]
fn fault_of_another_broker_waits() {
    let mut cluster = three_brokers();
    cluster.fault(Fault::disconnect().broker(2));
    assert_eq!(react(&mut cluster, batch(&["a"])).then, Then::Continue);
    assert_eq!(cluster.pending_faults(), 1);
}
