//! The CreateTopics request and response: for the fake, and for tests against real brokers.

use super::api_key::ApiKey;
use super::message::{Decode, Encode, Request};
use super::reader::MessageReader;
use super::writer::MessageWriter;
use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::primitives::{Reader, Uuid};

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTopicsRequest {
    pub topics: Vec<CreatableTopic>,
    /// How long the broker may take, in milliseconds. Default 60,000.
    pub timeout_ms: i32,
    /// Whether only to check that the topics could be created.
    pub validate_only: bool,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            timeout_ms: 60_000,
            validate_only: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreatableTopic {
    pub name: String,
    /// How many partitions, or -1 for the broker's default or with assignments.
    pub num_partitions: i32,
    /// How many replicas, or -1 for the broker's default or with assignments.
    pub replication_factor: i16,
    /// Which node holds what, if the client decides it.
    pub assignments: Vec<ReplicaAssignment>,
    pub configs: Vec<CreatableTopicConfig>,
}

/// The nodes that shall hold one partition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReplicaAssignment {
    pub partition_index: i32,
    pub broker_ids: Vec<i32>,
}

/// One property of a topic to create.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreatableTopicConfig {
    pub name: String,
    pub value: Option<String>,
}

/// Which topics were created.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreateTopicsResponse {
    /// How long the broker delayed or will delay this client, in milliseconds.
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreatableTopicResult {
    pub name: String,
    /// The id; version 7, before that zero.
    pub topic_id: Uuid,
    pub error_code: ErrorCode,
    /// What the broker says about the error.
    pub error_message: Option<String>,
    /// Why the configuration is missing; from version 5.
    pub topic_config_error_code: ErrorCode,
    /// How many partitions; from version 5, before that -1.
    pub num_partitions: i32,
    /// How many replicas; from version 5, before that -1.
    pub replication_factor: i16,
    /// The configuration, if the client may see it; from version 5, before that an empty list.
    pub configs: Option<Vec<TopicConfigResult>>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: Uuid::ZERO,
            error_code: ErrorCode::NONE,
            error_message: None,
            topic_config_error_code: ErrorCode::NONE,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
        }
    }
}

/// One property of a topic that was created.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicConfigResult {
    pub name: String,
    pub value: Option<String>,
    pub read_only: bool,
    /// Where it comes from, as Kafka numbers the sources, or -1.
    pub config_source: i8,
    pub is_sensitive: bool,
}

impl Default for TopicConfigResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: None,
            read_only: false,
            config_source: -1,
            is_sensitive: false,
        }
    }
}

impl Request for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;
    type Response = CreateTopicsResponse;
}

impl CreatableTopic {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "topic name")?;
        out.i32(self.num_partitions);
        out.i16(self.replication_factor);
        out.array(&self.assignments, "assignments", |out, assignment| {
            out.i32(assignment.partition_index);
            out.i32_array(&assignment.broker_ids, "brokers")?;
            out.no_tags();
            Ok(())
        })?;
        out.array(&self.configs, "configs", |out, config| {
            out.string(&config.name, "config's name")?;
            out.nullable_string(config.value.as_deref(), "config's value")?;
            out.no_tags();
            Ok(())
        })?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("topic name")?;
        let num_partitions = r.i32("number of partitions")?;
        let replication_factor = r.i16("replication factor")?;
        let assignments = r.array(6, "assignments", |r| {
            let partition_index = r.i32("partition index")?;
            let broker_ids = r.i32_array("brokers")?;
            r.no_tags()?;
            Ok(ReplicaAssignment {
                partition_index,
                broker_ids,
            })
        })?;
        let configs = r.array(3, "configs", |r| {
            let name = r.string("config's name")?;
            let value = r.nullable_string("config's value")?;
            r.no_tags()?;
            Ok(CreatableTopicConfig { name, value })
        })?;
        r.no_tags()?;
        Ok(Self {
            name,
            num_partitions,
            replication_factor,
            assignments,
            configs,
        })
    }
}

impl Encode for CreateTopicsRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out =
            MessageWriter::new(out, ApiKey::CreateTopics, version, "CreateTopicsRequest")?;
        out.array(&self.topics, "topics", |out, topic| topic.write(out))?;
        out.i32(self.timeout_ms);
        out.bool(self.validate_only);
        out.no_tags();
        Ok(())
    }
}

impl Decode for CreateTopicsRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::CreateTopics, version, "CreateTopicsRequest")?;
        let topics = r.array(10, "topics", CreatableTopic::read)?;
        let timeout_ms = r.i32("timeout")?;
        let validate_only = r.bool("validate_only")?;
        r.no_tags()?;
        Ok(Self {
            topics,
            timeout_ms,
            validate_only,
        })
    }
}

impl TopicConfigResult {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "config's name")?;
        out.nullable_string(self.value.as_deref(), "config's value")?;
        out.bool(self.read_only);
        out.i8(self.config_source);
        out.bool(self.is_sensitive);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let config = Self {
            name: r.string("config's name")?,
            value: r.nullable_string("config's value")?,
            read_only: r.bool("config's read_only")?,
            config_source: r.i8("config's source")?,
            is_sensitive: r.bool("config's is_sensitive")?,
        };
        r.no_tags()?;
        Ok(config)
    }
}

impl CreatableTopicResult {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "topic name")?;
        if out.version >= 7 {
            out.uuid(self.topic_id);
        }
        out.error_code(self.error_code);
        out.nullable_string(self.error_message.as_deref(), "error message")?;
        if out.version < 5 {
            return Ok(());
        }
        out.i32(self.num_partitions);
        out.i16(self.replication_factor);
        out.nullable_array(self.configs.as_deref(), "configs", |out, config| {
            config.write(out)
        })?;
        let said = !self.topic_config_error_code.is_none();
        out.tag_count(u32::from(said));
        if said {
            out.tag(0, "topic config's error code", |out| {
                out.error_code(self.topic_config_error_code);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let mut topic = Self {
            name: r.string("topic name")?,
            ..Self::default()
        };
        if r.version >= 7 {
            topic.topic_id = r.uuid("topic id")?;
        }
        topic.error_code = r.error_code("error code")?;
        topic.error_message = r.nullable_string("error message")?;
        if r.version >= 5 {
            topic.num_partitions = r.i32("number of partitions")?;
            topic.replication_factor = r.i16("replication factor")?;
            topic.configs = r.nullable_array(6, "configs", TopicConfigResult::read)?;
        }
        r.tags(|tag, r| {
            if tag != 0 {
                return Ok(false);
            }
            topic.topic_config_error_code = r.error_code("topic config's error code")?;
            Ok(true)
        })?;
        Ok(topic)
    }
}

impl Encode for CreateTopicsResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out =
            MessageWriter::new(out, ApiKey::CreateTopics, version, "CreateTopicsResponse")?;
        out.i32(self.throttle_time_ms);
        out.array(&self.topics, "topics", |out, topic| topic.write(out))?;
        out.no_tags();
        Ok(())
    }
}

impl Decode for CreateTopicsResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::CreateTopics, version, "CreateTopicsResponse")?;
        let throttle_time_ms = r.i32("throttle time")?;
        let topics = r.array(6, "topics", CreatableTopicResult::read)?;
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
        })
    }
}
