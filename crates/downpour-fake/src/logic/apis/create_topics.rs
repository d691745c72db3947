//! CreateTopics: for clients' admin tools. Replica assignments by hand are refused, settings that
//! the fake does not have are ignored.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    CreatableTopic, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};

use crate::logic::context::RequestContext;
use crate::logic::state::{State, is_topic_name};
use crate::topic::TopicSpec;

pub(crate) fn create_topics(
    state: &mut State,
    call: &RequestContext<'_>,
    request: &CreateTopicsRequest,
) -> CreateTopicsResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    for asked in &request.topics {
        let made = create(state, call, asked, request.validate_only);
        let (error_code, error_message) = match made {
            Ok(()) => (ErrorCode::NONE, None),
            Err((code, message)) => (code, Some(message.to_owned())),
        };
        let topic = state.topics.get(&asked.name);
        let partitions = topic.and_then(|topic| i32::try_from(topic.partitions.len()).ok());
        let replicas = topic.and_then(|topic| topic.partitions.first());
        topics.push(CreatableTopicResult {
            name: asked.name.clone(),
            topic_id: topic.map(|topic| topic.id).unwrap_or_default(),
            error_code,
            error_message,
            num_partitions: partitions.unwrap_or(-1),
            replication_factor: replicas
                .and_then(|first| i16::try_from(first.replicas.len()).ok())
                .unwrap_or(-1),
            ..CreatableTopicResult::default()
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
) -> Result<(), (ErrorCode, &'static str)> {
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
    if !validate_only && state.create_topic(&asked.name, spec).is_err() {
        return Err((
            ErrorCode::POLICY_VIOLATION,
            "the fake has as many topics as it may have",
        ));
    }
    match call.scripted_error(&asked.name, None) {
        Some((code, _)) => Err((code, "a scripted fault")),
        None => Ok(()),
    }
}

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
        _ => spec,
    })
}
