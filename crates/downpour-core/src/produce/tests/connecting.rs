//! Connections, versions, metadata and identity.

use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::Encode;
use downpour_wire::messages::{ApiKey, ApiVersionsResponse, InitProducerIdResponse};

use super::harness::{REBOOTSTRAP, World, config};
use crate::client::connect_error::{ConnectErrorKind, ConnectFailure};
use crate::identity::{Grant, Identity};
use crate::ids::ConnectionId;

#[test]
fn nothing_connects_before_a_topic_is_wanted() {
    let mut world = World::new(config());
    world.step();
    assert!(world.connects.is_empty());
    assert_eq!(world.engine.next_wake(world.now), None);
    world.want();
    assert_eq!(world.connects.len(), 1);
}

#[test]
fn a_topic_becomes_available_with_its_leaders() {
    let world = World::ready(config());
    assert_eq!(world.topics, ["[Some(1), Some(2)]"]);
}

#[test]
fn an_idle_engine_wakes_for_nothing_but_old_age() {
    let mut world = World::ready(config());
    world.sleep(1100);
    world.sleep(1100);
    let wake = world.engine.next_wake(world.now).unwrap();
    assert!(
        wake - world.now > std::time::Duration::from_secs(200),
        "{:?}",
        wake - world.now
    );
}

#[test]
fn an_idle_client_whose_brokers_are_gone_knocks_nowhere_until_somebody_sends() {
    let mut world = World::ready(config());
    let connection_id = world
        .asked
        .back()
        .map_or(ConnectionId(0), |a| a.connection_id);
    world.lose(connection_id);
    // Longer than metadata may grow old.
    for _ in 0..40 {
        world.sleep(10_000);
        assert!(world.connects.is_empty(), "{:?}", world.connects);
    }
    world.append(0);
    assert!(!world.connects.is_empty());
}

#[test]
fn each_bootstrap_address_is_tried_with_growing_pauses() {
    let mut world = World::new(config());
    world.want();
    let mut hosts = Vec::new();
    for _ in 0..4 {
        hosts.push(world.refuse().host.to_string());
        for _ in 0..200 {
            if !world.connects.is_empty() {
                break;
            }
            world.sleep(10);
        }
    }
    hosts[..2].sort_unstable();
    assert_eq!(hosts[..2], ["boot1", "boot2"]);
    assert_ne!(hosts[2], hosts[3]);
    world.assert_saw("connection refused");
    assert_eq!(world.failures, [ConnectErrorKind::Refused; 4]);
}

#[test]
fn an_old_broker_that_refuses_the_version_is_asked_in_its_own() {
    let mut world = World::new(config());
    world.want();
    world.connect();
    let asked = world.next(ApiKey::ApiVersions);
    assert_eq!(asked.header.api_version, 4);
    // Kafka answers 35 in version 0, whatever was asked.
    let frame = {
        let mut bytes = asked.header.correlation_id.to_be_bytes().to_vec();
        let mut refusal: ApiVersionsResponse = world.versions();
        refusal.error_code = ErrorCode::UNSUPPORTED_VERSION;
        refusal.api_keys.retain(|v| v.api_key == 18);
        refusal.api_keys[0].max_version = 2;
        refusal.encode(&mut bytes, 0).unwrap();
        bytes
    };
    world
        .engine
        .handle_received(asked.connection_id, &frame, world.now, &mut world.queues);
    world.step();
    assert_eq!(world.asked[0].header.api_version, 2);
    world.answer_versions();
    world.answer_metadata();
    assert_eq!(world.topics.len(), 1);
}

#[test]
fn a_question_whose_answer_ends_the_last_bootstrap_connection_is_asked_again() {
    let mut world = World::ready(config());
    world.append(0);
    let until = world.now + Duration::from_secs(60);
    world.engine.handle_cluster_wanted(until);
    world.step();
    let asked = world.next(ApiKey::Metadata);
    // From now on nobody needs the bootstrap connection but this question.
    let broker = world.connect_broker_behind();
    let mut garbage = asked.header.correlation_id.to_be_bytes().to_vec();
    // No tags, and then what is no answer.
    garbage.push(0);
    garbage.extend([0xff; 20]);
    let (engine, queues) = (&mut world.engine, &mut world.queues);
    engine.handle_received(asked.connection_id, &garbage, world.now, queues);
    world.step();
    world.assert_saw("an answer could not be read");
    world.next(ApiKey::Produce);
    world.sleep(200);
    assert_eq!(world.next(ApiKey::Metadata).connection_id, broker);
}

#[test]
fn a_broker_without_a_common_version_is_given_up_with_the_reason() {
    let mut world = World::new(config());
    world.produce_max = 2;
    world.want();
    world.connect();
    world.answer_versions();
    world.assert_saw("it speaks no version of Produce that this client does");
    assert_eq!(world.failures, [ConnectErrorKind::Versions]);
    assert_eq!(world.disconnects.len(), 1);
}

#[test]
fn a_topic_that_is_not_there_yet_is_asked_for_again() {
    let mut world = World::new(config());
    world.want();
    world.connect();
    world.answer_versions();
    let asked = world.next(ApiKey::Metadata);
    let mut response = world.metadata();
    response.topics[0].error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    response.topics[0].partitions.clear();
    world.answer(&asked, &response);
    assert_eq!(world.topics, ["UNKNOWN_TOPIC_OR_PARTITION (3) fatal=false"]);
    world.answer_identity();
    world.sleep(150);
    world.answer_metadata();
    assert_eq!(world.topics[1], "[Some(1), Some(2)]");
}

#[test]
fn a_topic_that_is_not_allowed_is_not_asked_for_again() {
    let mut world = World::new(config());
    world.want();
    world.connect();
    world.answer_versions();
    let asked = world.next(ApiKey::Metadata);
    let mut response = world.metadata();
    response.topics[0].error_code = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
    response.topics[0].partitions.clear();
    world.answer(&asked, &response);
    assert_eq!(world.topics, ["TOPIC_AUTHORIZATION_FAILED (29) fatal=true"]);
    world.answer_identity();
    world.sleep(5000);
    assert!(world.asked.is_empty());
}

#[test]
fn callers_of_a_refused_topic_do_not_ask_faster_than_the_backoff() {
    let mut world = World::new(config());
    world.want();
    world.connect();
    world.answer_versions();
    let refuse = |world: &mut World| {
        let asked = world.next(ApiKey::Metadata);
        let mut response = world.metadata();
        response.topics[0].error_code = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
        response.topics[0].partitions.clear();
        world.answer(&asked, &response);
    };
    refuse(&mut world);
    world.answer_identity();
    world.want();
    assert!(world.asked.is_empty(), "asked again at once");
    world.sleep(150);
    refuse(&mut world);
}

#[test]
fn metadata_names_only_the_topics_that_are_used() {
    let mut world = World::new(config());
    world.want();
    world.connect();
    world.answer_versions();
    let asked = world.next(ApiKey::Metadata);
    let request = asked.metadata();
    let topics = request.topics.unwrap();
    assert_eq!(topics.len(), 1);
    assert_eq!(topics[0].name.as_deref(), Some("t"));
}

#[test]
fn the_bootstrap_addresses_are_asked_again_when_no_broker_answers() {
    let mut world = World::ready(config());
    world.append(0);
    world.connect_broker();
    let first = world.next(ApiKey::Produce);
    world.append(1);
    world.connect_broker();
    let second = world.next(ApiKey::Produce);
    world.lose(first.connection_id);
    world.lose(second.connection_id);
    for _ in 0..400 {
        world.sleep(20);
        if let Some(connect) = world.connects.front() {
            if connect.2.is_none() {
                break;
            }
            world.refuse();
        }
    }
    world.assert_saw(REBOOTSTRAP);
    let host = world
        .connects
        .front()
        .expect("a bootstrap address")
        .1
        .host
        .clone();
    assert!(host.starts_with("boot"), "{host}");
}

#[test]
fn a_connection_that_never_opens_is_given_up() {
    let mut world = World::new(config());
    world.want();
    world.sleep(9_999);
    assert!(world.disconnects.is_empty());
    world.sleep(1);
    world.assert_saw("no connection within 10 s");
    assert_eq!(world.failures, [ConnectErrorKind::TimedOut]);
    assert_eq!(world.disconnects.len(), 1);
}

#[test]
fn a_broker_that_does_not_tell_its_versions_in_time_is_given_up() {
    let mut world = World::new(config());
    world.want();
    world.connect();
    world.sleep(10_000);
    world.assert_saw("connected, but no answer to ApiVersions within 10 s");
    assert_eq!(world.failures, [ConnectErrorKind::TimedOut]);
}

#[test]
fn a_connection_that_ends_before_its_versions_is_a_failed_attempt_and_later_it_is_none() {
    let mut world = World::new(config());
    world.want();
    let (connection_id, ..) = world.connect();
    world.lose(connection_id);
    assert_eq!(world.failures, [ConnectErrorKind::Closed]);
    world.sleep(2_000);
    let (connection_id, ..) = world.connect();
    world.asked.clear();
    world
        .engine
        .handle_received(connection_id, b"HTTP/1.1", world.now, &mut world.queues);
    world.step();
    let both = [ConnectErrorKind::Closed, ConnectErrorKind::Protocol];
    assert_eq!(world.failures, both);
    assert!(!world.saw("Disconnected"));
    world.sleep(2_000);
    let (connection_id, ..) = world.connect();
    world.asked.retain(|a| a.connection_id == connection_id);
    world.answer_versions();
    world.lose(connection_id);
    assert_eq!(world.failures, both);
    world.assert_saw("Disconnected");
}

#[test]
fn records_whose_leader_cannot_be_reached_say_where_and_why() {
    let mut world = World::ready(config());
    let ticket = world.append(0);
    for _ in 0..20_000 {
        if world.verdicts.contains_key(&ticket) {
            break;
        }
        if !world.connects.is_empty() {
            world.refuse();
        }
        world.sleep(100);
    }
    let verdict = &world.verdicts[&ticket];
    let why = "while waiting for a reachable leader: no connection to b1:9092: connection refused";
    assert!(verdict.contains(why), "{verdict}");
}

#[test]
fn a_refused_producer_id_fails_what_waits_with_the_reason() {
    let mut world = World::new(config());
    world.want();
    world.connect();
    world.answer_versions();
    world.answer_metadata();
    let ticket = world.append(0);
    let asked = world.next(ApiKey::InitProducerId);
    let error_code = ErrorCode::CLUSTER_AUTHORIZATION_FAILED;
    world.answer(
        &asked,
        &InitProducerIdResponse {
            error_code,
            ..Default::default()
        },
    );
    let verdict = &world.verdicts[&ticket];
    assert!(verdict.starts_with("failed: no producer id"), "{verdict}");
    assert!(
        verdict.contains("CLUSTER_AUTHORIZATION_FAILED"),
        "{verdict}"
    );
    assert_eq!(world.failure.unwrap().cause.code(), Some(error_code));
}

#[test]
fn a_new_producer_id_that_is_refused_fails_nothing_that_goes_on_under_its_own() {
    let mut world = World::new(config());
    world.leaders = vec![(1, 0), (1, 0)];
    let mut world = world.get_ready();
    world.engine.identity.handle_granted(Grant {
        identity: Identity {
            id: 7,
            epoch: i16::MAX,
        },
        generation: 0,
    });
    let first = world.append(1);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    assert_eq!(world.verdicts[&first], "at Some(0)");
    let broken = world.append(0);
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    // Its epochs are used up, once its backoff is over.
    world.sleep(200);
    let question = world.next(ApiKey::InitProducerId);
    let sent = world.append(1);
    let asked = world.next(ApiKey::Produce);
    let waits = world.append(1);
    let refused = InitProducerIdResponse {
        error_code: ErrorCode::CLUSTER_AUTHORIZATION_FAILED,
        ..Default::default()
    };
    world.answer(&question, &refused);
    assert!(world.verdicts[&broken].starts_with("failed: no producer id"));
    assert!(!world.verdicts.contains_key(&waits));
    world.answer_produce(&asked, ErrorCode::NONE, 1);
    assert_eq!(world.verdicts[&sent], "at Some(1)");
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 2);
    assert_eq!(world.verdicts[&waits], "at Some(2)");
}

#[test]
fn brokers_that_are_gone_are_forgotten() {
    let mut world = World::ready(config());
    let engine = &mut world.engine;
    for id in 100..2_000 {
        let address = format!("pod-{id}:9092").parse().unwrap();
        let id_of = engine.connections.add(address, Some(id), world.now);
        let refused = ConnectFailure::new(ConnectErrorKind::Refused, "connection refused");
        engine.handle_connect_failed(id_of, refused, world.now, &mut world.queues);
        engine.brokers.entry(id).or_default();
        engine.statistics.handle_request(id, 1);
    }
    engine.statistics.handle_request(1, 1);
    assert_eq!(engine.connections.unreachable().count(), 1_900);
    world.sleep(2_000);
    world.engine.metadata.want();
    world.step();
    world.answer_metadata();
    let engine = &world.engine;
    assert_eq!(engine.connections.unreachable().count(), 0);
    assert!(engine.brokers.keys().all(|id| *id < 100));
    assert!(engine.statistics.brokers().map(|(id, _)| id).eq([1]));
}
