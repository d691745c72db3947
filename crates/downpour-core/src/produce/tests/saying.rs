//! What is wrong is said early, once, and with its cause.

use std::sync::Arc;
use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{ApiKey, InitProducerIdResponse, MetadataResponse, MetadataTopic};

use super::harness::{Asked, World, config};
use crate::client::connect_error::ConnectErrorKind;

/// Topics that a Metadata request names.
fn named(asked: &Asked) -> Vec<String> {
    assert_eq!(asked.api(), ApiKey::Metadata);
    let request = asked.metadata();
    let topics = request.topics.unwrap_or_default();
    topics.into_iter().filter_map(|topic| topic.name).collect()
}

/// All topics that were asked for have this code, or are well.
fn answer(world: &mut World, asked: &Asked, code: ErrorCode) {
    let mut response = world.metadata();
    let well = response.topics.remove(0).partitions;
    for name in named(asked) {
        response.topics.push(MetadataTopic {
            error_code: code,
            name: Some(name),
            partitions: match code {
                ErrorCode::NONE => well.clone(),
                _ => Vec::new(),
            },
            ..MetadataTopic::default()
        });
    }
    world.answer(asked, &response);
}

const UNKNOWN: ErrorCode = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;

fn want(world: &mut World, topic: u32, name: &str) {
    let name = Arc::from(name);
    world.engine.handle_topic_wanted(topic, &name, world.now);
    world.step();
}

/// A world whose only topic is missing: it was asked for and is not known.
fn missing() -> World {
    let mut world = World::new(config());
    world.want();
    world.connect();
    world.answer_versions();
    let asked = world.next(ApiKey::Metadata);
    answer(&mut world, &asked, UNKNOWN);
    world.answer_identity();
    world
}

/// Sleeps until something is asked.
fn next_question(world: &mut World) -> Asked {
    for _ in 0..1000 {
        if let Some(asked) = world.asked.pop_front() {
            return asked;
        }
        world.sleep(10);
    }
    panic!("nothing is asked")
}

#[test]
fn a_topic_that_is_missing_is_refused_when_its_time_is_over() {
    let mut world = missing();
    let began = world.now;
    while !world.topics.iter().any(|said| said.contains("fatal=true")) {
        let asked = next_question(&mut world);
        answer(&mut world, &asked, UNKNOWN);
    }
    let after = world.now - began;
    assert!(after >= Duration::from_secs(5), "{after:?}");
    assert!(after < Duration::from_millis(5_150), "{after:?}");
    world.sleep(10_000);
    assert!(world.asked.is_empty(), "nobody waits any more");
    world.assert_saw("is_refused: true, notice: New");
    let lines = |notice: &str| {
        let of = |e: &&String| e.starts_with("TopicUnavailable") && e.contains(notice);
        world.events.iter().filter(of).count()
    };
    assert_eq!(lines("notice: New"), 1, "{:#?}", world.events);
    assert!(lines("notice: Quiet") > 4);
}

#[test]
fn with_no_time_a_topic_that_is_missing_is_refused_at_the_first_answer() {
    let mut config = config();
    config.unknown_topic_timeout = Duration::ZERO;
    let mut world = World::new(config);
    world.want();
    world.connect();
    world.answer_versions();
    let asked = world.next(ApiKey::Metadata);
    answer(&mut world, &asked, UNKNOWN);
    assert_eq!(world.topics, ["UNKNOWN_TOPIC_OR_PARTITION (3) fatal=true"]);
}

#[test]
fn a_topic_that_is_created_meanwhile_is_used_and_its_trouble_never_told() {
    let mut world = missing();
    let asked = next_question(&mut world);
    answer(&mut world, &asked, ErrorCode::NONE);
    assert_eq!(world.topics[1], "[Some(1), Some(2)]");
    let told = |e: &String| e.contains("TopicUnavailable") && e.contains("New");
    assert!(!world.events.iter().any(told) && !world.saw("TopicAvailable"));
}

#[test]
fn a_new_topic_is_asked_for_at_once_and_alone_beside_one_that_is_missing() {
    let mut world = missing();
    for _ in 0..4 {
        let asked = next_question(&mut world);
        answer(&mut world, &asked, UNKNOWN);
    }
    want(&mut world, 1, "fresh");
    let asked = world.next(ApiKey::Metadata);
    assert_eq!(named(&asked), ["fresh"]);
    answer(&mut world, &asked, ErrorCode::NONE);
    assert_eq!(world.topics.last().unwrap(), "[Some(1), Some(2)]");
    assert!(world.asked.is_empty(), "the other's backoff is not over");
    let asked = next_question(&mut world);
    assert_eq!(named(&asked), ["t"]);
}

#[test]
fn a_refresh_names_all_that_is_known_and_nobody_that_was_refused() {
    let mut config = config();
    config.metadata_max_idle = Duration::from_secs(3600);
    config.idle_timeout = Duration::from_secs(1000);
    let mut world = World::ready(config);
    want(&mut world, 1, "forbidden");
    let asked = world.next(ApiKey::Metadata);
    answer(&mut world, &asked, ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    world.assert_saw("TOPIC_AUTHORIZATION_FAILED");
    world.assert_saw("is_refused: true, notice: New");
    world.sleep(301_000);
    let asked = next_question(&mut world);
    assert_eq!(named(&asked), ["t"]);
}

#[test]
fn a_refresh_that_is_due_all_the_time_keeps_no_missing_topic_waiting() {
    let mut world = World::ready(config());
    want(&mut world, 1, "created");
    let asked = world.next(ApiKey::Metadata);
    answer(&mut world, &asked, ErrorCode::LEADER_NOT_AVAILABLE);
    let (mut refreshes, mut questions) = (0, 0);
    while refreshes < 20 {
        // As a partition in trouble has it.
        world.engine.metadata.want();
        world.sleep(10);
        while !world.asked.is_empty() {
            let asked = world.next(ApiKey::Metadata);
            let is_refresh = named(&asked) == ["t"];
            let code = match is_refresh {
                true => ErrorCode::NONE,
                false => ErrorCode::LEADER_NOT_AVAILABLE,
            };
            answer(&mut world, &asked, code);
            refreshes += u32::from(is_refresh);
            questions += u32::from(!is_refresh);
        }
    }
    assert!((3..40).contains(&questions), "{questions}");
}

#[test]
fn a_lost_answer_about_a_missing_topic_is_asked_again_elsewhere() {
    let mut world = World::new(config());
    world.want();
    let (connection_id, first, _) = world.connect();
    world.answer_versions();
    world.next(ApiKey::Metadata);
    world.lose(connection_id);
    world.assert_saw("Unanswered { question: Metadata");
    world.assert_saw("reset by peer");
    world.asked.clear();
    while world.connects.is_empty() {
        world.sleep(10);
    }
    let (_, second, _) = world.connect();
    assert_ne!(first, second);
    world.answer_versions();
    world.answer_identity();
    world.sleep(200);
    world.answer_metadata();
    assert_eq!(world.topics, ["[Some(1), Some(2)]"]);
}

#[test]
fn a_cluster_that_answers_no_question_is_asked_ever_more_rarely_and_told_once() {
    let mut world = World::new(config());
    world.want();
    let mut asked = 0;
    // A minute but a second, so that no reminder is due.
    for _ in 0..5900 {
        while !world.connects.is_empty() {
            world.connect();
        }
        while let Some(question) = world.asked.pop_front() {
            match question.api() {
                ApiKey::ApiVersions => {
                    let versions = world.versions();
                    world.answer(&question, &versions);
                }
                ApiKey::Metadata => {
                    asked += 1;
                    world.answer(&question, &MetadataResponse::default());
                }
                _ => {}
            }
        }
        world.sleep(10);
    }
    // Once a second about the topic, and once about the cluster.
    assert!((60..150).contains(&asked), "{asked}");
    let said = |what: &str| {
        let of = |e: &&String| e.starts_with(what) && e.contains("notice: New");
        world.events.iter().filter(of).count()
    };
    assert_eq!(said("Unanswered { question: Metadata"), 1);
    // Each of the two addresses once.
    assert_eq!(said("Disconnected"), 2, "{:#?}", world.events);
    assert_eq!(said("Connected"), 2);
    assert!(!world.saw("Reachable"));
}

#[test]
fn an_address_that_accepts_and_says_nothing_is_not_waited_for_alone() {
    let mut world = World::new(config());
    world.want();
    let (_, first, _) = world.connect();
    world.sleep(499);
    assert!(world.connects.is_empty());
    world.sleep(1);
    let (_, second, _) = world.connect();
    assert_ne!(first, second);
    world.sleep(5_000);
    assert!(world.connects.is_empty(), "each address once");
    world.next(ApiKey::ApiVersions);
    world.answer_versions();
    world.answer_metadata();
    assert_eq!(world.topics, ["[Some(1), Some(2)]"]);
}

#[test]
fn an_address_that_is_gone_is_told_once_then_ever_more_rarely_and_when_it_is_back() {
    let mut world = World::ready(config());
    world.append(0);
    let connection_id = world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    world.lose(connection_id);
    world.append(0);
    let began = world.now;
    while world.now < began + Duration::from_secs(110) {
        while !world.connects.is_empty() {
            world.refuse();
        }
        world.sleep(50);
    }
    let own = |notice: &str| {
        let is_own = |e: &&String| e.contains("host: \"b1\"") && e.contains(notice);
        let failed = world.events.iter().filter(is_own);
        failed.filter(|e| e.starts_with("ConnectFailed")).count()
    };
    assert_eq!(own("has_worked: true, notice: New"), 1);
    assert_eq!(own("notice: Still"), 1);
    assert!(own("notice: Quiet") > 50);
    // It is back, and told when it has answered something.
    while !world.saw("Reachable") {
        if let Some((_, _, broker)) = world.connects.front() {
            match broker {
                Some(1) => drop(world.connect_broker()),
                _ => drop(world.refuse()),
            }
        }
        if world
            .asked
            .front()
            .is_some_and(|a| a.api() == ApiKey::Produce)
        {
            assert!(!world.saw("Reachable"));
            let asked = world.next(ApiKey::Produce);
            world.answer_produce(&asked, ErrorCode::NONE, 1);
        } else if let Some(asked) = world.asked.pop_front() {
            answer(&mut world, &asked, ErrorCode::NONE);
        }
        world.sleep(10);
    }
}

#[test]
fn records_whose_leader_accepts_and_says_nothing_say_where_they_wait() {
    let mut config = config();
    config.delivery_timeout = Duration::from_secs(2);
    let mut world = World::ready(config);
    let ticket = world.append(0);
    world.connect();
    for _ in 0..30 {
        world.sleep(100);
    }
    let verdict = &world.verdicts[&ticket];
    let why = "while waiting for a reachable leader: no connection to b1:9092: connected, but no \
               answer to ApiVersions after 2";
    assert!(verdict.contains(why), "{verdict}");
}

#[test]
fn a_broker_that_advertises_no_port_is_told_at_once_and_in_the_verdict() {
    let mut config = config();
    config.delivery_timeout = Duration::from_secs(2);
    let mut world = World::new(config);
    world.want();
    world.connect();
    world.answer_versions();
    let asked = world.next(ApiKey::Metadata);
    let mut response = world.metadata();
    response.brokers[0].port = 0;
    response.brokers[1].port = 70_000;
    world.answer(&asked, &response);
    assert_eq!(world.failures, [ConnectErrorKind::Resolve; 2]);
    world.assert_saw("it advertises port 70000, and there is no such port");
    world.answer_identity();
    let tickets = [world.append(0), world.append(1)];
    for _ in 0..30 {
        world.sleep(100);
    }
    for (ticket, why) in tickets
        .iter()
        .zip(["b1:0: it advertises port 0", "b2:0: it adver"])
    {
        let verdict = &world.verdicts[ticket];
        assert!(verdict.contains(why), "{verdict}");
    }
}

fn answer_identity(world: &mut World, error_code: ErrorCode) {
    let asked = world.next(ApiKey::InitProducerId);
    let response = InitProducerIdResponse {
        error_code,
        ..Default::default()
    };
    world.answer(&asked, &response);
}

#[test]
fn records_that_wait_for_a_producer_id_say_who_was_asked_and_what_came() {
    for lost in [false, true] {
        let mut config = config();
        config.delivery_timeout = Duration::from_secs(2);
        let mut world = World::new(config);
        world.want();
        let (boot, ..) = world.connect();
        world.answer_versions();
        world.answer_metadata();
        let ticket = world.append(0);
        world.connect_broker_behind();
        if lost {
            world.asked.retain(|a| a.api() != ApiKey::InitProducerId);
            world.lose(boot);
        } else {
            answer_identity(&mut world, ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        world.assert_saw("Unanswered { question: ProducerId");
        for _ in 0..30 {
            world.sleep(100);
        }
        let verdict = &world.verdicts[&ticket];
        let why = "while waiting for a producer id: no producer id: boot";
        assert!(verdict.contains(why), "{verdict}");
        let what = match lost {
            true => "9092 was asked: reset by peer",
            false => "9092 was asked: it answered COORDINATOR_NOT_AVAILABLE (15)",
        };
        assert!(verdict.contains(what), "{verdict}");
    }
}

#[test]
fn records_whose_producer_id_is_not_answered_say_who_was_asked() {
    let mut config = config();
    config.delivery_timeout = Duration::from_secs(2);
    let mut world = World::new(config);
    world.want();
    world.connect();
    world.answer_versions();
    world.answer_metadata();
    let ticket = world.append(0);
    world.connect_broker_behind();
    for _ in 0..30 {
        world.sleep(100);
    }
    let verdict = &world.verdicts[&ticket];
    assert!(
        verdict.contains("9092 was asked, and has not answered"),
        "{verdict}"
    );
}

#[test]
fn a_refused_producer_id_says_what_to_grant_or_to_set() {
    let mut world = World::new(config());
    world.want();
    world.connect();
    world.answer_versions();
    world.answer_metadata();
    let ticket = world.append(0);
    answer_identity(&mut world, ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
    let verdict = &world.verdicts[&ticket];
    assert!(
        verdict.contains("boot") && verdict.contains("enable.idempotence=false"),
        "{verdict}"
    );
}

#[test]
fn an_idle_producer_whose_id_is_refused_asks_again_only_for_records() {
    let mut world = World::new(config());
    world.want();
    world.connect();
    world.answer_versions();
    world.answer_metadata();
    answer_identity(&mut world, ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
    world.asked.clear();
    for _ in 0..600 {
        world.sleep(100);
    }
    assert!(world.asked.is_empty(), "{:?}", world.asked);
    world.append(0);
    world.answer_identity();
}
