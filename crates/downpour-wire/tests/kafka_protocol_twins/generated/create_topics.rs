//! Twins of CreateTopics. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for CreateTopicsRequest {
    type Twin = theirs::CreateTopicsRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::CreateTopicsRequest {
                topics: all(&self.topics, |it| creatable_topic(it, tags)),
                timeout_ms: self.timeout_ms,
                validate_only: self.validate_only,
            }
        )
    }
}

fn creatable_topic(
    it: &CreatableTopic,
    tags: bool,
) -> theirs::create_topics_request::CreatableTopic {
    make!(
        tags,
        theirs::create_topics_request::CreatableTopic {
            name: theirs::TopicName(text(&it.name)),
            num_partitions: it.num_partitions,
            replication_factor: it.replication_factor,
            assignments: all(&it.assignments, |it| replica_assignment(it, tags)),
            configs: all(&it.configs, |it| creatable_topic_config(it, tags)),
        }
    )
}

fn replica_assignment(
    it: &ReplicaAssignment,
    tags: bool,
) -> theirs::create_topics_request::CreatableReplicaAssignment {
    make!(
        tags,
        theirs::create_topics_request::CreatableReplicaAssignment {
            partition_index: it.partition_index,
            broker_ids: all(&it.broker_ids, |it| theirs::BrokerId(*it)),
        }
    )
}

fn creatable_topic_config(
    it: &CreatableTopicConfig,
    tags: bool,
) -> theirs::create_topics_request::CreatableTopicConfig {
    make!(
        tags,
        theirs::create_topics_request::CreatableTopicConfig {
            name: text(&it.name),
            value: some_text(&it.value),
        }
    )
}

impl Twin for CreateTopicsResponse {
    type Twin = theirs::CreateTopicsResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::CreateTopicsResponse {
                throttle_time_ms: self.throttle_time_ms,
                topics: all(&self.topics, |it| creatable_topic_result(it, tags)),
            }
        )
    }
}

fn creatable_topic_result(
    it: &CreatableTopicResult,
    tags: bool,
) -> theirs::create_topics_response::CreatableTopicResult {
    make!(
        tags,
        theirs::create_topics_response::CreatableTopicResult {
            name: theirs::TopicName(text(&it.name)),
            topic_id: id(it.topic_id),
            error_code: it.error_code.0,
            error_message: some_text(&it.error_message),
            topic_config_error_code: it.topic_config_error_code.0,
            num_partitions: it.num_partitions,
            replication_factor: it.replication_factor,
            configs: it
                .configs
                .as_ref()
                .map(|it| all(it, |it| topic_config_result(it, tags))),
        }
    )
}

fn topic_config_result(
    it: &TopicConfigResult,
    tags: bool,
) -> theirs::create_topics_response::CreatableTopicConfigs {
    make!(
        tags,
        theirs::create_topics_response::CreatableTopicConfigs {
            name: text(&it.name),
            value: some_text(&it.value),
            read_only: it.read_only,
            config_source: it.config_source,
            is_sensitive: it.is_sensitive,
        }
    )
}
