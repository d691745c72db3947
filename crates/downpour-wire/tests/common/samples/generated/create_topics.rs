//! Samples of CreateTopics. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::*;
use downpour_wire::primitives::Uuid;

use super::{Entropy, Sample};

impl Sample for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            topics: e.vec(|e| creatable_topic(e, version)),
            timeout_ms: e.i32(),
            validate_only: e.bool(),
        }
    }
}

fn creatable_topic(e: &mut Entropy<'_>, version: i16) -> CreatableTopic {
    CreatableTopic {
        name: e.string(),
        num_partitions: e.i32(),
        replication_factor: e.i16(),
        assignments: e.vec(|e| replica_assignment(e, version)),
        configs: e.vec(|e| creatable_topic_config(e, version)),
    }
}

fn replica_assignment(e: &mut Entropy<'_>, _: i16) -> ReplicaAssignment {
    ReplicaAssignment {
        partition_index: e.i32(),
        broker_ids: e.vec(Entropy::i32),
    }
}

fn creatable_topic_config(e: &mut Entropy<'_>, _: i16) -> CreatableTopicConfig {
    CreatableTopicConfig {
        name: e.string(),
        value: e.option(Entropy::string),
    }
}

impl Sample for CreateTopicsResponse {
    const KEY: ApiKey = ApiKey::CreateTopics;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            throttle_time_ms: e.i32(),
            topics: e.vec(|e| creatable_topic_result(e, version)),
        }
    }
}

fn creatable_topic_result(e: &mut Entropy<'_>, version: i16) -> CreatableTopicResult {
    CreatableTopicResult {
        name: e.string(),
        topic_id: if version >= 7 { e.uuid() } else { Uuid::ZERO },
        error_code: e.error(),
        error_message: e.option(Entropy::string),
        topic_config_error_code: if version >= 5 {
            e.error()
        } else {
            ErrorCode::NONE
        },
        num_partitions: if version >= 5 { e.i32() } else { -1 },
        replication_factor: if version >= 5 { e.i16() } else { -1 },
        configs: if version >= 5 {
            e.option(|e| e.vec(|e| topic_config_result(e, version)))
        } else {
            Some(Vec::new())
        },
    }
}

fn topic_config_result(e: &mut Entropy<'_>, _: i16) -> TopicConfigResult {
    TopicConfigResult {
        name: e.string(),
        value: e.option(Entropy::string),
        read_only: e.bool(),
        config_source: e.i8(),
        is_sensitive: e.bool(),
    }
}
