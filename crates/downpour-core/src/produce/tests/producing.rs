//! Requests that carry records, and what their answers make of them.

use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    ApiKey, InitProducerIdResponse, LeaderIdAndEpoch, PartitionProduceResponse, ProduceResponse,
    TopicProduceResponse,
};
use downpour_wire::primitives::Uuid;

use super::harness::{Asked, World, config};
use crate::config::Linger;
use crate::ids::PartitionId;
use crate::output::Output;

#[test]
fn a_record_is_delivered_at_its_offset() {
    let mut world = World::ready(config());
    let ticket = world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    assert_eq!(asked.produce().acks, -1);
    world.answer_produce(&asked, ErrorCode::NONE, 12);
    assert_eq!(world.verdicts[&ticket], "at Some(12)");
    assert!(world.engine.is_idle());
}

#[test]
fn one_request_carries_all_partitions_of_a_broker() {
    let mut world = World::new(config());
    world.leaders = vec![(1, 0), (1, 0)];
    let mut world = world.get_ready();
    world.append(0);
    world.append(1);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    assert_eq!(asked.produce().topics[0].partitions.len(), 2);
    assert!(world.asked.is_empty());
}

#[test]
fn while_a_request_is_in_flight_a_lone_record_lingers() {
    let mut world = World::new(config());
    world.leaders = vec![(1, 0), (1, 0)];
    let mut world = world.get_ready();
    world.append(0);
    world.connect_broker();
    world.next(ApiKey::Produce);
    world.append(1);
    assert!(world.asked.is_empty());
    world.sleep(5);
    world.next(ApiKey::Produce);
}

#[test]
fn a_record_that_waits_leaves_as_soon_as_nothing_is_in_flight() {
    let mut world = World::new(config());
    world.leaders = vec![(1, 0), (1, 0)];
    let mut world = world.get_ready();
    world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.append(1);
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    world.next(ApiKey::Produce);
}

#[test]
fn an_explicit_linger_holds_also_the_first_record() {
    let mut config = config();
    config.linger = Linger::Fixed(Duration::from_millis(50));
    let mut world = World::ready(config);
    world.append(0);
    world.connect_broker();
    world.sleep(49);
    assert!(world.asked.is_empty());
    world.sleep(1);
    world.next(ApiKey::Produce);
}

#[test]
fn a_moved_leader_gets_the_same_bytes() {
    let mut world = World::ready(config());
    world.sleep(1_000);
    let ticket = world.append(0);
    world.connect_broker();
    let first = world.next(ApiKey::Produce);
    world.answer_produce(&first, ErrorCode::NOT_LEADER_OR_FOLLOWER, -1);
    world.leaders[0] = (2, 1);
    world.answer_metadata();
    world.connect_broker();
    let second = world.next(ApiKey::Produce);
    assert_ne!(first.connection_id, second.connection_id);
    assert_eq!(first.produce().topics, second.produce().topics);
    world.answer_produce(&second, ErrorCode::NONE, 3);
    assert_eq!(world.verdicts[&ticket], "at Some(3)");
    world.assert_saw("LeaderMoved");
}

#[test]
fn leaders_that_move_together_are_told_of_once_per_topic() {
    let mut world = World::ready(config());
    world.sleep(1_000);
    world.topics.clear();
    world.leaders = vec![(2, 1), (1, 1)];
    world.want();
    world.answer_metadata();
    assert_eq!(world.topics, ["[Some(2), Some(1)]"]);
}

#[test]
fn a_leader_hint_saves_the_wait_for_metadata() {
    let mut world = World::new(config());
    world.produce_max = 10;
    let mut world = world.get_ready();
    world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    let partition = PartitionProduceResponse {
        error_code: ErrorCode::NOT_LEADER_OR_FOLLOWER,
        current_leader: Some(LeaderIdAndEpoch {
            leader_id: 2,
            leader_epoch: 9,
        }),
        ..Default::default()
    };
    let name = "t".to_owned();
    let topics = vec![TopicProduceResponse {
        name,
        topic_id: Uuid::ZERO,
        partitions: vec![partition],
    }];
    world.answer(
        &asked,
        &ProduceResponse {
            topics,
            ..Default::default()
        },
    );
    let (_, address, broker) = world.connect();
    assert_eq!((address.host.as_ref(), broker), ("b2", Some(2)));
}

#[test]
fn a_request_that_had_left_makes_its_batch_doubtful_one_that_had_not_does_not() {
    for (written, word) in [(true, "unknown: "), (false, "failed: ")] {
        let mut world = World::ready(config());
        let ticket = world.append(0);
        let (connection_id, _, _) = world.connect();
        world.kernel_is_full = !written;
        world.answer_versions();
        world.next(ApiKey::Produce);
        world.lose(connection_id);
        world.sleep(120_000);
        world.sleep(1_000);
        let verdict = &world.verdicts[&ticket];
        assert!(verdict.starts_with(word), "{written}: {verdict}");
        assert!(
            verdict.contains("reset by peer"),
            "the root cause is missing: {verdict}"
        );
        let failure = world.failure.take().unwrap();
        let said = failure.cause.io_error().expect("what the system said");
        assert_eq!(said.to_string(), "reset by peer");
        assert!(world.engine.is_idle());
    }
}

#[test]
fn a_request_without_an_answer_ends_its_connection() {
    let mut world = World::ready(config());
    world.append(0);
    world.connect_broker();
    let first = world.next(ApiKey::Produce);
    world.sleep(29_999);
    assert!(!world.saw("Silent"));
    world.sleep(1);
    world.assert_saw("Silent(30s)");
    assert!(world.disconnects.contains(&first.connection_id));
    world.asked.clear();
    world.sleep(1_000);
    assert!(!world.connects.is_empty(), "it is tried again");
}

#[test]
fn a_throttled_broker_is_left_alone_for_that_long() {
    let mut world = World::ready(config());
    world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    let partitions = vec![PartitionProduceResponse::default()];
    let name = "t".to_owned();
    let topics = vec![TopicProduceResponse {
        name,
        topic_id: Uuid::ZERO,
        partitions,
    }];
    world.answer(
        &asked,
        &ProduceResponse {
            topics,
            throttle_time_ms: 300,
            ..Default::default()
        },
    );
    world.append(0);
    world.sleep(299);
    assert!(world.asked.is_empty());
    world.sleep(1);
    world.next(ApiKey::Produce);
}

#[test]
fn an_answer_that_leaves_a_batch_out_is_a_lost_answer() {
    let mut world = World::ready(config());
    let ticket = world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.answer(&asked, &ProduceResponse::default());
    world.sleep(150);
    let again = world.next(ApiKey::Produce);
    assert_eq!(again.produce().topics, asked.produce().topics);
    world.answer_produce(&again, ErrorCode::NONE, 4);
    assert_eq!(world.verdicts[&ticket], "at Some(4)");
}

#[test]
fn topics_are_named_by_id_only_when_all_ids_are_known() {
    for (id, version) in [(Uuid([3; 16]), 13), (Uuid::ZERO, 12)] {
        let mut world = World::new(config());
        (world.produce_max, world.topic_id) = (13, id);
        let mut world = world.get_ready();
        let ticket = world.append(0);
        world.connect_broker();
        let asked = world.next(ApiKey::Produce);
        assert_eq!(asked.header.api_version, version);
        world.answer_produce(&asked, ErrorCode::NONE, 8);
        assert_eq!(world.verdicts[&ticket], "at Some(8)");
    }
}

/// Two requests under one id of a topic; before the second is answered, its topic has another id.
fn made_anew(produce_max: i16) -> (World, u32, Asked) {
    let mut world = World::new(config());
    (world.produce_max, world.topic_id) = (produce_max, Uuid([1; 16]));
    world.leaders = vec![(2, 7), (1, 7)];
    let mut world = world.get_ready();
    // Past the backoff of the metadata that came just now.
    world.sleep(1000);
    world.append(0);
    world.connect_broker();
    let first = world.next(ApiKey::Produce);
    let ticket = world.append(1);
    world.connect_broker();
    let second = world.next(ApiKey::Produce);
    world.answer_produce(&first, ErrorCode::NOT_LEADER_OR_FOLLOWER, -1);
    world.topic_id = Uuid([2; 16]);
    world.leaders = vec![(2, 0), (1, 0)];
    world.answer_metadata();
    (world, ticket, second)
}

#[test]
fn an_answer_under_an_id_that_is_replaced_counts() {
    let (mut world, ticket, asked) = made_anew(13);
    world.answer_produce(&asked, ErrorCode::NONE, 8);
    assert_eq!(world.verdicts[&ticket], "at Some(8)");
    // And what is refused is in no doubt, though its id is gone.
    let (mut world, ticket, asked) = made_anew(13);
    world.answer_produce(&asked, ErrorCode::INVALID_RECORD, -1);
    assert!(
        world.verdicts[&ticket].starts_with("failed"),
        "{:?}",
        world.verdicts
    );
}

#[test]
fn what_waits_in_a_partition_that_is_gone_ends_at_once_and_what_is_in_flight_after_its_answer() {
    let mut world = World::new(config());
    (world.produce_max, world.topic_id) = (13, Uuid([1; 16]));
    world.leaders = vec![(2, 7), (1, 7)];
    let mut world = world.get_ready();
    world.sleep(1000);
    let stays = world.append(0);
    world.connect_broker();
    let first = world.next(ApiKey::Produce);
    let in_flight = world.append(1);
    world.connect_broker();
    let second = world.next(ApiKey::Produce);
    let waits = world.append(1);
    world.answer_produce(&first, ErrorCode::UNKNOWN_TOPIC_ID, -1);
    (world.topic_id, world.leaders) = (Uuid([2; 16]), vec![(2, 0)]);
    world.answer_metadata();
    let gone = |world: &World, ticket| {
        let verdict = world.verdicts.get(&ticket);
        verdict.is_some_and(|verdict| verdict.contains("the partition is gone"))
    };
    assert!(
        gone(&world, waits) && !gone(&world, in_flight),
        "{:?}",
        world.verdicts
    );
    world.answer_produce(&second, ErrorCode::UNKNOWN_TOPIC_ID, -1);
    world.sleep(1000);
    assert!(gone(&world, in_flight), "{:?}", world.verdicts);
    assert!(!world.verdicts.contains_key(&stays));
}

#[test]
fn a_topic_that_is_back_as_it_was_is_not_asked_for_any_more() {
    let mut world = World::ready(config());
    world.sleep(1000);
    let ticket = world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1);
    let asked = world.next(ApiKey::Metadata);
    let mut gone = world.metadata();
    gone.topics[0].error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    gone.topics[0].partitions.clear();
    world.answer(&asked, &gone);
    // Senders are not refused: their records wait in its partitions.
    world.assert_saw("is_refused: false");
    let mut may_create = Vec::new();
    for _ in 0..2000 {
        world.sleep(10);
        while let Some(asked) = world.asked.pop_front() {
            if asked.api() == ApiKey::Metadata {
                may_create.push(asked.metadata().allow_auto_topic_creation);
                let told = world.metadata();
                world.answer(&asked, &told);
            } else {
                world.answer_produce(&asked, ErrorCode::NONE, 4);
            }
        }
    }
    assert_eq!(world.verdicts[&ticket], "at Some(4)");
    // Somebody waits for it, so that brokers may create it again; and that is all.
    assert!(
        may_create.contains(&true) && may_create.len() <= 3,
        "{may_create:?}"
    );
}

#[test]
fn sends_to_a_topic_that_was_there_are_not_refused() {
    let mut world = World::ready(config());
    world.sleep(1000);
    world.append(0);
    world.connect_broker();
    for _ in 0..1000 {
        world.sleep(10);
        while let Some(asked) = world.asked.pop_front() {
            if asked.api() == ApiKey::Metadata {
                let mut gone = world.metadata();
                gone.topics[0].error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
                gone.topics[0].partitions.clear();
                world.answer(&asked, &gone);
            } else {
                world.answer_produce(&asked, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1);
            }
        }
    }
    world.assert_saw("TopicUnavailable");
    assert!(!world.saw("is_refused: true"));
}

#[test]
fn a_producer_id_that_is_none_is_not_taken() {
    for (id, epoch) in [(-1, 0), (7, -1), (i64::MIN, i16::MIN)] {
        let mut world = World::new(config());
        world.want();
        world.connect();
        world.answer_versions();
        world.answer_metadata();
        let asked = world.next(ApiKey::InitProducerId);
        let none = InitProducerIdResponse {
            producer_id: id,
            producer_epoch: epoch,
            ..Default::default()
        };
        world.answer(&asked, &none);
        world.assert_saw("Unanswered { question: ProducerId");
        world.assert_saw("which is none");
        let ticket = world.append(0);
        world.connect_broker();
        world.sleep(200);
        world.answer_identity();
        let asked = world.next(ApiKey::Produce);
        world.answer_produce(&asked, ErrorCode::NONE, 4);
        assert_eq!(world.verdicts[&ticket], "at Some(4)");
    }
}

#[test]
fn a_topic_made_anew_has_learnt_nothing() {
    let mut world = World::new(config());
    (world.produce_max, world.topic_id) = (13, Uuid([1; 16]));
    let mut world = world.get_ready();
    world.sleep(1000);
    world.append(0);
    world.connect_broker();
    let first = world.next(ApiKey::Produce);
    world.append(0);
    world.append_anywhere(0);
    world.answer_produce(&first, ErrorCode::NONE, 0);
    let second = world.next(ApiKey::Produce);
    world.answer_produce(&second, ErrorCode::MESSAGE_TOO_LARGE, -1);
    let partition = PartitionId { topic: 0, index: 0 };
    let has_learnt = |world: &World| world.queues.0[&partition].has_ceiling();
    assert!(has_learnt(&world));
    let again = world.next(ApiKey::Produce);
    world.answer_produce(&again, ErrorCode::UNKNOWN_TOPIC_ID, -1);
    world.topic_id = Uuid([2; 16]);
    world.answer_metadata();
    assert!(!has_learnt(&world));
}

#[test]
fn a_broker_waits_for_its_followers_for_less_time_than_it_is_waited_for() {
    for (request_timeout, told) in [(1, 1), (10, 9), (5000, 4500), (30_000, 29_000)] {
        let mut config = config();
        config.request_timeout = Duration::from_millis(request_timeout);
        config.delivery_timeout = Duration::from_secs(600);
        let mut world = World::ready(config);
        world.append(0);
        world.connect_broker();
        assert_eq!(world.next(ApiKey::Produce).produce().timeout_ms, told);
    }
}

#[test]
fn who_has_not_read_the_sockets_finds_nobody_late() {
    let mut world = World::ready(config());
    let ticket = world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.now += world
        .config
        .delivery_timeout
        .max(world.config.request_timeout);
    world.engine.poll_unread(world.now, &mut world.queues);
    while let Some(output) = world.engine.poll_output() {
        let is_verdict = matches!(output, Output::Disconnect { .. } | Output::Resolve { .. });
        assert!(!is_verdict, "{output:?}");
    }
    world.answer_produce(&asked, ErrorCode::NONE, 7);
    assert_eq!(world.verdicts[&ticket], "at Some(7)");
    // Who has finds it at once.
    let late = world.append(0);
    world.next(ApiKey::Produce);
    world.sleep(130_000);
    assert!(
        world.verdicts[&late].starts_with("unknown"),
        "{:?}",
        world.verdicts
    );
}

#[test]
fn a_hint_about_a_former_topic_is_dropped() {
    for produce_max in [12, 13] {
        let (mut world, _, asked) = made_anew(produce_max);
        let mut response = ProduceResponse::default();
        let topic = asked.produce().topics.remove(0);
        response.topics.push(TopicProduceResponse {
            partitions: vec![PartitionProduceResponse {
                index: 1,
                error_code: ErrorCode::NOT_LEADER_OR_FOLLOWER,
                base_offset: -1,
                current_leader: Some(LeaderIdAndEpoch {
                    leader_id: 1,
                    leader_epoch: 8,
                }),
                ..Default::default()
            }],
            name: topic.name,
            topic_id: topic.topic_id,
        });
        world.answer(&asked, &response);
        let partition = PartitionId { topic: 0, index: 1 };
        assert_eq!(world.engine.cluster.leader(partition).epoch(), 0);
    }
}

#[test]
fn garbage_ends_the_connection_and_the_batch_is_sent_again() {
    let mut world = World::ready(config());
    let ticket = world.append(0);
    let connection_id = world.connect_broker();
    world.next(ApiKey::Produce);
    world.engine.handle_received(
        connection_id,
        &[0, 0, 0, 1, 255, 255],
        world.now,
        &mut world.queues,
    );
    world.step();
    world.assert_saw("an answer could not be read");
    world.sleep(200);
    world.connect().2.expect("the broker");
    world.answer_versions();
    world.answer_metadata();
    let again = world.next(ApiKey::Produce);
    world.answer_produce(&again, ErrorCode::NONE, 5);
    assert_eq!(world.verdicts[&ticket], "at Some(5)");
}

#[test]
fn acks_0_is_sent_when_the_socket_took_it() {
    let mut config = config();
    (config.acks, config.idempotence) = (crate::config::Acks::None, false);
    let mut world = World::ready(config);
    let ticket = world.append(0);
    world.connect();
    world.kernel_is_full = true;
    world.answer_versions();
    world.next(ApiKey::Produce);
    assert!(world.verdicts.is_empty());
    world.kernel_takes_all();
    assert_eq!(world.verdicts[&ticket], "sent");
}

#[test]
fn where_nobody_answers_a_connection_that_ends_tells_that_leaders_may_have_moved() {
    let mut config = config();
    (config.acks, config.idempotence) = (crate::config::Acks::None, false);
    let mut world = World::ready(config);
    world.append(0);
    let connection_id = world.connect_broker();
    world.next(ApiKey::Produce);
    assert!(world.asked.is_empty());
    // It does not lead the partition, and has no other way to say so.
    world.lose(connection_id);
    world.sleep(200);
    world.append(0);
    world.connect();
    world.answer_versions();
    world.next(ApiKey::Metadata);
}

#[test]
fn a_connection_that_nobody_needed_says_nothing_of_leaders_when_it_ends() {
    let mut config = config();
    (config.acks, config.idempotence) = (crate::config::Acks::None, false);
    config.idle_timeout = Duration::from_secs(10);
    let mut world = World::ready(config);
    world.append(0);
    world.connect_broker();
    world.next(ApiKey::Produce);
    world.sleep(10_000);
    world.assert_saw("reason: Idle");
    world.sleep(200);
    world.append(0);
    world.connect();
    world.answer_versions();
    world.next(ApiKey::Produce);
}

#[test]
fn nothing_is_gathered_while_the_kernel_has_not_taken_all() {
    let mut config = config();
    config.linger = Linger::Fixed(Duration::ZERO);
    let mut world = World::new(config);
    world.leaders = vec![(1, 0), (1, 0)];
    let mut world = world.get_ready();
    world.append(0);
    world.connect();
    world.kernel_is_full = true;
    world.answer_versions();
    world.next(ApiKey::Produce);
    world.append(1);
    world.append_anywhere(1);
    assert!(world.asked.is_empty());
    world.kernel_takes_all();
    let asked = world.next(ApiKey::Produce);
    assert_eq!(asked.produce().topics[0].partitions.len(), 1);
    assert!(world.asked.is_empty());
}

/// A world in which a request of two records is a large one, with the answer to one just come.
fn busy_world() -> World {
    let mut config = config();
    config.busy_from = 2;
    let mut world = World::new(config);
    world.leaders = vec![(1, 0), (1, 0)];
    let mut world = world.get_ready();
    world.append(0);
    world.append(1);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    world
}

#[test]
fn under_load_a_request_waits_for_a_breath_and_no_longer() {
    let mut world = busy_world();
    world.append(0);
    assert!(world.asked.is_empty());
    assert!(world.engine.pause_left(world.now).is_some());
    world.sleep_us(100);
    world.next(ApiKey::Produce);
    assert!(world.engine.pause_left(world.now).is_none());
}

#[test]
fn breaths_go_on_while_batches_grow_but_not_for_ever() {
    let mut world = busy_world();
    world.append(0);
    for _ in 0..9 {
        world.append_anywhere(1);
        world.sleep_us(100);
        assert!(world.asked.is_empty());
    }
    world.append_anywhere(1);
    world.sleep_us(100);
    world.next(ApiKey::Produce);
}

#[test]
fn a_request_that_leaves_meanwhile_ends_the_pause() {
    let mut world = busy_world();
    world.append(0);
    world.append(1);
    let partition = PartitionId { topic: 0, index: 1 };
    world.queues.0.get_mut(&partition).unwrap().request_flush();
    world.engine.mark_dirty(partition);
    world.step();
    world.next(ApiKey::Produce);
    // Sleeping on would keep its answer waiting.
    assert!(world.engine.pause_left(world.now).is_none());
}

#[test]
fn a_record_long_after_the_load_leaves_at_once() {
    let mut world = busy_world();
    world.sleep(2);
    world.append(0);
    world.next(ApiKey::Produce);
}
