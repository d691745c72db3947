//! Which brokers are told to be silent, and until when.

use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::ApiKey;

use super::harness::{World, config};
use crate::config::Linger;

#[test]
fn a_broker_that_owes_an_answer_for_a_second_is_silent_until_it_answers() {
    let mut config = config();
    // Sweeps come every 900 ms then, so that it is no sweep that sees it.
    config.delivery_timeout = Duration::from_secs(18);
    let mut world = World::ready(config);
    world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.sleep(999);
    assert_eq!(world.silences, []);
    let wake = world.engine.next_wake(world.now).unwrap();
    assert_eq!(wake - world.now, Duration::from_millis(1));
    world.sleep(1);
    world.sleep(5_000);
    assert_eq!(world.silences, [(1, Some(1000))]);
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    assert_eq!(world.silences, [(1, Some(1000)), (1, None)]);
}

#[test]
fn each_answer_begins_the_second_anew() {
    let mut world = World::ready(config());
    world.append(0);
    world.connect_broker();
    for offset in 0..4 {
        let asked = world.next(ApiKey::Produce);
        world.append(0);
        world.sleep(700);
        world.answer_produce(&asked, ErrorCode::NONE, offset);
        world.sleep(5);
    }
    assert_eq!(world.silences, []);
}

#[test]
fn a_broker_out_of_reach_is_silent_while_records_wait_for_it() {
    let mut world = World::ready(config());
    world.sleep(5_000);
    assert_eq!(world.silences, [], "nothing is asked of anybody");
    world.append(0);
    world.sleep(1_000);
    assert_eq!(world.silences, [(1, Some(1000))]);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    assert_eq!(world.silences.len(), 1, "it has not answered yet");
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    assert_eq!(world.silences[1..], [(1, None)]);
}

#[test]
fn a_silent_broker_whose_connection_ends_is_silent_until_it_answers() {
    let mut world = World::ready(config());
    world.append(0);
    let connection_id = world.connect_broker();
    world.next(ApiKey::Produce);
    world.sleep(1_000);
    world.lose(connection_id);
    world.sleep(1_100);
    world.connect_broker();
    world.sleep(1_100);
    assert_eq!(world.silences, [(1, Some(1000))]);
    if world.asked[0].api() == ApiKey::Metadata {
        world.answer_metadata();
    }
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    assert_eq!(world.silences[1..], [(1, None)]);
}

#[test]
fn a_broker_of_which_nothing_is_asked_any_more_is_not_silent() {
    let mut config = config();
    config.delivery_timeout = Duration::from_secs(4);
    let mut world = World::ready(config);
    world.append(0);
    world.sleep(1_000);
    world.sleep(3_000);
    world.sleep(1_000);
    assert_eq!(world.silences, [(1, Some(1000)), (1, None)]);
}

#[test]
fn a_long_linger_is_no_silence() {
    let mut config = config();
    config.linger = Linger::Fixed(Duration::from_secs(20));
    let mut world = World::ready(config);
    world.append(0);
    world.sleep(500);
    world.connect_broker();
    world.sleep(10_000);
    assert_eq!(world.silences, []);
}
