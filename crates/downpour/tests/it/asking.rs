//! What is asked without sending anything: whether the cluster can be used, and who holds partitions.

use std::net::TcpListener;
use std::time::Duration;

use downpour::{ErrorKind, Producer};
use downpour_fake::{ApiKey, ErrorCode, FakeCluster, Fault};

use crate::setup::{PATIENCE, builder, cluster, poll_and_drop, producer, quick, small_cluster};

/// Where nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn connecting_asks_for_metadata_each_time_and_for_a_producer_id_once() {
    let cluster = cluster();
    let producer = producer(&cluster);
    smol::block_on(producer.connect()).unwrap();
    let asked = |key| cluster.request_count(key);
    assert_eq!(
        (asked(ApiKey::Metadata), asked(ApiKey::InitProducerId)),
        (1, 1)
    );
    producer.blocking().connect().unwrap();
    assert_eq!(
        (asked(ApiKey::Metadata), asked(ApiKey::InitProducerId)),
        (2, 1)
    );
}

#[test]
fn addresses_that_all_refuse_are_said_at_once_with_their_reasons() {
    let (one, other) = (nowhere(), nowhere());
    let builder = Producer::builder(format!("{one},{other}"));
    // Nobody waits for ten years here.
    let patience = Duration::from_secs(10 * 365 * 24 * 3600);
    let producer = quick(builder).max_block(patience).build().unwrap();
    let error = producer.blocking().connect().unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the cluster could not be asked; unreachable: "),
        "{text}"
    );
    for address in [one, other] {
        let told = format!("{address} (127.0.0.1: Connection refused");
        assert!(text.contains(&told), "{text}");
    }
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.is_retriable());
    assert!(!error.is_timeout(), "no time was up");
    assert_eq!(error.waited(), None);
}

#[test]
fn a_cluster_that_answers_nothing_is_given_up_after_max_block() {
    let cluster = small_cluster();
    cluster.fault(Fault::hang().on(ApiKey::Metadata));
    let patience = Duration::from_millis(50);
    let producer = builder(&cluster).max_block(patience).build().unwrap();
    let error = smol::block_on(producer.connect()).unwrap_err();
    let text = error.to_string();
    assert!(text.ends_with("; no broker has answered yet"), "{text}");
}

#[test]
fn a_broker_that_grants_no_producer_id_is_said_by_connect() {
    let cluster = small_cluster();
    let refusal = Fault::error(ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
    cluster.fault(refusal.on(ApiKey::InitProducerId));
    let producer = producer(&cluster).blocking();
    let error = producer.connect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authorization, "{error}");
    assert_eq!(error.code(), Some(ErrorCode::CLUSTER_AUTHORIZATION_FAILED));
    // It may be granted later.
    producer.connect().unwrap();
}

#[test]
fn who_holds_partitions_is_asked_anew_each_time() {
    let cluster = FakeCluster::builder()
        .brokers(3)
        .topic("events", 3)
        .start()
        .unwrap();
    let producer = producer(&cluster);
    let known = smol::block_on(producer.partitions_for("events")).unwrap();
    let numbers: Vec<_> = known.iter().map(|known| known.partition).collect();
    assert_eq!(numbers, [0, 1, 2]);
    let addresses: Vec<_> = cluster
        .bootstrap_servers()
        .split(',')
        .map(String::from)
        .collect();
    for known in &known {
        let leader = known.leader.as_ref().unwrap();
        assert_eq!(known.replicas[0], leader.id);
        assert_eq!(known.replicas, known.in_sync_replicas);
        assert!(
            addresses.contains(&leader.address.to_string()),
            "{leader:?}"
        );
    }
    let moved = known[0].leader.as_ref().unwrap().id % 3 + 1;
    cluster.move_leader("events", 0, moved);
    let blocking = producer.blocking();
    let known = blocking.partitions_for("events").unwrap();
    assert_eq!(known[0].leader.as_ref().unwrap().id, moved);
    assert_eq!(blocking.partition_count("events").unwrap(), 3);
}

#[test]
fn partitions_of_what_cannot_be_had_are_refused_as_a_record_to_it_is() {
    let cluster = small_cluster();
    let patience = Duration::from_millis(50);
    let hasty = builder(&cluster).max_block(patience).build().unwrap();
    let blocking = hasty.blocking();
    let invalid = blocking.partitions_for("no such name!").unwrap_err();
    assert_eq!(invalid.kind(), ErrorKind::InvalidRecord, "{invalid}");
    let missing = blocking.partition_count("missing").unwrap_err();
    assert!(missing.to_string().contains("topic missing"), "{missing}");
    let refusal = Fault::error(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    let blocking = producer(&cluster).blocking();
    blocking.partition_count("events").unwrap();
    cluster.fault(refusal.on(ApiKey::Metadata).topic("events"));
    let refused = blocking.partitions_for("events").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Authorization, "{refused}");
}

#[test]
fn questions_that_are_dropped_or_outlived_hang_nobody() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    cluster.fault(Fault::hang().on(ApiKey::Metadata).always());
    assert!(!poll_and_drop(3, producer.connect()));
    assert!(!poll_and_drop(3, producer.partitions_for("events")));
    let blocking = producer.blocking();
    let waiting = std::thread::spawn(move || blocking.connect());
    let asked = cluster.wait_until(PATIENCE, |c| c.request_count(ApiKey::Metadata) > 0);
    assert!(asked);
    smol::block_on(producer.close());
    let error = waiting.join().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    let late = smol::block_on(producer.connect()).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Closed, "{late}");
}
