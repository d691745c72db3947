//! CreateTopics, versions 2 to 7. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::{Reader, Uuid};

/// Asks for new topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTopicsRequest {
    /// The topics to create.
    pub topics: Vec<CreatableTopic>,
    /// How long to wait in milliseconds before timing out the request. Default `60000`.
    pub timeout_ms: i32,
    /// If true, check that the topics can be created as specified, but don't create anything.
    pub validate_only: bool,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            timeout_ms: 60000,
            validate_only: false,
        }
    }
}

/// The topics to create.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreatableTopic {
    /// The topic name.
    pub name: String,
    /// The number of partitions to create in the topic, or -1 if we are either specifying a manual
    /// partition assignment or using the default partitions.
    pub num_partitions: i32,
    /// The number of replicas to create for each partition in the topic, or -1 if we are either
    /// specifying a manual partition assignment or using the default replication factor.
    pub replication_factor: i16,
    /// The manual partition assignment, or the empty array if we are using automatic assignment.
    pub assignments: Vec<ReplicaAssignment>,
    /// The custom topic configurations to set.
    pub configs: Vec<CreatableTopicConfig>,
}

/// The manual partition assignment, or the empty array if we are using automatic assignment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicaAssignment {
    /// The partition index.
    pub partition_index: i32,
    /// The brokers to place the partition on.
    pub broker_ids: Vec<i32>,
}

/// The custom topic configurations to set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreatableTopicConfig {
    /// The configuration name.
    pub name: String,
    /// The configuration value.
    pub value: Option<String>,
}

impl Request for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;
    type Response = CreateTopicsResponse;
}

impl Encode for CreateTopicsRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out =
            MessageWriter::new(out, ApiKey::CreateTopics, version, "CreateTopicsRequest")?;
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
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
        let timeout_ms = r.i32("timeout ms")?;
        let validate_only = r.bool("validate only")?;
        r.no_tags()?;
        Ok(Self {
            topics,
            timeout_ms,
            validate_only,
        })
    }
}

impl CreatableTopic {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.i32(self.num_partitions);
        out.i16(self.replication_factor);
        out.array(&self.assignments, "assignments", |out, it| it.write(out))?;
        out.array(&self.configs, "configs", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let num_partitions = r.i32("num partitions")?;
        let replication_factor = r.i16("replication factor")?;
        let assignments = r.array(6, "assignments", ReplicaAssignment::read)?;
        let configs = r.array(3, "configs", CreatableTopicConfig::read)?;
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

impl ReplicaAssignment {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.partition_index);
        out.i32_array(&self.broker_ids, "broker ids")?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let partition_index = r.i32("partition index")?;
        let broker_ids = r.i32_array("broker ids")?;
        r.no_tags()?;
        Ok(Self {
            partition_index,
            broker_ids,
        })
    }
}

impl CreatableTopicConfig {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.nullable_string(self.value.as_deref(), "value")?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let value = r.nullable_string("value")?;
        r.no_tags()?;
        Ok(Self { name, value })
    }
}

/// Which topics were created.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreateTopicsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota.
    pub throttle_time_ms: i32,
    /// Results for each topic we tried to create.
    pub topics: Vec<CreatableTopicResult>,
}

/// Results for each topic we tried to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatableTopicResult {
    /// The topic name.
    pub name: String,
    /// The unique topic ID; from version 7.
    pub topic_id: Uuid,
    /// The error code, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The error message, or null if there was no error.
    pub error_message: Option<String>,
    /// Optional topic config error returned if configs are not returned in the response; from
    /// version 5.
    pub topic_config_error_code: ErrorCode,
    /// Number of partitions of the topic; from version 5. Default `-1`.
    pub num_partitions: i32,
    /// Replication factor of the topic; from version 5. Default `-1`.
    pub replication_factor: i16,
    /// Configuration of the topic; from version 5. Default empty.
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

/// Configuration of the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicConfigResult {
    /// The configuration name.
    pub name: String,
    /// The configuration value.
    pub value: Option<String>,
    /// True if the configuration is read-only.
    pub read_only: bool,
    /// The configuration source. Default `-1`.
    pub config_source: i8,
    /// True if this configuration is sensitive.
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

impl Encode for CreateTopicsResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out =
            MessageWriter::new(out, ApiKey::CreateTopics, version, "CreateTopicsResponse")?;
        out.i32(self.throttle_time_ms);
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }
}

impl Decode for CreateTopicsResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::CreateTopics, version, "CreateTopicsResponse")?;
        let throttle_time_ms = r.i32("throttle time ms")?;
        let topics = r.array(6, "topics", CreatableTopicResult::read)?;
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
        })
    }
}

impl CreatableTopicResult {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        out.string(&self.name, "name")?;
        if version >= 7 {
            out.uuid(self.topic_id);
        }
        out.error_code(self.error_code);
        out.nullable_string(self.error_message.as_deref(), "error message")?;
        if version >= 5 {
            out.i32(self.num_partitions);
        }
        if version >= 5 {
            out.i16(self.replication_factor);
        }
        if version >= 5 {
            out.nullable_array(self.configs.as_deref(), "configs", |out, it| it.write(out))?;
        }
        let has_topic_config_error_code = version >= 5 && !self.topic_config_error_code.is_none();
        out.tag_count(u32::from(has_topic_config_error_code));
        if has_topic_config_error_code {
            out.tag(0, "topic config error code", |out| {
                out.error_code(self.topic_config_error_code);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let name = r.string("name")?;
        let topic_id = if version >= 7 {
            r.uuid("topic id")?
        } else {
            Uuid::ZERO
        };
        let error_code = r.error_code("error code")?;
        let error_message = r.nullable_string("error message")?;
        let num_partitions = if version >= 5 {
            r.i32("num partitions")?
        } else {
            -1
        };
        let replication_factor = if version >= 5 {
            r.i16("replication factor")?
        } else {
            -1
        };
        let configs = if version >= 5 {
            r.nullable_array(6, "configs", TopicConfigResult::read)?
        } else {
            Some(Vec::new())
        };
        let mut topic_config_error_code = ErrorCode::NONE;
        r.tags(|tag, r| {
            match tag {
                0 => topic_config_error_code = r.error_code("topic config error code")?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Self {
            name,
            topic_id,
            error_code,
            error_message,
            topic_config_error_code,
            num_partitions,
            replication_factor,
            configs,
        })
    }
}

impl TopicConfigResult {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.nullable_string(self.value.as_deref(), "value")?;
        out.bool(self.read_only);
        out.i8(self.config_source);
        out.bool(self.is_sensitive);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let value = r.nullable_string("value")?;
        let read_only = r.bool("read only")?;
        let config_source = r.i8("config source")?;
        let is_sensitive = r.bool("is sensitive")?;
        r.no_tags()?;
        Ok(Self {
            name,
            value,
            read_only,
            config_source,
            is_sensitive,
        })
    }
}
