//! Replicas that do not have the same: isolated leaders, followers that lag, unclean elections, and
//! brokers whose picture of the cluster is old. And producers that are forgotten by their timestamps.

use std::time::Duration;

use downpour_fake::logic::{Cluster, Reaction, Then};
use downpour_fake::{ApiKey, ErrorCode, Fault, KafkaVersion, Verdict};
use downpour_wire::messages::{
    FetchPartition, FetchRequest, FetchTopic, MetadataRequest, MetadataRequestTopic,
    PartitionProduceResponse, ProduceRequest,
};

use crate::support::*;

const DAY: i64 = 86_400_000;

/// What `batch` and `stamped` say of when their records were made.
const MADE_MS: i64 = 1_700_000_000_000;

fn send(
    cluster: &mut Cluster,
    node: i32,
    acks: i16,
    batch: Vec<u8>,
) -> (PartitionProduceResponse, Reaction) {
    let request = produce_request(acks, "events", 0, batch);
    let reaction = cluster.handle(T0, node, 1, &frame(&request, 9, 1));
    let answer = reaction.answer.as_deref().expect("an answer");
    (only(read::<ProduceRequest>(answer, 9, 1)), reaction)
}

fn fetched(cluster: &mut Cluster, node: i32) -> (i64, usize) {
    let request = FetchRequest {
        max_bytes: 1 << 20,
        topics: vec![FetchTopic {
            topic: "events".to_owned(),
            partitions: vec![FetchPartition {
                partition: 0,
                current_leader_epoch: -1,
                fetch_offset: 0,
                last_fetched_epoch: -1,
                log_start_offset: -1,
                partition_max_bytes: 1 << 20,
            }],
        }],
        ..FetchRequest::default()
    };
    let mut answer = ask(cluster, node, &request, 11);
    let found = answer.topics.remove(0).partitions.remove(0);
    (
        found.high_watermark,
        found.records.map_or(0, |bytes| bytes.len()),
    )
}

fn leader_by(cluster: &mut Cluster, node: i32) -> (usize, i32, i32) {
    let request = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let told = ask(cluster, node, &request, 9);
    let partition = &told.topics[0].partitions[0];
    (
        told.brokers.len(),
        partition.leader_id,
        partition.leader_epoch,
    )
}

#[test]
fn isolated_leader_goes_on_alone_and_loses_it() {
    let mut cluster = three_brokers();
    produce(&mut cluster, "events", 0, batch(&["before"]));
    assert!(cluster.isolate(1));
    assert!(!cluster.isolate(1));
    assert_eq!(leader_by(&mut cluster, 1), (3, 1, 0));
    assert_eq!(leader_by(&mut cluster, 2), (2, 2, 1));
    let (alone, _) = send(&mut cluster, 1, 1, batch(&["lost"]));
    assert_eq!((alone.error_code, alone.base_offset), (OK, 1));
    let (kept, _) = send(&mut cluster, 2, -1, batch(&["kept"]));
    assert_eq!((kept.error_code, kept.base_offset), (OK, 1));
    assert_eq!(values(&cluster, "events", 0), ["before", "kept"]);
    assert_eq!(fetched(&mut cluster, 1).0, 2);
    assert!(cluster.rejoin(1));
    let (refused, _) = send(&mut cluster, 1, 1, batch(&["late"]));
    assert_eq!(refused.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    assert_eq!(leader_by(&mut cluster, 1), (3, 2, 1));
    assert_eq!(values(&cluster, "events", 0), ["before", "kept"]);
}

#[test]
fn isolated_leader_waits_for_followers_in_vain() {
    let mut cluster = three_brokers();
    cluster.isolate(1);
    let (answer, reaction) = send(&mut cluster, 1, -1, batch(&["a"]));
    assert_eq!(answer.error_code, ErrorCode::REQUEST_TIMED_OUT);
    assert_eq!(answer.base_offset, 0);
    assert_eq!(reaction.service_delay, Duration::from_millis(1000));
    assert_eq!(cluster.end_offset("events", 0), 0);
}

#[test]
fn isolated_broker_that_dies_comes_back_as_a_follower() {
    let mut cluster = three_brokers();
    cluster.isolate(1);
    send(&mut cluster, 1, 1, batch(&["lost"]));
    cluster.kill(1);
    cluster.restart(1);
    assert_eq!(leader_by(&mut cluster, 1), (3, 2, 1));
    assert!(!cluster.rejoin(1));
}

#[test]
fn stalled_replication_times_out_also_for_a_repeated_batch() {
    let mut cluster = three_brokers();
    produce(&mut cluster, "events", 0, stamped(0, 0, 1));
    cluster.stall_replication("events", 0);
    for _ in 0..2 {
        let (answer, reaction) = send(&mut cluster, 1, -1, stamped(0, 1, 2));
        assert_eq!(answer.error_code, ErrorCode::REQUEST_TIMED_OUT);
        assert_eq!((answer.base_offset, reaction.then), (1, Then::Continue));
        assert_eq!(reaction.service_delay, Duration::from_millis(1000));
    }
    // What was replicated before is answered at once.
    let (again, _) = send(&mut cluster, 1, -1, stamped(0, 0, 1));
    assert_eq!((again.error_code, again.base_offset), (OK, 0));
    let (with_one, reaction) = send(&mut cluster, 1, 1, stamped(0, 3, 1));
    assert_eq!(
        (with_one.error_code, reaction.service_delay),
        (OK, Duration::ZERO)
    );
    let (high_watermark, bytes) = fetched(&mut cluster, 1);
    assert_eq!(
        (high_watermark, cluster.high_watermark("events", 0)),
        (1, 1)
    );
    cluster.resume_replication("events", 0);
    let (late, more) = fetched(&mut cluster, 1);
    assert!(late == 4 && more > bytes, "{late} {more} {bytes}");
    let (known, _) = send(&mut cluster, 1, -1, stamped(0, 1, 2));
    assert_eq!((known.error_code, known.base_offset), (OK, 1));
}

#[test]
fn election_while_replication_is_stalled_loses_what_was_not_replicated() {
    let mut cluster = three_brokers();
    produce(&mut cluster, "events", 0, stamped(0, 0, 1));
    cluster.stall_replication("events", 0);
    send(&mut cluster, 1, 1, stamped(0, 1, 2));
    assert_eq!(cluster.end_offset("events", 0), 3);
    cluster.kill(1);
    assert_eq!(cluster.end_offset("events", 0), 1);
    assert_eq!(cluster.last_sequence("events", 0, 7), Some((0, 0)));
    let (again, _) = send(&mut cluster, 2, -1, stamped(0, 1, 2));
    assert_eq!((again.error_code, again.base_offset), (OK, 1));
}

#[test]
fn unclean_election_loses_what_was_acknowledged() {
    let mut cluster = three_brokers();
    produce(&mut cluster, "events", 0, stamped(0, 0, 2));
    produce(&mut cluster, "events", 0, stamped(0, 2, 2));
    cluster.elect_unclean("events", 0, 3, 2);
    assert_eq!(
        (cluster.leader("events", 0), cluster.end_offset("events", 0)),
        (3, 2)
    );
    assert_eq!(cluster.leader_epoch("events", 0), 1);
    let answer = produce(&mut cluster, "events", 0, stamped(0, 4, 1));
    assert_eq!(answer.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
}

#[test]
fn stale_broker_tells_a_topic_s_former_id() {
    let mut cluster = three_brokers();
    let former = cluster.topic_id("events");
    cluster.freeze_metadata(1);
    cluster.delete_topic("events");
    cluster.create_topic("events", 1);
    let newer = cluster.topic_id("events");
    assert_ne!(former, newer);
    let mut seen = |node, id| {
        let by_id = MetadataRequestTopic {
            topic_id: id,
            name: None,
        };
        let request = MetadataRequest {
            topics: Some(vec![by_id]),
            ..MetadataRequest::default()
        };
        let told = ask(&mut cluster, node, &request, 12).topics.remove(0);
        (told.error_code, told.partitions.len())
    };
    let (former, newer) = (former.expect("an id"), newer.expect("an id"));
    let unknown = (ErrorCode::UNKNOWN_TOPIC_ID, 0);
    assert_eq!([seen(1, former), seen(1, newer)], [(OK, 3), unknown]);
    assert_eq!([seen(2, former), seen(2, newer)], [unknown, (OK, 1)]);
}

#[test]
fn error_after_the_append_may_hide_the_offset() {
    let mut cluster = one_broker();
    let failing = Fault::apply_then_error(ErrorCode::KAFKA_STORAGE_ERROR).on(ApiKey::Produce);
    cluster.fault(failing.clone());
    let shown = produce(&mut cluster, "events", 0, batch(&["a"]));
    cluster.fault(failing.without_offset());
    let hidden = produce(&mut cluster, "events", 0, batch(&["b"]));
    assert_eq!((shown.base_offset, hidden.base_offset), (0, -1));
    assert_eq!(hidden.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    let logged = cluster.requests().last().expect("a request").batches[0]
        .verdict
        .clone();
    let error = ErrorCode::KAFKA_STORAGE_ERROR;
    assert_eq!(
        logged,
        Verdict::AppendedWithError {
            base_offset: 1,
            error
        }
    );
}

/// What a batch with this first sequence is answered then.
fn code_at(cluster: &mut Cluster, seconds: u64, sequence: i32) -> ErrorCode {
    let request = produce_request(-1, "events", 0, stamped(0, sequence, 1));
    let asked = frame(&request, 9, 1);
    let reaction = cluster.handle(Duration::from_secs(seconds), 1, 1, &asked);
    let answer = reaction.answer.expect("an answer");
    only(read::<ProduceRequest>(&answer, 9, 1)).error_code
}

#[test]
fn producer_is_forgotten_by_its_records_timestamps() {
    let mut cluster = one_broker();
    cluster.set_epoch_ms(MADE_MS + DAY - 1_000);
    let mut at = |seconds, sequence| code_at(&mut cluster, seconds, sequence);
    assert_eq!(at(0, 0), OK);
    // It is older than a day now, but nobody has looked.
    assert_eq!(at(599, 5), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(at(600, 5), OK);
    assert_eq!(at(1199, 9), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(at(1200, 9), OK);
}

#[test]
fn producer_of_young_records_is_remembered() {
    let mut cluster = Cluster::new(1, KafkaVersion::V4_3);
    cluster.create_topic("events", 1);
    cluster.set_epoch_ms(MADE_MS);
    cluster.set_producer_expiration(Duration::from_secs(100), Duration::from_secs(10));
    let mut at = |seconds, sequence| code_at(&mut cluster, seconds, sequence);
    assert_eq!(at(0, 0), OK);
    assert_eq!(at(99, 7), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(at(100, 7), OK);
}

#[test]
fn request_that_is_too_large_ends_the_connection() {
    let mut cluster = one_broker();
    let request = frame(&produce_request(-1, "events", 0, batch(&["a"])), 9, 1);
    cluster.set_request_bytes_max(request.len());
    assert!(cluster.handle(T0, 1, 1, &request).answer.is_some());
    cluster.set_request_bytes_max(request.len() - 1);
    let refused = cluster.handle(T0, 1, 1, &request);
    assert_eq!((refused.answer, refused.then), (None, Then::Close));
    assert_eq!(cluster.end_offset("events", 0), 1);
}
