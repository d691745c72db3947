//! What callers ask who send nothing.

use std::sync::Arc;
use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{ApiKey, InitProducerIdResponse};

use crate::client::ending::DisconnectReason;

use super::harness::{Asked, World, config};

fn want_cluster(world: &mut World) {
    let until = world.now + Duration::from_secs(60);
    world.engine.handle_cluster_wanted(until);
    world.step();
}

fn want_partitions(world: &mut World, name: &str) {
    let until = world.now + Duration::from_secs(60);
    let engine = &mut world.engine;
    engine.handle_partitions_wanted(0, &Arc::from(name), until);
    world.step();
}

fn topics(asked: &Asked) -> Option<usize> {
    asked.metadata().topics.map(|topics| topics.len())
}

#[test]
fn the_cluster_can_be_used_once_brokers_and_a_producer_id_are_known() {
    let mut world = World::new(config());
    want_cluster(&mut world);
    world.connect();
    world.answer_versions();
    assert_eq!(topics(&world.asked[0]), Some(0), "for no topic at all");
    world.answer_metadata();
    assert!(world.answers.is_empty());
    world.answer_identity();
    assert_eq!(world.answers, ["Usable"]);
    // Each who asks is answered by an answer that came since.
    want_cluster(&mut world);
    assert_eq!(world.answers.len(), 1);
    world.answer_metadata();
    assert_eq!(world.answers, ["Usable", "Usable"]);
}

#[test]
fn without_idempotence_no_producer_id_is_waited_for() {
    let mut config = config();
    config.idempotence = false;
    let mut world = World::new(config);
    want_cluster(&mut world);
    world.connect();
    world.answer_versions();
    world.answer_metadata();
    assert_eq!(world.answers, ["Usable"]);
}

#[test]
fn the_cluster_is_unreachable_when_each_address_was_tried_since() {
    let mut world = World::new(config());
    want_cluster(&mut world);
    world.refuse();
    assert!(world.answers.is_empty());
    while world.connects.is_empty() {
        world.sleep(10);
    }
    world.refuse();
    assert_eq!(world.answers, ["Unreachable"]);
    // Nobody needs a broker any more.
    for _ in 0..40 {
        world.sleep(1000);
        assert!(world.connects.is_empty());
    }
    // What failed before counts for nothing.
    want_cluster(&mut world);
    world.refuse();
    assert_eq!(world.answers.len(), 1);
}

#[test]
fn a_refused_producer_id_is_said_at_once() {
    let mut world = World::new(config());
    want_cluster(&mut world);
    world.connect();
    world.answer_versions();
    world.answer_metadata();
    let asked = world.next(ApiKey::InitProducerId);
    let response = InitProducerIdResponse {
        error_code: ErrorCode::CLUSTER_AUTHORIZATION_FAILED,
        ..Default::default()
    };
    world.answer(&asked, &response);
    assert_eq!(world.answers.len(), 1);
    assert!(
        world.answers[0].contains("NoIdentity"),
        "{:?}",
        world.answers
    );
}

#[test]
fn questions_that_nobody_waits_for_any_more_keep_nobody_knocking() {
    let mut world = World::new(config());
    want_cluster(&mut world);
    want_partitions(&mut world, "t");
    for _ in 0..70 {
        while !world.connects.is_empty() {
            world.refuse();
        }
        world.sleep(1000);
    }
    world.connects.clear();
    for _ in 0..40 {
        world.sleep(1000);
        assert!(world.connects.is_empty());
    }
}

#[test]
fn who_holds_the_partitions_is_told_by_the_next_answer_that_has_the_topic() {
    let mut world = World::ready(config());
    want_partitions(&mut world, "t");
    let asked = world.next(ApiKey::Metadata);
    let mut response = world.metadata();
    for partition in &mut response.topics[0].partitions {
        partition.replica_nodes = vec![1, 2];
        partition.isr_nodes = vec![partition.leader_id];
    }
    response.topics[0].partitions[1].leader_id = -1;
    response.topics[0].partitions.reverse();
    let without = response.clone();
    response.topics.clear();
    world.answer(&asked, &response);
    assert!(world.answers.is_empty());
    world.sleep(1000);
    let asked = world.next(ApiKey::Metadata);
    world.answer(&asked, &without);
    let [answer] = &world.answers[..] else {
        panic!("{:?}", world.answers)
    };
    let parts = [
        "Ok([PartitionInfo { partition: 0, leader: Some(BrokerInfo { id: 1, address: Address { host: \"b1\", port: 9092 } })",
        "replicas: [1, 2], in_sync_replicas: [1]",
        "PartitionInfo { partition: 1, leader: None",
    ];
    for part in parts {
        assert!(answer.contains(part), "{answer}");
    }
}

#[test]
fn partitions_of_a_topic_that_may_not_be_seen_are_refused_and_those_of_a_missing_one_awaited() {
    let mut world = World::ready(config());
    want_partitions(&mut world, "t");
    for code in [
        ErrorCode::LEADER_NOT_AVAILABLE,
        ErrorCode::TOPIC_AUTHORIZATION_FAILED,
    ] {
        assert!(world.answers.is_empty());
        let asked = world.next(ApiKey::Metadata);
        let mut response = world.metadata();
        response.topics[0].error_code = code;
        response.topics[0].partitions.clear();
        world.answer(&asked, &response);
        world.sleep(1000);
    }
    assert!(world.answers[0].contains("Err("), "{:?}", world.answers);
}

#[test]
fn who_was_asked_for_something_or_has_something_to_say_is_not_at_rest() {
    let without_id = || {
        let mut config = config();
        config.idempotence = false;
        World::new(config)
    };
    let rests = |world: &World| world.engine.is_at_rest(world.now);
    assert!(!rests(&World::new(config())), "a producer id is asked for");
    let mut world = without_id();
    assert!(rests(&world));
    let (until, now) = (world.now + Duration::from_secs(60), world.now);
    world.engine.handle_cluster_wanted(until);
    assert!(!rests(&world));
    let mut world = without_id();
    world.engine.handle_topic_wanted(0, &Arc::from("t"), now);
    assert!(!rests(&world));
    let mut world = without_id();
    world.want();
    let (connection_id, ..) = world.connect();
    world.answer_versions();
    assert!(rests(&world), "the answer is awaited");
    let closed = DisconnectReason::Closed;
    let queues = &mut world.queues;
    let engine = &mut world.engine;
    engine.handle_disconnected(connection_id, closed, now, queues);
    assert!(!rests(&world), "it says that the connection has ended");
}
