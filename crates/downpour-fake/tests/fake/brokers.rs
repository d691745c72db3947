//! Leaders that move and brokers that come and go, in the logic.

use downpour_fake::logic::{Cluster, Then};
use downpour_fake::{ErrorCode, KafkaVersion, TopicSpec};

use crate::support::*;

#[test]
fn broker_that_does_not_lead_names_the_leader_from_version_10_on() {
    let mut cluster = three_brokers();
    cluster.move_leader("events", 0, 3);
    cluster.set_address(3, "there", 1234);
    let request = |cluster: &mut Cluster, version| {
        let asked = produce_request(-1, "events", 0, batch(&["a"]));
        ask(cluster, 1, &asked, version)
    };
    let hinted = request(&mut cluster, 10);
    let endpoint = &hinted.node_endpoints[0];
    assert_eq!(
        (endpoint.node_id, endpoint.host.as_str(), endpoint.port),
        (3, "there", 1234)
    );
    let partition = only(hinted);
    assert_eq!(partition.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    let leader = partition.current_leader.expect("a hint");
    assert_eq!((leader.leader_id, leader.leader_epoch), (3, 1));

    let plain = only(request(&mut cluster, 9));
    assert_eq!(plain.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    assert_eq!(plain.current_leader, None);
    assert_eq!(cluster.end_offset("events", 0), 0);
}

#[test]
fn unknown_topics_are_3_by_name_and_100_by_id() {
    let mut cluster = one_broker();
    let by_name = produce_to(&mut cluster, 1, 12, "nowhere", 0, batch(&["a"]));
    assert_eq!(by_name.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let by_id = produce_to(&mut cluster, 1, 13, "nowhere", 0, batch(&["a"]));
    assert_eq!(by_id.error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

#[test]
fn killed_broker_s_partitions_move_under_a_new_epoch_and_stay_after_its_return() {
    let mut cluster = three_brokers();
    produce(&mut cluster, "events", 0, stamped(0, 0, 2));
    assert!(cluster.kill(1));
    assert!(!cluster.kill(1));
    assert_eq!(
        (
            cluster.leader("events", 0),
            cluster.leader_epoch("events", 0)
        ),
        (2, 1)
    );
    assert_eq!(
        produce(&mut cluster, "events", 0, stamped(0, 2, 2)).base_offset,
        2
    );
    assert!(cluster.restart(1));
    assert_eq!(
        (
            cluster.leader("events", 0),
            cluster.leader_epoch("events", 0)
        ),
        (2, 1)
    );
    let epochs: Vec<i32> = cluster
        .records("events", 0)
        .iter()
        .map(|record| record.leader_epoch)
        .collect();
    assert_eq!(epochs, [0, 0, 1, 1]);
}

#[test]
fn partition_without_a_living_replica_has_no_leader_until_one_returns() {
    let mut cluster = one_broker();
    produce(&mut cluster, "events", 0, batch(&["a"]));
    cluster.kill(1);
    assert_eq!(cluster.leader("events", 0), -1);
    let reaction = react(&mut cluster, batch(&["b"]));
    assert_eq!((reaction.answer, reaction.then), (None, Then::Close));
    cluster.restart(1);
    assert_eq!(
        (
            cluster.leader("events", 0),
            cluster.leader_epoch("events", 0)
        ),
        (1, 2)
    );
    assert_eq!(values(&cluster, "events", 0), ["a"]);
}

#[test]
fn acks_all_needs_as_many_replicas_as_the_topic_wants() {
    let mut cluster = Cluster::new(3, KafkaVersion::V4_3);
    cluster.create_topic("safe", TopicSpec::new(1).min_insync_replicas(2));
    cluster.kill(3);
    assert_eq!(
        produce(&mut cluster, "safe", 0, batch(&["a"])).error_code,
        OK
    );
    cluster.kill(2);
    let answer = produce(&mut cluster, "safe", 0, batch(&["b"]));
    assert_eq!(answer.error_code, ErrorCode::NOT_ENOUGH_REPLICAS);
    let careless = produce_request(1, "safe", 0, batch(&["c"]));
    assert_eq!(only(ask(&mut cluster, 1, &careless, 9)).error_code, OK);
    assert_eq!(values(&cluster, "safe", 0), ["a", "c"]);
}

#[test]
fn grown_topic_has_room_in_its_new_partitions() {
    let mut cluster = three_brokers();
    cluster.grow_topic("events", 5);
    assert_eq!(cluster.partition_count("events"), Some(5));
    assert_eq!(
        produce(&mut cluster, "events", 4, batch(&["a"])).error_code,
        OK
    );
}

#[test]
#[should_panic(expected = "the fake has no broker 9")]
fn command_about_a_broker_that_is_not_there_panics() {
    one_broker().kill(9);
}
