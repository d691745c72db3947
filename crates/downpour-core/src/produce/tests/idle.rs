//! Topics that nobody sends to leave the picture, and come back.

use std::sync::Arc;
use std::time::Duration;

use downpour_wire::batch::BatchView;
use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{ApiKey, MetadataResponse};
use downpour_wire::primitives::Uuid;

use crate::config::Config;
use crate::ids::PartitionId;

use super::harness::{Asked, World, config};

const IDLE_MS: u64 = 300_000;
const LEADERS: &str = "[Some(1), Some(2)]";

/// Whose topic has an id, whose first records are in the log, and who sends nothing any more.
fn idle() -> World {
    let mut config = config();
    // A refresh is not worth a connection.
    config.idle_timeout = Duration::from_secs(3600);
    let mut world = World::new(config);
    world.topic_id = Uuid([1; 16]);
    world.leaders = vec![(1, 5), (2, 5)];
    let mut world = world.get_ready();
    let ticket = world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    assert_eq!(world.verdicts[&ticket], "at Some(0)");
    world.topics.clear();
    world
}

fn names(asked: &Asked) -> Vec<String> {
    let topics = asked.metadata().topics.unwrap();
    topics.into_iter().filter_map(|topic| topic.name).collect()
}

/// The refresh that is due, with these topics.
fn refresh(world: &mut World, topics: &[&str]) {
    let asked = world.next(ApiKey::Metadata);
    assert_eq!(names(&asked), topics);
    let mut response = world.metadata();
    response
        .topics
        .retain(|topic| topics.contains(&topic.name.as_deref().unwrap()));
    world.answer(&asked, &response);
}

/// Laid to rest.
fn resting() -> World {
    let mut world = idle();
    world.sleep(IDLE_MS);
    refresh(&mut world, &[]);
    assert_eq!(world.topics, ["idle"]);
    world.topics.clear();
    world.events.clear();
    world
}

/// Producer id, epoch and first sequence of a request's only batch.
fn stamp(asked: &Asked) -> (i64, i16, i32) {
    let request = asked.produce();
    let bytes = request.topics[0].partitions[0].records.as_ref().unwrap();
    let (batch, _) = BatchView::parse(bytes).unwrap();
    (batch.producer_id, batch.producer_epoch, batch.base_sequence)
}

#[test]
fn a_topic_that_nobody_sends_to_is_left_out_of_refreshes_until_somebody_wants_it() {
    let mut world = resting();
    for _ in 0..3 {
        world.sleep(IDLE_MS);
        refresh(&mut world, &[]);
    }
    assert!(world.topics.is_empty(), "said once");
    world.want();
    refresh(&mut world, &["t"]);
    assert_eq!(world.topics, [LEADERS]);
    assert!(!world.saw("LeaderMoved"), "nothing has moved");
    // It is wanted, though nothing was sent yet.
    world.sleep(IDLE_MS - 1000);
    assert!(world.asked.is_empty());
    world.want();
    refresh(&mut world, &["t"]);
    world.sleep(IDLE_MS);
    refresh(&mut world, &[]);
}

#[test]
fn a_topic_that_is_sent_to_now_and_then_stays() {
    let mut world = idle();
    for base_offset in 1..4 {
        world.sleep(IDLE_MS - 1000);
        world.append(0);
        let asked = world.next(ApiKey::Produce);
        world.answer_produce(&asked, ErrorCode::NONE, base_offset);
        world.sleep(1000);
        refresh(&mut world, &["t"]);
    }
    assert!(world.topics.is_empty());
}

fn patient() -> Config {
    let mut config = config();
    config.delivery_timeout = Duration::from_secs(3600);
    config.request_timeout = Duration::from_secs(1000);
    config.idle_timeout = Duration::from_secs(3600);
    config
}

#[test]
fn a_topic_with_a_request_on_its_way_is_not_idle_however_long_that_takes() {
    let mut world = World::ready(patient());
    world.append(0);
    world.connect_broker();
    let in_flight = world.next(ApiKey::Produce);
    for _ in 0..2 {
        world.sleep(IDLE_MS);
        // The broker that owes an answer is not asked.
        while !world.connects.is_empty() {
            world.connect();
            world.answer_versions();
        }
        refresh(&mut world, &["t"]);
    }
    assert!(in_flight.api() == ApiKey::Produce && world.verdicts.is_empty());
    assert!(!world.topics.iter().any(|told| told == "idle"));
}

#[test]
fn a_topic_whose_records_wait_for_a_leader_is_not_idle_however_long_that_takes() {
    let mut world = World::new(patient());
    world.leaders = vec![(-1, 6), (-1, 6)];
    let mut world = world.get_ready();
    let ticket = world.append(0);
    for _ in 0..700 {
        world.sleep(1000);
        while !world.asked.is_empty() {
            refresh(&mut world, &["t"]);
        }
    }
    assert!(!world.topics.iter().any(|told| told == "idle"));
    assert!(!world.verdicts.contains_key(&ticket));
}

#[test]
fn a_partition_goes_on_with_its_identity_and_sequence_when_its_topic_comes_back() {
    let mut world = resting();
    world.want();
    refresh(&mut world, &["t"]);
    world.append(0);
    let asked = world.next(ApiKey::Produce);
    assert_eq!(stamp(&asked), (7, 0, 1));
    // Nothing is proven after a lull: the next one waits.
    world.append(0);
    assert!(world.asked.is_empty());
    world.answer_produce(&asked, ErrorCode::NONE, 1);
    let asked = world.next(ApiKey::Produce);
    assert_eq!(stamp(&asked), (7, 0, 2));
    world.answer_produce(&asked, ErrorCode::NONE, 2);
}

#[test]
fn a_queue_gives_back_the_room_for_batches_that_it_has_not() {
    let mut world = idle();
    let partition = PartitionId { topic: 0, index: 0 };
    let queue = world.queues.0.get_mut(&partition).unwrap();
    assert!(queue.room() > 0);
    queue.shrink();
    assert_eq!(queue.room(), 0);
}

#[test]
fn records_that_come_to_a_resting_topic_wait_for_its_leaders_and_ask_for_it_alone() {
    let mut world = resting();
    let ticket = world.append(1);
    assert!(!world.verdicts.contains_key(&ticket));
    refresh(&mut world, &["t"]);
    assert!(world.asked.is_empty(), "no refresh of all behind it");
    assert_eq!(world.topics, [LEADERS]);
    let (_, address, broker) = world.connect();
    assert_eq!((&*address.host, broker), ("b2", Some(2)));
    world.answer_versions();
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    assert_eq!(world.verdicts[&ticket], "at Some(0)");
    // It is in the refreshes again.
    world.sleep(IDLE_MS - 1000);
    world.append(0);
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 1);
    world.sleep(1000);
    refresh(&mut world, &["t"]);
}

#[test]
fn what_came_to_a_resting_topic_is_asked_for_as_long_as_it_waits() {
    // A right may be given again. Whoever sends anew is told at once, and what was accepted waits.
    for code in [
        ErrorCode::LEADER_NOT_AVAILABLE,
        ErrorCode::TOPIC_AUTHORIZATION_FAILED,
    ] {
        let mut world = resting();
        let ticket = world.append(0);
        let mut questions = 0;
        while !world.verdicts.contains_key(&ticket) {
            world.sleep(1000);
            while !world.asked.is_empty() {
                let asked = world.next(ApiKey::Metadata);
                let mut response = world.metadata();
                response.topics[0].error_code = code;
                response.topics[0].partitions.clear();
                world.answer(&asked, &response);
                questions += 1;
            }
        }
        assert!(world.verdicts[&ticket].starts_with("failed"));
        assert!((75..200).contains(&questions), "{code}: {questions}");
    }
}

fn gone(world: &World) -> MetadataResponse {
    let mut response = world.metadata();
    response.topics[0].error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    response.topics[0].partitions.clear();
    response
}

#[test]
fn one_that_was_deleted_while_it_rested_is_refused_as_one_that_never_was() {
    let mut world = resting();
    world.want();
    for _ in 0..100 {
        if world.topics.iter().any(|told| told.contains("fatal=true")) {
            break;
        }
        while !world.asked.is_empty() {
            let asked = world.next(ApiKey::Metadata);
            let response = gone(&world);
            world.answer(&asked, &response);
        }
        world.sleep(100);
    }
    assert!(world.topics.last().unwrap().contains("fatal=true"));
}

#[test]
fn one_made_anew_with_fewer_partitions_while_it_rested_ends_what_waits_in_those_that_are_gone() {
    let mut world = resting();
    let ticket = world.append(1);
    (world.topic_id, world.leaders) = (Uuid([2; 16]), vec![(1, 0)]);
    refresh(&mut world, &["t"]);
    assert_eq!(world.topics, ["[Some(1)]"]);
    assert!(
        world.verdicts[&ticket].starts_with("failed"),
        "{:?}",
        world.verdicts
    );
}

#[test]
fn the_word_of_a_broker_that_lags_takes_no_partition_from_a_topic_that_rested() {
    let mut world = resting();
    world.want();
    let leaders = std::mem::replace(&mut world.leaders, vec![(1, 5)]);
    refresh(&mut world, &["t"]);
    assert_eq!(world.topics, ["[Some(1), None]"]);
    world.leaders = leaders;
    world.want();
    world.sleep(1000);
    refresh(&mut world, &["t"]);
    assert_eq!(world.topics[1], LEADERS);
}

#[test]
fn whoever_asks_for_the_partitions_of_a_resting_topic_is_answered() {
    let mut world = resting();
    let until = world.now + Duration::from_secs(60);
    let engine = &mut world.engine;
    engine.handle_partitions_wanted(0, &Arc::from("t"), until);
    world.step();
    refresh(&mut world, &["t"]);
    assert_eq!(world.answers.len(), 1);
    assert_eq!(world.topics, [LEADERS]);
}
