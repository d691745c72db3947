//! Fetch and ListOffsets: a consumer that assigns partitions itself.

use std::time::Duration;

use downpour_fake::ErrorCode;
use downpour_fake::logic::Cluster;
use downpour_wire::batch::BatchView;
use downpour_wire::messages::{
    FetchPartition, FetchPartitionResponse, FetchRequest, FetchTopic, ListOffsetsPartition,
    ListOffsetsRequest, ListOffsetsTopic,
};

use crate::support::*;

fn fetch(offset: i64) -> FetchRequest {
    FetchRequest {
        replica_id: -1,
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 1 << 20,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: "events".to_owned(),
            partitions: vec![FetchPartition {
                partition: 0,
                current_leader_epoch: -1,
                fetch_offset: offset,
                partition_max_bytes: 1 << 20,
                ..FetchPartition::default()
            }],
        }],
        ..FetchRequest::default()
    }
}

fn fetched(cluster: &mut Cluster, request: &FetchRequest, version: i16) -> FetchPartitionResponse {
    ask(cluster, 1, request, version)
        .topics
        .remove(0)
        .partitions
        .remove(0)
}

#[test]
fn batches_from_the_one_that_holds_the_offset_on_are_read() {
    let mut cluster = one_broker();
    for values in [["a", "b"], ["c", "d"], ["e", "f"]] {
        produce(&mut cluster, "events", 0, batch(&values));
    }
    for version in 4..=12 {
        let answer = fetched(&mut cluster, &fetch(3), version);
        assert_eq!(
            (answer.error_code, answer.high_watermark),
            (OK, 6),
            "Fetch {version}"
        );
        let records = answer.records.expect("records");
        let (first, rest) = BatchView::parse(&records).expect("a batch");
        assert_eq!(first.base_offset, 2);
        let (second, rest) = BatchView::parse(rest).expect("another");
        assert_eq!((second.base_offset, rest.len()), (4, 0));
    }
}

#[test]
fn first_batch_goes_out_whatever_its_size() {
    let mut cluster = one_broker();
    produce(&mut cluster, "events", 0, batch(&["a"]));
    produce(&mut cluster, "events", 0, batch(&["b"]));
    let mut request = fetch(0);
    request.topics[0].partitions[0].partition_max_bytes = 1;
    let records = fetched(&mut cluster, &request, 11)
        .records
        .expect("records");
    let (_, rest) = BatchView::parse(&records).expect("a batch");
    assert!(rest.is_empty());
}

#[test]
fn fetch_waits_for_records_and_is_answered_when_they_come() {
    let mut cluster = one_broker();
    let asked = frame(&fetch(0), 11, 5);
    let parked = cluster.handle(T0, 1, 1, &asked);
    let until = Duration::from_millis(500);
    assert_eq!((parked.answer, parked.parked_until), (None, Some(until)));
    let still = cluster.resume(Duration::from_millis(499), 1, 1, until, &asked);
    assert_eq!(still.parked_until, Some(until));
    produce(&mut cluster, "events", 0, batch(&["a"]));
    let reaction = cluster.resume(Duration::from_millis(499), 1, 1, until, &asked);
    let answer = read::<FetchRequest>(&reaction.answer.expect("an answer"), 11, 5);
    assert_eq!(answer.topics[0].partitions[0].high_watermark, 1);
}

#[test]
fn fetch_that_waited_in_vain_is_answered_empty() {
    let mut cluster = one_broker();
    let asked = frame(&fetch(0), 11, 5);
    let until = cluster
        .handle(T0, 1, 1, &asked)
        .parked_until
        .expect("it waits");
    let reaction = cluster.resume(until, 1, 1, until, &asked);
    let answer = read::<FetchRequest>(&reaction.answer.expect("an answer"), 11, 5);
    assert_eq!(
        answer.topics[0].partitions[0]
            .records
            .as_deref()
            .map(<[u8]>::len),
        Some(0)
    );
    assert_eq!(cluster.requests().len(), 1);
}

#[test]
fn offsets_and_epochs_that_do_not_fit_are_refused_at_once() {
    let mut cluster = one_broker();
    cluster.move_leader("events", 0, 1);
    assert_eq!(
        fetched(&mut cluster, &fetch(1), 11).error_code,
        ErrorCode::OFFSET_OUT_OF_RANGE
    );
    for (epoch, code) in [
        (0, ErrorCode::FENCED_LEADER_EPOCH),
        (2, ErrorCode::UNKNOWN_LEADER_EPOCH),
    ] {
        let mut request = fetch(0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        assert_eq!(fetched(&mut cluster, &request, 11).error_code, code);
    }
}

#[test]
fn offsets_are_found_by_place_and_by_time() {
    let mut cluster = one_broker();
    produce(&mut cluster, "events", 0, batch(&["a", "b", "c"]));
    cluster.delete_records_before("events", 0, 1);
    let at = 1_700_000_000_000;
    for (timestamp, offset) in [(-1, 3), (-2, 1), (at, 1), (at + 1, -1)] {
        let request = ListOffsetsRequest {
            replica_id: -1,
            isolation_level: 0,
            topics: vec![ListOffsetsTopic {
                name: "events".to_owned(),
                partitions: vec![ListOffsetsPartition {
                    partition_index: 0,
                    current_leader_epoch: -1,
                    timestamp,
                }],
            }],
        };
        for version in 1..=7 {
            let answer = ask(&mut cluster, 1, &request, version);
            let found = &answer.topics[0].partitions[0];
            assert_eq!(
                (found.error_code, found.offset),
                (OK, offset),
                "{timestamp} {version}"
            );
        }
    }
}
