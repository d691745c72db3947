//! Metadata: brokers, topics and leaders, and topics that are created because a client asks for
//! them. What a frozen broker remembers is taken in `logic::state`.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataRequestTopic, MetadataResponse,
    MetadataTopic,
};
use downpour_wire::primitives::Uuid;

use crate::logic::context::RequestContext;
use crate::logic::state::{Partition, State, Topic, is_topic_name};
use crate::topic::TopicSpec;

/// The first version that can tell a client to begin again with its bootstrap servers (KIP-1102).
const REBOOTSTRAP_FROM: i16 = 13;

pub(crate) fn metadata(
    state: &mut State,
    call: &RequestContext<'_>,
    request: &MetadataRequest,
) -> MetadataResponse {
    if call.version >= REBOOTSTRAP_FROM
        && call.scripted_error_at_all() == Some(ErrorCode::REBOOTSTRAP_REQUIRED)
    {
        return MetadataResponse {
            error_code: ErrorCode::REBOOTSTRAP_REQUIRED,
            ..MetadataResponse::default()
        };
    }
    let mut topics: Vec<MetadataTopic> = match &request.topics {
        None => {
            let known = state.topics.iter();
            known
                .map(|(name, topic)| describe(state, call, name, topic))
                .collect()
        }
        Some(asked) => asked
            .iter()
            .map(|asked| answer(state, call, asked, request.allow_auto_topic_creation))
            .collect(),
    };
    topics.retain(|topic| {
        topic
            .name
            .as_deref()
            .is_none_or(|name| call.omitted(name, None).is_none())
    });
    let frozen = state
        .nodes
        .get(&call.node)
        .and_then(|node| node.frozen.as_ref());
    let seen = state
        .nodes
        .iter()
        .filter(|(id, node)| frozen.map_or(node.alive, |frozen| frozen.living.contains(id)));
    let brokers = seen.map(|(node_id, node)| MetadataBroker {
        node_id: *node_id,
        host: node.host.clone(),
        port: i32::from(node.port),
        rack: None,
    });
    MetadataResponse {
        brokers: brokers.collect(),
        cluster_id: Some(state.settings.cluster_id.clone()),
        controller_id: state.controller(),
        topics,
        ..MetadataResponse::default()
    }
}

fn answer(
    state: &mut State,
    call: &RequestContext<'_>,
    asked: &MetadataRequestTopic,
    may_create: bool,
) -> MetadataTopic {
    let Some(name) = &asked.name else {
        let Some(name) = state.topic_name(asked.topic_id) else {
            return unknown(None, asked.topic_id, ErrorCode::UNKNOWN_TOPIC_ID);
        };
        return state.topics.get(name).map_or_else(
            || unknown(None, asked.topic_id, ErrorCode::UNKNOWN_TOPIC_ID),
            |topic| describe(state, call, name, topic),
        );
    };
    if let Some(topic) = state.topics.get(name) {
        return describe(state, call, name, topic);
    }
    let missing = |code| unknown(Some(name.clone()), Uuid::ZERO, code);
    if let Some((code, _)) = call.scripted_error(name, None) {
        return missing(code);
    }
    if !is_topic_name(name) {
        return missing(ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    if may_create && state.settings.auto_create {
        // Where it cannot be created, it stays missing.
        let _ = state.create_topic(name, TopicSpec::new(state.settings.default_partitions));
        // The topic is there with the next request, as with a real controller; ZooKeeper's and
        // KRaft's differ in what they say until then.
        return missing(if call.release.is_kraft() {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        } else {
            ErrorCode::LEADER_NOT_AVAILABLE
        });
    }
    missing(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
}

fn unknown(name: Option<String>, topic_id: Uuid, error_code: ErrorCode) -> MetadataTopic {
    MetadataTopic {
        error_code,
        name,
        topic_id,
        ..MetadataTopic::default()
    }
}

fn describe(state: &State, call: &RequestContext<'_>, name: &str, topic: &Topic) -> MetadataTopic {
    if let Some((code, _)) = call.scripted_error(name, None) {
        return unknown(Some(name.to_owned()), Uuid::ZERO, code);
    }
    let node = state.nodes.get(&call.node);
    let frozen = node.and_then(|node| node.frozen.as_ref());
    let remembered = frozen.map(|frozen| frozen.leaders.get(name));
    if remembered == Some(None) {
        let missing = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        return unknown(Some(name.to_owned()), Uuid::ZERO, missing);
    }
    let mut partitions = Vec::with_capacity(topic.partitions.len());
    for (place, partition) in topic.partitions.iter().enumerate() {
        let leader = match remembered.flatten() {
            None => Some((partition.leader, partition.leader_epoch)),
            Some(leaders) => leaders.get(place).copied(),
        };
        // A partition that the broker does not know of ends the list.
        let (Some(leader), Ok(index)) = (leader, i32::try_from(place)) else {
            break;
        };
        if call.omitted(name, Some(index)).is_some() {
            continue;
        }
        let scripted = call.scripted_error(name, Some(index)).map(|(code, _)| code);
        partitions.push(describe_partition(
            state, partition, index, leader, scripted,
        ));
    }
    MetadataTopic {
        error_code: ErrorCode::NONE,
        name: Some(name.to_owned()),
        topic_id: topic.id,
        partitions,
        ..MetadataTopic::default()
    }
}

fn describe_partition(
    state: &State,
    partition: &Partition,
    partition_index: i32,
    (leader_id, leader_epoch): (i32, i32),
    scripted: Option<ErrorCode>,
) -> MetadataPartition {
    let alive = state.insync(partition);
    let replicas = partition.replicas.iter().copied();
    MetadataPartition {
        error_code: match scripted {
            Some(code) => code,
            None if leader_id < 0 => ErrorCode::LEADER_NOT_AVAILABLE,
            None => ErrorCode::NONE,
        },
        partition_index,
        leader_id,
        leader_epoch,
        replica_nodes: partition.replicas.clone(),
        offline_replicas: replicas.filter(|node| !alive.contains(node)).collect(),
        isr_nodes: alive,
    }
}
