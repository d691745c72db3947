//! Idempotence as a producer sees it. The window itself is tested beside its code.

use downpour_fake::ErrorCode;
use downpour_wire::messages::InitProducerIdRequest;

use crate::support::*;

#[test]
fn repeated_batch_is_answered_with_its_first_offset_and_lies_in_the_log_once() {
    let mut cluster = one_broker();
    produce(&mut cluster, "events", 0, batch(&["before"]));
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 0, 3)).base_offset,
        1
    );
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 3, 3)).base_offset,
        4
    );
    let again = produce(&mut cluster, "events", 0, stamped(0, 0, 3));
    assert_eq!((again.error_code, again.base_offset), (OK, 1));
    assert_eq!(cluster.end_offset("events", 0), 7);
}

#[test]
fn gap_is_45_and_a_lower_epoch_is_47() {
    let mut cluster = one_broker();
    let mut code = |epoch, sequence| {
        produce(&mut cluster, "events", 0, stamped(epoch, sequence, 1)).error_code
    };
    assert_eq!(code(1, 5), OK);
    assert_eq!(code(1, 7), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(code(1, 4), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(code(0, 0), ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(code(2, 1), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(code(2, 0), OK);
}

#[test]
fn sequences_are_counted_per_partition() {
    let mut cluster = one_broker();
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 0, 3)).error_code,
        OK
    );
    assert_eq!(
        produce(&mut cluster, "events", 1, stamped(0, 0, 3)).error_code,
        OK
    );
}

#[test]
fn state_moves_with_the_leader() {
    let mut cluster = three_brokers();
    produce(&mut cluster, "events", 0, stamped(0, 0, 3));
    cluster.move_leader("events", 0, 2);
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 0, 3)).base_offset,
        0
    );
    assert_eq!(cluster.end_offset("events", 0), 3);
}

#[test]
fn first_batch_that_was_lost_is_overtaken_for_good() {
    let mut cluster = one_broker();
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 3, 3)).error_code,
        OK
    );
    let late = produce(&mut cluster, "events", 0, stamped(0, 0, 3));
    assert_eq!(late.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
}

#[test]
fn expired_state_lets_a_duplicate_in() {
    let mut cluster = one_broker();
    produce(&mut cluster, "events", 0, stamped(0, 0, 3));
    cluster.expire_producer_state("events", 0);
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 0, 3)).base_offset,
        3
    );
}

#[test]
fn truncated_log_remembers_producers_as_far_as_it_reaches() {
    let mut cluster = one_broker();
    produce(&mut cluster, "events", 0, stamped(0, 0, 3));
    produce(&mut cluster, "events", 0, stamped(0, 3, 3));
    cluster.truncate("events", 0, 5);
    assert_eq!(cluster.end_offset("events", 0), 3);
    assert_eq!(cluster.last_sequence("events", 0, 7), Some((0, 2)));
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 3, 3)).base_offset,
        3
    );
}

#[test]
fn records_know_their_own_sequences() {
    let mut cluster = one_broker();
    produce(&mut cluster, "events", 0, stamped(4, i32::MAX, 2));
    let log = cluster.records("events", 0);
    let sequences: Vec<i32> = log.iter().map(|record| record.sequence).collect();
    assert_eq!(sequences, [i32::MAX, 0]);
    assert_eq!((log[0].producer_id, log[0].producer_epoch), (7, 4));
}

#[test]
fn every_producer_gets_an_id_of_its_own_in_every_version() {
    let mut cluster = one_broker();
    let request = InitProducerIdRequest {
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    let mut ids = Vec::new();
    for version in 0..=5 {
        let answer = ask(&mut cluster, 1, &request, version);
        assert_eq!((answer.error_code, answer.producer_epoch), (OK, 0));
        ids.push(answer.producer_id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[test]
fn transactional_id_is_refused_for_good() {
    let mut cluster = one_broker();
    let request = InitProducerIdRequest {
        transactional_id: Some("t".to_owned()),
        ..Default::default()
    };
    let answer = ask(&mut cluster, 1, &request, 4);
    assert_eq!(
        answer.error_code,
        ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    );
    assert_eq!(answer.producer_id, -1);
}
