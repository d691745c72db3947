//! ApiVersions, Metadata and CreateTopics: what a cluster says of itself.

use downpour_fake::logic::{Cluster, Then};
use downpour_fake::{ApiKey, ErrorCode, KafkaVersion, TopicSpec};
use downpour_wire::header::decode_response_header;
use downpour_wire::messages::{
    ApiVersionsRequest, ApiVersionsResponse, CreatableTopic, CreateTopicsRequest, Decode,
    MetadataRequest, MetadataRequestTopic,
};
use downpour_wire::primitives::{Reader, Uuid};

use crate::support::*;

fn versions_request() -> ApiVersionsRequest {
    ApiVersionsRequest {
        client_software_name: "test".to_owned(),
        client_software_version: "1".to_owned(),
    }
}

fn by_name(names: &[&str], create: bool) -> MetadataRequest {
    let topic = |name: &&str| MetadataRequestTopic {
        topic_id: Uuid::ZERO,
        name: Some((*name).to_owned()),
    };
    MetadataRequest {
        topics: Some(names.iter().map(topic).collect()),
        allow_auto_topic_creation: create,
        ..MetadataRequest::default()
    }
}

#[test]
fn each_release_offers_its_own_ranges() {
    let highest = |release, api| {
        let mut cluster = Cluster::new(1, release);
        let answer = ask(&mut cluster, 1, &versions_request(), 2);
        let found = answer
            .api_keys
            .into_iter()
            .find(|offer| offer.api_key == api as i16);
        found.map(|offer| (offer.min_version, offer.max_version))
    };
    assert_eq!(highest(KafkaVersion::V2_1, ApiKey::Produce), Some((0, 7)));
    assert_eq!(highest(KafkaVersion::V2_8, ApiKey::Produce), Some((0, 9)));
    assert_eq!(highest(KafkaVersion::V3_9, ApiKey::Produce), Some((0, 11)));
    assert_eq!(highest(KafkaVersion::V4_3, ApiKey::Produce), Some((0, 13)));
    assert_eq!(highest(KafkaVersion::V2_8, ApiKey::Metadata), Some((1, 11)));
}

#[test]
fn whatever_is_offered_above_its_floor_is_served() {
    for release in [
        KafkaVersion::V2_1,
        KafkaVersion::V2_8,
        KafkaVersion::V3_9,
        KafkaVersion::V4_3,
    ] {
        let mut cluster = Cluster::new(1, release);
        cluster.create_topic("events", 1);
        let highest = |api: ApiKey| release.highest(api).expect("every release has it");
        for version in 1..=highest(ApiKey::Metadata) {
            let answer = ask(&mut cluster, 1, &by_name(&["events"], true), version);
            assert_eq!(answer.topics[0].partitions.len(), 1, "Metadata {version}");
        }
        for version in 0..=highest(ApiKey::ApiVersions) {
            assert_eq!(
                ask(&mut cluster, 1, &versions_request(), version).error_code,
                OK
            );
        }
        for version in 3..=highest(ApiKey::Produce) {
            let answer = produce_to(&mut cluster, 1, version, "events", 0, batch(&["a"]));
            assert_eq!(answer.error_code, OK, "Produce {version}");
        }
        assert_eq!(cluster.violations().len(), 0);
    }
}

#[test]
fn client_that_is_too_new_is_told_35_in_version_0() {
    for (release, named) in [(KafkaVersion::V2_1, 0), (KafkaVersion::V2_8, 1)] {
        let mut cluster = Cluster::new(1, release);
        let reaction = cluster.handle(T0, 1, 1, &frame(&versions_request(), 4, 3));
        assert_eq!(reaction.then, Then::Continue);
        let answer = reaction.answer.expect("an answer");
        let mut r = Reader::new(&answer[4..]);
        assert_eq!(decode_response_header(&mut r, false), Ok(3));
        let answer = ApiVersionsResponse::decode(&mut r, 0).expect("a body of version 0");
        assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_VERSION);
        assert_eq!(answer.api_keys.len(), named, "{release:?}");
    }
}

#[test]
fn client_that_calls_itself_what_kafka_does_not_allow_is_refused() {
    let mut cluster = one_broker();
    for (name, expected) in [
        ("downpour", OK),
        ("down-pour.rs", OK),
        ("", ErrorCode::INVALID_REQUEST),
        ("-a", ErrorCode::INVALID_REQUEST),
        ("a b", ErrorCode::INVALID_REQUEST),
    ] {
        let request = ApiVersionsRequest {
            client_software_name: name.to_owned(),
            client_software_version: "1".to_owned(),
        };
        assert_eq!(
            ask(&mut cluster, 1, &request, 3).error_code,
            expected,
            "{name:?}"
        );
    }
}

#[test]
fn version_that_is_not_offered_closes_the_connection() {
    let mut cluster = Cluster::new(1, KafkaVersion::V2_1);
    let reaction = cluster.handle(T0, 1, 1, &frame(&by_name(&["events"], true), 8, 1));
    assert_eq!((reaction.answer, reaction.then), (None, Then::Close));
    assert_eq!(cluster.violations().len(), 1);
}

#[test]
fn one_broker_may_be_of_another_release() {
    let mut cluster = three_brokers();
    cluster.set_kafka(2, KafkaVersion::V2_8);
    cluster.set_api_versions(3, ApiKey::InitProducerId, None);
    let offers = |cluster: &mut Cluster, node| ask(cluster, node, &versions_request(), 3).api_keys;
    assert_eq!(offers(&mut cluster, 1)[0].max_version, 13);
    assert_eq!(offers(&mut cluster, 2)[0].max_version, 9);
    assert_eq!(
        offers(&mut cluster, 3).len(),
        offers(&mut cluster, 1).len() - 1
    );
}

#[test]
fn metadata_names_leaders_epochs_and_living_brokers() {
    let mut cluster = three_brokers();
    cluster.kill(2);
    let answer = ask(&mut cluster, 1, &by_name(&["events"], false), 12);
    let brokers: Vec<i32> = answer.brokers.iter().map(|broker| broker.node_id).collect();
    assert_eq!((brokers, answer.controller_id), (vec![1, 3], 1));
    let topic = &answer.topics[0];
    assert_eq!(Some(topic.topic_id), cluster.topic_id("events"));
    let leaders: Vec<(i32, i32)> = topic
        .partitions
        .iter()
        .map(|found| (found.leader_id, found.leader_epoch))
        .collect();
    assert_eq!(leaders, [(1, 0), (3, 1), (3, 0)]);
    assert_eq!(topic.partitions[0].replica_nodes, [1, 2, 3]);
    assert_eq!(topic.partitions[0].isr_nodes, [1, 3]);
    assert_eq!(topic.partitions[0].offline_replicas, [2]);
}

#[test]
fn null_asks_for_all_topics_and_an_empty_list_for_none() {
    let mut cluster = one_broker();
    cluster.create_topic("other", 1);
    let mut count = |topics| {
        let request = MetadataRequest {
            topics,
            ..MetadataRequest::default()
        };
        ask(&mut cluster, 1, &request, 9).topics.len()
    };
    assert_eq!((count(None), count(Some(Vec::new()))), (2, 0));
}

#[test]
fn topic_can_be_asked_for_by_id() {
    let mut cluster = one_broker();
    let id = cluster.topic_id("events").expect("there is one");
    let by_id = |topic_id| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            topic_id,
            name: None,
        }]),
        ..MetadataRequest::default()
    };
    assert_eq!(
        ask(&mut cluster, 1, &by_id(id), 12).topics[0]
            .name
            .as_deref(),
        Some("events")
    );
    let unknown = ask(&mut cluster, 1, &by_id(Uuid([1; 16])), 12);
    assert_eq!(unknown.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

#[test]
fn missing_topic_is_created_only_if_both_sides_want_it() {
    for (cluster_wants, client_wants) in [(true, true), (true, false), (false, true)] {
        let mut cluster = one_broker();
        cluster.set_auto_create(cluster_wants);
        cluster.set_default_partitions(4);
        let first = ask(&mut cluster, 1, &by_name(&["new"], client_wants), 9);
        assert_eq!(
            first.topics[0].error_code,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        );
        let made = cluster.partition_count("new");
        assert_eq!(made, (cluster_wants && client_wants).then_some(4));
    }
}

#[test]
fn zookeeper_s_kafka_says_leader_not_available_of_a_topic_in_the_making() {
    let mut cluster = Cluster::new(1, KafkaVersion::V2_8);
    cluster.set_auto_create(true);
    let first = ask(&mut cluster, 1, &by_name(&["new"], true), 9);
    assert_eq!(first.topics[0].error_code, ErrorCode::LEADER_NOT_AVAILABLE);
    let second = ask(&mut cluster, 1, &by_name(&["new"], true), 9);
    assert_eq!(second.topics[0].error_code, OK);
}

#[test]
fn name_that_kafka_does_not_allow_is_17() {
    let mut cluster = one_broker();
    cluster.set_auto_create(true);
    for name in ["", "..", "a b", "ä"] {
        let answer = ask(&mut cluster, 1, &by_name(&[name], true), 9);
        assert_eq!(
            answer.topics[0].error_code,
            ErrorCode::INVALID_TOPIC_EXCEPTION,
            "{name:?}"
        );
    }
}

#[test]
fn topic_that_is_made_again_has_another_id() {
    let mut cluster = one_broker();
    let before = cluster.topic_id("events");
    cluster.delete_topic("events");
    cluster.create_topic("events", TopicSpec::new(1));
    assert_ne!(cluster.topic_id("events"), before);
}

#[test]
fn create_topics_creates_once() {
    let mut cluster = three_brokers();
    let request = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: "made".to_owned(),
            num_partitions: 5,
            replication_factor: 2,
            ..CreatableTopic::default()
        }],
        ..CreateTopicsRequest::default()
    };
    for version in 2..=7 {
        let expected = if version == 2 {
            OK
        } else {
            ErrorCode::TOPIC_ALREADY_EXISTS
        };
        let answer = ask(&mut cluster, 1, &request, version);
        assert_eq!(
            answer.topics[0].error_code, expected,
            "CreateTopics {version}"
        );
    }
    assert_eq!(cluster.partition_count("made"), Some(5));
}
