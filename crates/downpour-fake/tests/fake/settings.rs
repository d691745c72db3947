//! Settings of topics and brokers that change what is answered.

use std::time::Duration;

use downpour_fake::{ApiKey, ErrorCode, Fault, TopicSpec};
use downpour_wire::batch::BatchView;
use downpour_wire::messages::{MetadataRequest, ProduceRequest};

use crate::support::*;

#[test]
fn log_append_time_is_told_stamped_and_told_again_of_a_duplicate() {
    let mut cluster = one_broker();
    cluster.set_epoch_ms(1_800_000_000_000);
    cluster.create_topic("stamped", TopicSpec::new(1).log_append_time(true));
    let request = produce_request(-1, "stamped", 0, stamped(0, 0, 2));
    for (later, expected) in [(5, 1_800_000_000_005), (9, 1_800_000_000_005)] {
        let asked = frame(&request, 9, 1);
        let reaction = cluster.handle(Duration::from_millis(later), 1, 1, &asked);
        let answer = read::<ProduceRequest>(&reaction.answer.expect("an answer"), 9, 1);
        let answer = only(answer);
        assert_eq!(
            (answer.error_code, answer.log_append_time_ms),
            (OK, expected)
        );
    }
    let times: Vec<i64> = cluster
        .records("stamped", 0)
        .iter()
        .map(|record| record.timestamp)
        .collect();
    assert_eq!(times, [1_800_000_000_005; 2]);
    let (_, bytes) = cluster.batches("stamped", 0).next().expect("a batch");
    let (view, _) = BatchView::parse(bytes).expect("a batch");
    view.check_crc().expect("the checksum was made anew");
    assert!(view.is_log_append_time());
}

#[test]
fn duplicate_is_answered_with_a_time_also_where_producers_stamp() {
    let mut cluster = one_broker();
    let first = produce(&mut cluster, "events", 0, stamped(0, 0, 2));
    let again = produce(&mut cluster, "events", 0, stamped(0, 0, 2));
    assert_eq!(first.log_append_time_ms, -1);
    assert_eq!(again.log_append_time_ms, 1_700_000_000_000);
}

#[test]
fn discarded_records_have_offsets_and_sequences_but_cannot_be_read() {
    let mut cluster = one_broker();
    cluster.create_topic("gone", TopicSpec::new(1).discard(true));
    assert_eq!(
        produce(&mut cluster, "gone", 0, stamped(0, 0, 3)).base_offset,
        0
    );
    assert_eq!(
        produce(&mut cluster, "gone", 0, stamped(0, 3, 3)).base_offset,
        3
    );
    assert_eq!(
        produce(&mut cluster, "gone", 0, stamped(0, 0, 3)).base_offset,
        0
    );
    let gap = produce(&mut cluster, "gone", 0, stamped(0, 9, 3));
    assert_eq!(gap.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(
        (
            cluster.records("gone", 0).len(),
            cluster.end_offset("gone", 0)
        ),
        (0, 6)
    );
}

#[test]
fn frozen_metadata_names_the_leaders_of_its_moment() {
    let mut cluster = three_brokers();
    cluster.freeze_metadata(1);
    cluster.move_leader("events", 0, 2);
    cluster.kill(3);
    cluster.create_topic("later", 1);
    let all = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let seen = |cluster: &mut downpour_fake::logic::Cluster, node| {
        let answer = ask(cluster, node, &all, 9);
        let first = answer.topics[0].partitions[0].clone();
        let known = answer
            .topics
            .iter()
            .filter(|topic| topic.error_code == OK)
            .count();
        (
            answer.brokers.len(),
            first.leader_id,
            first.leader_epoch,
            known,
        )
    };
    assert_eq!(seen(&mut cluster, 1), (3, 1, 0, 1));
    assert_eq!(seen(&mut cluster, 2), (2, 2, 1, 2));
    cluster.thaw_metadata(1);
    assert_eq!(seen(&mut cluster, 1), (2, 2, 1, 2));
}

#[test]
fn rebootstrap_is_asked_for_at_the_top_of_metadata() {
    let mut cluster = one_broker();
    cluster.fault(Fault::error(ErrorCode::REBOOTSTRAP_REQUIRED).on(ApiKey::Metadata));
    let answer = ask(&mut cluster, 1, &MetadataRequest::default(), 13);
    assert_eq!(answer.error_code, ErrorCode::REBOOTSTRAP_REQUIRED);
}

#[test]
fn topic_and_partition_can_be_missing_from_metadata_or_fail_there() {
    let mut cluster = one_broker();
    cluster.create_topic("other", 1);
    let all = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let on_events = |fault: Fault| fault.on(ApiKey::Metadata).topic("events");
    let storage = Fault::error(ErrorCode::KAFKA_STORAGE_ERROR);
    let mut seen = |fault| {
        cluster.fault(fault);
        let topics = ask(&mut cluster, 1, &all, 9).topics.into_iter();
        let codes = topics.map(|topic| {
            let partitions = topic
                .partitions
                .iter()
                .map(|partition| partition.error_code);
            (topic.error_code, partitions.collect::<Vec<_>>())
        });
        codes.collect::<Vec<_>>()
    };
    let other = (OK, vec![OK]);
    let failed = ErrorCode::KAFKA_STORAGE_ERROR;
    assert_eq!(seen(on_events(Fault::omit())), std::slice::from_ref(&other));
    let one = seen(on_events(Fault::omit()).partition(0));
    assert_eq!(one, [(OK, vec![OK]), other.clone()]);
    let topic = seen(on_events(storage.clone()));
    assert_eq!(topic, [(failed, vec![]), other.clone()]);
    let partition = seen(on_events(storage).partition(1));
    assert_eq!(partition, [(OK, vec![OK, failed]), other]);
}
