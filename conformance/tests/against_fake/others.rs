//! What is asked beside Produce: ApiVersions, Metadata, InitProducerId, CreateTopics, ListOffsets.
//! Each script is run in every version that the release has, from the one that stands beside it on.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::header::encode_request;
use downpour_wire::messages::{
    ApiKey, ApiVersionsRequest, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
    InitProducerIdRequest, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
    MetadataRequest, MetadataRequestTopic,
};
use downpour_wire::primitives::Uuid;

use crate::talk::Talk;

/// A script: its name, what it asks, from which version on.
pub(crate) type Script = (&'static str, ApiKey, i16, fn(&mut Talk<'_>));

fn named(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic {
        name: Some(name.to_owned()),
        ..MetadataRequestTopic::default()
    }
}

fn by_id(topic_id: Uuid) -> MetadataRequestTopic {
    MetadataRequestTopic {
        topic_id,
        name: None,
    }
}

fn metadata(t: &mut Talk<'_>, topics: Option<Vec<MetadataRequestTopic>>, creates: bool) {
    let request = MetadataRequest {
        topics,
        // Before 4 it cannot be said, and means that they are created.
        allow_auto_topic_creation: creates || t.version < 4,
        ..MetadataRequest::default()
    };
    let told = match t.peer.ask(&request, t.version) {
        Ok(told) => told,
        Err(how) => return t.hear(format!("metadata: {how}")),
    };
    let brokers: Vec<_> = told
        .brokers
        .iter()
        .map(|broker| (broker.node_id, &broker.host, broker.port > 0, &broker.rack))
        .collect();
    t.hear(format!(
        "metadata: {} brokers {brokers:?} controller {} cluster {} operations {}",
        told.error_code,
        told.controller_id,
        told.cluster_id.map_or(0, |id| id.len()),
        told.cluster_authorized_operations,
    ));
    let mut lines = Vec::new();
    for topic in told.topics {
        let known = t.name("", topic.topic_id);
        let mut partitions = topic.partitions;
        partitions.sort_by_key(|partition| partition.partition_index);
        let count = partitions.len();
        let first = partitions.first();
        lines.push(format!(
            "metadata: {} {:?} id {known} internal {} operations {} {count} partitions, {first:?}",
            topic.error_code, topic.name, topic.is_internal, topic.topic_authorized_operations,
        ));
    }
    lines.sort();
    t.heard.extend(lines);
}

fn init(t: &mut Talk<'_>, transactional_id: Option<&str>, id: i64, epoch: i16) {
    let request = InitProducerIdRequest {
        transactional_id: transactional_id.map(str::to_owned),
        transaction_timeout_ms: 60_000,
        producer_id: id,
        producer_epoch: epoch,
    };
    let told = loop {
        match t.peer.ask(&request, t.version) {
            // A broker that has just begun has no block of ids yet.
            Ok(told) if told.error_code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            Ok(told) => break told,
            Err(how) => return t.hear(format!("init: {how}")),
        }
    };
    t.hear(format!(
        "init: {} an id {} epoch {}",
        told.error_code,
        told.producer_id >= 0,
        told.producer_epoch
    ));
}

/// Name, partitions, replicas, settings.
type NewTopic<'a> = (&'a str, i32, i16, Vec<(&'a str, &'a str)>);

fn create(t: &mut Talk<'_>, validate_only: bool, topics: Vec<NewTopic<'_>>) {
    let topics = topics
        .into_iter()
        .map(|(name, partitions, replicas, configs)| {
            let configs = configs
                .into_iter()
                .map(|(name, value)| CreatableTopicConfig {
                    name: name.to_owned(),
                    value: Some(value.to_owned()),
                });
            CreatableTopic {
                name: name.to_owned(),
                num_partitions: partitions,
                replication_factor: replicas,
                assignments: Vec::new(),
                configs: configs.collect(),
            }
        });
    let request = CreateTopicsRequest {
        topics: topics.collect(),
        timeout_ms: 10_000,
        validate_only,
    };
    let told = match t.peer.ask(&request, t.version) {
        Ok(told) => told,
        Err(how) => return t.hear(format!("create: {how}")),
    };
    let mut lines: Vec<String> = told
        .topics
        .iter()
        .map(|topic| {
            format!(
                "create: {} {} id {} message {} partitions {} replicas {}",
                topic.name,
                topic.error_code,
                topic.topic_id != Uuid::ZERO,
                topic.error_message.is_some(),
                topic.num_partitions,
                topic.replication_factor,
            )
        })
        .collect();
    lines.sort();
    t.heard.extend(lines);
}

fn offsets(t: &mut Talk<'_>, topic: &str, partition: i32, timestamp: i64) {
    let request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level: 0,
        topics: vec![ListOffsetsTopic {
            name: topic.to_owned(),
            partitions: vec![ListOffsetsPartition {
                partition_index: partition,
                current_leader_epoch: -1,
                timestamp,
            }],
        }],
    };
    let told = match t.peer.ask(&request, t.version) {
        Ok(told) => told,
        Err(how) => return t.hear(format!("offsets: {how}")),
    };
    let found = &told.topics[0].partitions[0];
    let time = t.time(found.timestamp);
    t.hear(format!(
        "offsets: {} {} at {time} epoch {}",
        found.error_code, found.offset, found.leader_epoch
    ));
}

fn versions(t: &mut Talk<'_>, name: &str, version: &str) {
    let request = ApiVersionsRequest {
        client_software_name: if t.version < 3 { "" } else { name }.to_owned(),
        client_software_version: if t.version < 3 { "" } else { version }.to_owned(),
    };
    let told = match t.peer.ask(&request, t.version) {
        Ok(told) => told,
        Err(how) => return t.hear(format!("versions: {how}")),
    };
    t.hear(format!("versions: {}", told.error_code));
    // The fake has no more of them, and of Fetch and ListOffsets fewer versions.
    let keys = [
        ApiKey::Produce,
        ApiKey::Metadata,
        ApiKey::ApiVersions,
        ApiKey::InitProducerId,
    ];
    let mut known: Vec<_> = told.api_keys;
    known.sort_by_key(|api| api.api_key);
    for api in known {
        if keys.iter().any(|key| *key as i16 == api.api_key) {
            t.hear(format!(
                "versions: {} up to {}",
                api.api_key, api.max_version
            ));
        }
    }
}

/// All scripts.
pub(crate) const SCRIPTS: &[Script] = &[
    ("versions", ApiKey::ApiVersions, 0, |t| {
        versions(t, "differ", "1.0")
    }),
    ("versions without names", ApiKey::ApiVersions, 3, |t| {
        versions(t, "", "")
    }),
    ("versions with a bad name", ApiKey::ApiVersions, 3, |t| {
        versions(t, "a b", "1")
    }),
    ("versions of the future", ApiKey::ApiVersions, 3, |t| {
        let request = ApiVersionsRequest {
            client_software_name: "differ".into(),
            client_software_version: "1".into(),
        };
        let mut frame = encode_request(&request, 3, 4711, "differ").unwrap();
        frame[6..8].copy_from_slice(&99_i16.to_be_bytes());
        let answer = t.peer.send(&frame).map(|bytes| bytes[4..].to_vec());
        t.hear(format!("{answer:?}"));
    }),
    (
        "a version of Produce that does not exist",
        ApiKey::ApiVersions,
        3,
        |t| {
            let frame = [&[0, 0, 0, 10][..], &[0, 0, 0, 99, 0, 0, 0, 7, 0xff, 0xff]].concat();
            let answer = t.peer.send(&frame);
            t.hear(format!("{answer:?}"));
        },
    ),
    (
        "a request that does not exist",
        ApiKey::ApiVersions,
        3,
        |t| {
            let frame = [&[0, 0, 0, 10][..], &[3, 0, 0, 0, 0, 0, 0, 7, 0xff, 0xff]].concat();
            let answer = t.peer.send(&frame);
            t.hear(format!("{answer:?}"));
        },
    ),
    ("metadata of a topic", ApiKey::Metadata, 1, |t| {
        metadata(t, Some(vec![named("small")]), false);
    }),
    ("metadata of several, one twice", ApiKey::Metadata, 1, |t| {
        metadata(
            t,
            Some(vec![named("small"), named("append"), named("small")]),
            false,
        );
    }),
    ("metadata of no topic", ApiKey::Metadata, 1, |t| {
        metadata(t, Some(Vec::new()), false)
    }),
    ("metadata of an unknown topic", ApiKey::Metadata, 4, |t| {
        metadata(t, Some(vec![named("nobody"), named("small")]), false);
    }),
    ("metadata of a bad name", ApiKey::Metadata, 1, |t| {
        for name in ["", "a b", ".", "..", &"x".repeat(250)] {
            metadata(t, Some(vec![named(name)]), false);
        }
    }),
    (
        "metadata of a bad name that would be created",
        ApiKey::Metadata,
        4,
        |t| {
            metadata(t, Some(vec![named("a b")]), true);
        },
    ),
    ("metadata that creates", ApiKey::Metadata, 1, |t| {
        let name = format!("created-{}", t.version);
        metadata(t, Some(vec![named(&name)]), true);
        // It takes a real broker a moment.
        std::thread::sleep(std::time::Duration::from_millis(700));
        metadata(t, Some(vec![named(&name)]), true);
        t.heard.iter_mut().for_each(|line| {
            // Its id is nobody's business but its own.
            if let Some(at) = line.find(" id id ") {
                line.replace_range(at + 4..at + 43, "of its own");
            }
        });
    }),
    ("metadata by id", ApiKey::Metadata, 12, |t| {
        let known = t.peer.ids["small"];
        metadata(t, Some(vec![by_id(known)]), false);
        metadata(t, Some(vec![by_id(Uuid([7; 16]))]), false);
        metadata(t, Some(vec![by_id(known), by_id(known)]), false);
    }),
    ("metadata by id and by name", ApiKey::Metadata, 12, |t| {
        let known = t.peer.ids["small"];
        metadata(t, Some(vec![by_id(known), named("append")]), false);
    }),
    (
        "metadata with a name and an id",
        ApiKey::Metadata,
        12,
        |t| {
            let both = MetadataRequestTopic {
                topic_id: t.peer.ids["small"],
                name: Some("append".into()),
            };
            metadata(t, Some(vec![both]), false);
        },
    ),
    ("a producer id", ApiKey::InitProducerId, 0, |t| {
        init(t, None, -1, -1)
    }),
    (
        "a producer id for an empty transactional id",
        ApiKey::InitProducerId,
        0,
        |t| {
            init(t, Some(""), -1, -1);
        },
    ),
    (
        "a producer id for one that has one",
        ApiKey::InitProducerId,
        3,
        |t| init(t, None, 5, 3),
    ),
    (
        "a producer id for half an identity",
        ApiKey::InitProducerId,
        3,
        |t| {
            init(t, None, 5, -1);
            init(t, None, -1, 3);
        },
    ),
    ("topics created", ApiKey::CreateTopics, 2, |t| {
        let name = format!("made-{}", t.version);
        create(t, true, vec![(&name, 2, 1, Vec::new())]);
        create(
            t,
            false,
            vec![(&name, 2, 1, vec![("max.message.bytes", "1000")])],
        );
        create(t, false, vec![(&name, 2, 1, Vec::new())]);
    }),
    (
        "topics that cannot be created",
        ApiKey::CreateTopics,
        2,
        |t| {
            create(t, false, vec![("a b", 1, 1, Vec::new())]);
            create(t, false, vec![("none", 0, 1, Vec::new())]);
            create(t, false, vec![("none", -2, 1, Vec::new())]);
            create(t, false, vec![("none", 1, 2, Vec::new())]);
            create(t, false, vec![("none", 1, 0, Vec::new())]);
            create(
                t,
                false,
                vec![("none", 1, 1, vec![("max.message.bytes", "many")])],
            );
            create(
                t,
                false,
                vec![("none", 1, 1, vec![("no.such.setting", "1")])],
            );
        },
    ),
    ("topics with defaults", ApiKey::CreateTopics, 4, |t| {
        let name = format!("default-{}", t.version);
        create(t, false, vec![(&name, -1, -1, Vec::new())]);
    }),
    (
        "a topic twice in one request",
        ApiKey::CreateTopics,
        2,
        |t| {
            let name = format!("twice-{}", t.version);
            create(
                t,
                false,
                vec![(&name, 1, 1, Vec::new()), (&name, 1, 1, Vec::new())],
            );
        },
    ),
    ("offsets", ApiKey::ListOffsets, 1, |t| {
        for timestamp in [-1, -2, 0, i64::MAX] {
            offsets(t, "compact", 0, timestamp);
        }
        offsets(t, "compact", 9000, -1);
        offsets(t, "nobody", 0, -1);
    }),
    (
        "the offset of the latest timestamp",
        ApiKey::ListOffsets,
        7,
        |t| offsets(t, "compact", 0, -3),
    ),
];
