//! Another cluster answers than the one that records went to.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{ApiKey, InitProducerIdResponse};
use downpour_wire::primitives::Uuid;

use super::harness::{Asked, World, config};
use crate::client::connect_error::ConnectErrorKind;
use crate::config::Config;
use crate::ids::ConnectionId;

/// Writes to the cluster `first`, whose producer id 7 was used on partition 0.
fn at_first(config: Config) -> (World, ConnectionId) {
    let mut world = World::new(config);
    world.cluster_id = Some("first");
    world.topic_id = Uuid([1; 16]);
    world.leaders = vec![(1, 5), (1, 5)];
    let mut world = world.get_ready();
    world.append(0);
    let connection_id = world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 41);
    assert_eq!(world.verdicts[&0], "at Some(41)");
    (world, connection_id)
}

/// The brokers are gone: one of the user's addresses is tried, and lets in.
fn at_the_user_s_address(world: &mut World) {
    for _ in 0..400 {
        world.sleep(20);
        while world.connects.front().is_some_and(|c| c.2.is_some()) {
            world.refuse();
        }
        if !world.connects.is_empty() {
            break;
        }
    }
    let (_, address, _) = world.connect();
    assert!(address.host.starts_with("boot"), "{address}");
    world.answer_versions();
}

/// From now on `second` answers, with a topic of one partition that begins anew.
fn be_second(world: &mut World) {
    world.cluster_id = Some("second");
    world.topic_id = Uuid([2; 16]);
    world.leaders = vec![(2, 0)];
}

fn grant(world: &mut World, producer_id: i64) {
    let asked = world.next(ApiKey::InitProducerId);
    let response = InitProducerIdResponse {
        producer_id,
        ..Default::default()
    };
    world.answer(&asked, &response);
}

/// Producer id, epoch and sequence of the only batch of a request.
fn stamp(asked: &Asked) -> (i64, i16, i32) {
    let request = asked.produce();
    let bytes = request.topics[0].partitions[0].records.clone().unwrap();
    let i64_at = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
    let i32_at = |at: usize| i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let epoch = i16::from_be_bytes(bytes[51..53].try_into().unwrap());
    (i64_at(43), epoch, i32_at(53))
}

#[test]
fn another_cluster_at_the_user_s_addresses_is_followed_under_a_new_producer_id() {
    let (mut world, broker) = at_first(config());
    world.append(0);
    let refused = world.next(ApiKey::Produce);
    assert_eq!(stamp(&refused), (7, 0, 1));
    world.answer_produce(&refused, ErrorCode::NOT_ENOUGH_REPLICAS, -1);
    // The other partition's may be in the first cluster's log.
    world.append(1);
    world.next(ApiKey::Produce);
    world.lose(broker);
    be_second(&mut world);
    at_the_user_s_address(&mut world);
    world.answer_metadata();
    world.assert_saw("ClusterChanged");
    assert!(world.saw("before: \"first\"") && world.saw("after: \"second\""));
    grant(&mut world, 9);
    world.sleep(1000);
    assert!(world.connects.front().is_some_and(|c| c.2 == Some(2)));
    world.connect_broker();
    // Its epoch is lower than the former leader's, and its topic has one partition.
    world.sleep(1000);
    let asked = world.next(ApiKey::Produce);
    assert_eq!(stamp(&asked), (9, 0, 0));
    world.answer_produce(&asked, ErrorCode::NONE, 3);
    assert_eq!(world.verdicts[&1], "at Some(3)");
    let gone = &world.verdicts[&2];
    assert!(gone.starts_with("unknown: the partition is gone"), "{gone}");
}

#[test]
fn a_batch_in_doubt_ends_unknown_when_the_cluster_is_another_one() {
    let (mut world, broker) = at_first(config());
    world.append(0);
    world.next(ApiKey::Produce);
    world.lose(broker);
    be_second(&mut world);
    at_the_user_s_address(&mut world);
    world.answer_metadata();
    grant(&mut world, 9);
    world.sleep(1000);
    world.connect_broker();
    world.sleep(1000);
    assert!(
        world.verdicts[&1].starts_with("unknown: "),
        "{:?}",
        world.verdicts
    );
    assert!(world.asked.is_empty(), "it is not sent there");
    world.append(0);
    let asked = world.next(ApiKey::Produce);
    assert_eq!(stamp(&asked), (9, 0, 0));
}

#[test]
fn nothing_leaves_for_another_cluster_before_it_grants_a_producer_id() {
    let (mut world, broker) = at_first(config());
    world.append(0);
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NOT_ENOUGH_REPLICAS, -1);
    world.lose(broker);
    be_second(&mut world);
    at_the_user_s_address(&mut world);
    world.answer_metadata();
    world.sleep(1000);
    assert!(world.connects.front().is_some_and(|c| c.2 == Some(2)));
    world.connect_broker_behind();
    world.sleep(1000);
    assert!(
        world
            .asked
            .iter()
            .all(|asked| asked.api() != ApiKey::Produce)
    );
    grant(&mut world, 7);
    let asked = world.next(ApiKey::Produce);
    assert_eq!(
        stamp(&asked).2,
        0,
        "the same number is another producer there"
    );
}

#[test]
fn a_broker_whose_address_is_somebody_else_s_is_left_and_its_cluster_is_not_followed() {
    let mut config = config();
    config.idle_timeout = std::time::Duration::from_secs(1000);
    let (mut world, broker) = at_first(config);
    be_second(&mut world);
    world.sleep(301_000);
    world.append(0);
    let at = world.asked.iter().position(|a| a.api() == ApiKey::Metadata);
    let asked = world
        .asked
        .remove(at.expect("its metadata is old"))
        .unwrap();
    assert_eq!(asked.connection_id, broker);
    let response = world.metadata();
    world.answer(&asked, &response);
    assert!(world.disconnects.contains(&broker));
    assert_eq!(world.failures, [ConnectErrorKind::OtherCluster]);
    assert!(!world.saw("ClusterChanged"));
    // The user's addresses say where its cluster is.
    (world.cluster_id, world.topic_id) = (Some("first"), Uuid([1; 16]));
    world.leaders = vec![(1, 5), (1, 5)];
    world.asked.clear();
    at_the_user_s_address(&mut world);
    world.answer_metadata();
    world.sleep(2000);
    assert!(world.connects.front().is_some_and(|c| c.2 == Some(1)));
    assert!(!world.saw("ClusterChanged"));
}

#[test]
fn by_a_setting_another_cluster_fails_what_waits_and_is_not_followed() {
    let mut config = config();
    config.fail_on_cluster_change = true;
    let (mut world, broker) = at_first(config);
    world.append(0);
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NOT_ENOUGH_REPLICAS, -1);
    world.lose(broker);
    be_second(&mut world);
    at_the_user_s_address(&mut world);
    world.answer_metadata();
    let verdict = &world.verdicts[&1];
    assert!(verdict.starts_with("failed: "), "{verdict}");
    let said = "cluster second answers there, and this producer writes to cluster first";
    assert!(verdict.contains(said), "{verdict}");
    assert!(world.failures.contains(&ConnectErrorKind::OtherCluster));
    assert!(!world.saw("ClusterChanged"));
    // It is tried again, and the first cluster may be there again.
    (world.cluster_id, world.topic_id) = (Some("first"), Uuid([1; 16]));
    world.leaders = vec![(1, 5), (1, 5)];
    world.append(0);
    at_the_user_s_address(&mut world);
    world.answer_metadata();
    world.sleep(2000);
    world.connect_broker();
    world.sleep(2000);
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 42);
    assert_eq!(world.verdicts[&2], "at Some(42)");
}

#[test]
fn a_cluster_that_tells_no_id_is_no_other_one() {
    let (mut world, broker) = at_first(config());
    world.append(0);
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NOT_ENOUGH_REPLICAS, -1);
    world.lose(broker);
    world.cluster_id = None;
    at_the_user_s_address(&mut world);
    world.answer_metadata();
    assert!(!world.saw("ClusterChanged"));
}
