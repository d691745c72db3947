//! Metadata: brokers, topics and leaders, and topics that are created because a client asks for
//! them. What a frozen broker remembers is taken in `logic::state`.

use std::collections::BTreeSet;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataRequestTopic, MetadataResponse,
    MetadataTopic,
};
use downpour_wire::primitives::Uuid;

use crate::logic::context::RequestContext;
use crate::logic::state::{Frozen, SeenPartition, SeenTopic, State, is_topic_name};
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
            let known: Vec<(String, SeenTopic)> = match frozen(state, call.node) {
                Some(frozen) => frozen.topics.clone().into_iter().collect(),
                None => {
                    let known = state.topics.iter();
                    known
                        .map(|(name, topic)| (name.clone(), state.seen(topic)))
                        .collect()
                }
            };
            known
                .iter()
                .map(|(name, topic)| describe(call, name, topic))
                .collect()
        }
        Some(asked) => distinct(asked)
            .map(|asked| answer(state, call, asked, request.allow_auto_topic_creation))
            .collect(),
    };
    topics.retain(|topic| {
        topic
            .name
            .as_deref()
            .is_none_or(|name| call.omitted(name, None).is_none())
    });
    let frozen = frozen(state, call.node);
    let seen = state.nodes.iter().filter(|(id, node)| {
        let is_member = node.alive && !node.isolated;
        frozen.map_or(is_member, |frozen| frozen.living.contains(id))
    });
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

/// What is asked, each once; names are not looked at once there is an id, as in
/// KafkaApis.handleTopicMetadataRequest.
fn distinct(asked: &[MetadataRequestTopic]) -> impl Iterator<Item = &MetadataRequestTopic> {
    let by_id = asked.iter().any(|topic| !topic.topic_id.is_zero());
    let mut seen = BTreeSet::new();
    asked.iter().filter(move |topic| match by_id {
        true => !topic.topic_id.is_zero() && seen.insert(topic.topic_id.to_string()),
        false => seen.insert(topic.name.clone().unwrap_or_default()),
    })
}

fn answer(
    state: &mut State,
    call: &RequestContext<'_>,
    asked: &MetadataRequestTopic,
    may_create: bool,
) -> MetadataTopic {
    let Some(name) = asked.name.as_ref().filter(|_| asked.topic_id.is_zero()) else {
        return by_id(state, call.node, asked.topic_id).map_or_else(
            || unknown(None, asked.topic_id, ErrorCode::UNKNOWN_TOPIC_ID),
            |(name, topic)| describe(call, &name, &topic),
        );
    };
    if let Some(topic) = by_name(state, call.node, name) {
        return describe(call, name, &topic);
    }
    let missing = |code| unknown(Some(name.clone()), Uuid::ZERO, code);
    if let Some((code, _)) = call.scripted_error(name, None) {
        return missing(code);
    }
    if !is_topic_name(name) {
        return missing(ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    let exists = state.topics.contains_key(name);
    if may_create && state.settings.auto_create && !exists {
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

/// What a broker remembers that does not follow the cluster.
fn frozen(state: &State, node: i32) -> Option<&Frozen> {
    state.nodes.get(&node)?.frozen.as_ref()
}

/// The topic of that name as the broker knows it.
fn by_name(state: &State, node: i32, name: &str) -> Option<SeenTopic> {
    match frozen(state, node) {
        // A topic that is gone altogether is gone here too.
        Some(frozen) => {
            let known = frozen.topics.get(name);
            known.filter(|_| state.topics.contains_key(name)).cloned()
        }
        None => state.topics.get(name).map(|topic| state.seen(topic)),
    }
}

/// The topic of that id as the broker knows it, with its name.
fn by_id(state: &State, node: i32, id: Uuid) -> Option<(String, SeenTopic)> {
    let name = match frozen(state, node) {
        Some(frozen) => {
            let mut known = frozen.topics.iter();
            known.find(|(_, topic)| topic.id == id)?.0.clone()
        }
        None => state.topic_name(id)?.to_owned(),
    };
    let topic = by_name(state, node, &name)?;
    Some((name, topic))
}

fn describe(call: &RequestContext<'_>, name: &str, topic: &SeenTopic) -> MetadataTopic {
    if let Some((code, _)) = call.scripted_error(name, None) {
        return unknown(Some(name.to_owned()), Uuid::ZERO, code);
    }
    let mut partitions = Vec::with_capacity(topic.partitions.len());
    for (index, partition) in (0..).zip(&topic.partitions) {
        if call.omitted(name, Some(index)).is_some() {
            continue;
        }
        let scripted = call.scripted_error(name, Some(index)).map(|(code, _)| code);
        partitions.push(describe_partition(partition, index, scripted));
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
    partition: &SeenPartition,
    partition_index: i32,
    scripted: Option<ErrorCode>,
) -> MetadataPartition {
    let replicas = partition.replicas.iter().copied();
    MetadataPartition {
        error_code: match scripted {
            Some(code) => code,
            None if partition.leader < 0 => ErrorCode::LEADER_NOT_AVAILABLE,
            None => ErrorCode::NONE,
        },
        partition_index,
        leader_id: partition.leader,
        leader_epoch: partition.leader_epoch,
        replica_nodes: partition.replicas.clone(),
        offline_replicas: replicas
            .filter(|node| !partition.insync.contains(node))
            .collect(),
        isr_nodes: partition.insync.clone(),
    }
}
