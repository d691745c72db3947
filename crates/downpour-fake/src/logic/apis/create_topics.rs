//! CreateTopics: for clients' admin tools. Replica assignments by hand are refused, settings that
//! the fake does not have are ignored.

use std::collections::BTreeSet;
use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    CreatableTopic, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use downpour_wire::primitives::Uuid;

use crate::logic::context::RequestContext;
use crate::logic::state::{State, is_topic_name};
use crate::topic::TopicSpec;

pub(crate) fn create_topics(
    state: &mut State,
    call: &RequestContext<'_>,
    request: &CreateTopicsRequest,
) -> CreateTopicsResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    let mut named = BTreeSet::new();
    for asked in &request.topics {
        let again = |other: &&CreatableTopic| other.name == asked.name;
        if request.topics.iter().filter(again).count() > 1 {
            // ReplicationControlManager.createTopics refuses the name once, its predecessor each time.
            if named.insert(&asked.name) || !call.release.is_kraft() {
                topics.push(CreatableTopicResult {
                    name: asked.name.clone(),
                    error_code: ErrorCode::INVALID_REQUEST,
                    error_message: Some("Duplicate topic name.".to_owned()),
                    num_partitions: -1,
                    replication_factor: -1,
                    ..CreatableTopicResult::default()
                });
            }
            continue;
        }
        topics.push(match create(state, call, asked, request.validate_only) {
            Ok(made) => CreatableTopicResult {
                name: asked.name.clone(),
                ..made
            },
            Err((error_code, message)) => CreatableTopicResult {
                name: asked.name.clone(),
                error_code,
                error_message: Some(message.to_owned()),
                num_partitions: -1,
                replication_factor: -1,
                ..CreatableTopicResult::default()
            },
        });
    }
    CreateTopicsResponse {
        topics,
        ..CreateTopicsResponse::default()
    }
}

fn create(
    state: &mut State,
    call: &RequestContext<'_>,
    asked: &CreatableTopic,
    validate_only: bool,
) -> Result<CreatableTopicResult, (ErrorCode, &'static str)> {
    if let Some((code, false)) = call.scripted_error(&asked.name, None) {
        return Err((code, "a scripted fault"));
    }
    if !is_topic_name(&asked.name) {
        return Err((ErrorCode::INVALID_TOPIC_EXCEPTION, "not a name for a topic"));
    }
    if state.topics.contains_key(&asked.name) {
        return Err((ErrorCode::TOPIC_ALREADY_EXISTS, "the topic exists"));
    }
    if !asked.assignments.is_empty() {
        return Err((
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            "the fake assigns replicas itself",
        ));
    }
    let partitions = match asked.num_partitions {
        -1 => state.settings.default_partitions,
        partitions => partitions,
    };
    if !(1..=crate::logic::state::PARTITIONS_MAX).contains(&partitions) {
        return Err((
            ErrorCode::INVALID_PARTITIONS,
            "a topic has at least one partition",
        ));
    }
    let mut spec = TopicSpec::new(partitions);
    if asked.replication_factor != -1 {
        let brokers = i16::try_from(state.nodes.len()).unwrap_or(i16::MAX);
        if !(1..=brokers).contains(&asked.replication_factor) {
            return Err((
                ErrorCode::INVALID_REPLICATION_FACTOR,
                "more replicas than brokers",
            ));
        }
        spec = spec.replication(asked.replication_factor);
    }
    for config in &asked.configs {
        spec = configured(
            spec,
            &config.name,
            config.value.as_deref().unwrap_or_default(),
        )?;
    }
    let brokers = state.nodes.len();
    let replicas = match spec.replication {
        Some(replicas) => replicas,
        None => i16::try_from(brokers.min(3)).unwrap_or(-1),
    };
    // What is only tried has an id too (ReplicationControlManager.createTopic).
    let mut topic_id = if call.release.is_kraft() {
        Uuid([0xd1; 16])
    } else {
        Uuid::ZERO
    };
    if !validate_only {
        topic_id = state.create_topic(&asked.name, spec).map_err(|_| {
            let many = "the fake has as many topics as it may have";
            (ErrorCode::POLICY_VIOLATION, many)
        })?;
    }
    match call.scripted_error(&asked.name, None) {
        Some((code, _)) => Err((code, "a scripted fault")),
        None => Ok(CreatableTopicResult {
            topic_id,
            num_partitions: partitions,
            replication_factor: replicas,
            ..CreatableTopicResult::default()
        }),
    }
}

/// The settings of topics that Kafka has and the fake takes no notice of.
const IGNORED: &str = "compression.type compression.gzip.level compression.lz4.level \
    compression.zstd.level delete.retention.ms file.delete.delay.ms flush.messages flush.ms \
    follower.replication.throttled.replicas index.interval.bytes \
    leader.replication.throttled.replicas local.retention.bytes local.retention.ms \
    max.compaction.lag.ms message.downconversion.enable message.format.version \
    message.timestamp.difference.max.ms min.cleanable.dirty.ratio min.compaction.lag.ms preallocate \
    remote.storage.enable remote.log.copy.disable remote.log.delete.on.disable retention.bytes \
    retention.ms segment.bytes segment.index.bytes segment.jitter.ms segment.ms \
    unclean.leader.election.enable";

fn configured(
    spec: TopicSpec,
    name: &str,
    value: &str,
) -> Result<TopicSpec, (ErrorCode, &'static str)> {
    let number = || {
        value
            .parse::<usize>()
            .map_err(|_| (ErrorCode::INVALID_CONFIG, "a setting wants a number"))
    };
    Ok(match name {
        "max.message.bytes" => spec.max_message_bytes(number()?),
        "min.insync.replicas" => spec.min_insync_replicas(number()?),
        "message.timestamp.type" => spec.log_append_time(value == "LogAppendTime"),
        "cleanup.policy" => spec.compacted(value.contains("compact")),
        "message.timestamp.before.max.ms" => spec.timestamp_before_max(millis(number()?)),
        "message.timestamp.after.max.ms" => spec.timestamp_after_max(millis(number()?)),
        ignored if IGNORED.split(' ').any(|known| known == ignored) => spec,
        _ => {
            return Err((
                ErrorCode::INVALID_CONFIG,
                "a setting that topics do not have",
            ));
        }
    })
}

fn millis(number: usize) -> Duration {
    Duration::from_millis(number as u64)
}
