//! The answer to a Produce request. What its error codes mean for a batch is decided in core.

use super::api_key::ApiKey;
use super::message::Decode;
#[cfg(feature = "broker")]
use super::message::Encode;
use super::reader::MessageReader;
#[cfg(feature = "broker")]
use super::writer::MessageWriter;
use crate::error::DecodeError;
#[cfg(feature = "broker")]
use crate::error::EncodeError;
use crate::error_code::ErrorCode;
use crate::primitives::{Reader, Uuid};

/// What became of each batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProduceResponse {
    pub topics: Vec<TopicProduceResponse>,
    /// How long the broker delays this client, in milliseconds. From version 6 on it answers first and
    /// reads nothing more for as long (KIP-219); before, it has waited already.
    pub throttle_time_ms: i32,
    /// Where the leaders hinted at listen; from version 10 (KIP-951).
    pub node_endpoints: Vec<NodeEndpoint>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicProduceResponse {
    /// The name; versions 3 to 12.
    pub name: String,
    /// The id; version 13 (KIP-516).
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionProduceResponse>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PartitionProduceResponse {
    pub index: i32,
    pub error_code: ErrorCode,
    /// The offset of the batch's first record.
    pub base_offset: i64,
    /// When the broker appended the batch, in milliseconds since 1970; -1 where the topic keeps the
    /// producer's timestamps.
    pub log_append_time_ms: i64,
    /// The first offset of the partition; from version 5, before that -1.
    pub log_start_offset: i64,
    /// The records that the broker refused; from version 8 (KIP-467).
    pub record_errors: Vec<RecordError>,
    /// What the broker says about the error; from version 8.
    pub error_message: Option<String>,
    /// The leader, if this broker is not; from version 10 (KIP-951).
    pub current_leader: Option<LeaderIdAndEpoch>,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        Self {
            index: 0,
            error_code: ErrorCode::NONE,
            base_offset: 0,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: None,
        }
    }
}

/// One record that the broker refused.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordError {
    /// The record's index in its batch.
    pub batch_index: i32,
    pub message: Option<String>,
}

/// A leader as a broker hints at it, so that the client need not ask for metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaderIdAndEpoch {
    /// The node, or -1 if unknown.
    pub leader_id: i32,
    /// Its epoch, or -1 if unknown.
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
}

impl LeaderIdAndEpoch {
    #[cfg(feature = "broker")]
    /// Ends a struct whose only tagged field is the leader, if there is one to name.
    pub(super) fn write_tag(
        leader: Option<Self>,
        tag: u32,
        out: &mut MessageWriter<'_>,
    ) -> Result<(), EncodeError> {
        out.tag_count(u32::from(leader.is_some()));
        let Some(leader) = leader else { return Ok(()) };
        out.tag(tag, "current leader", |out| {
            out.i32(leader.leader_id);
            out.i32(leader.leader_epoch);
            out.no_tags();
            Ok(())
        })
    }

    pub(super) fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let leader_id = r.i32("leader id")?;
        let leader_epoch = r.i32("leader epoch")?;
        r.no_tags()?;
        Ok(Self {
            leader_id,
            leader_epoch,
        })
    }
}

impl PartitionProduceResponse {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.index);
        out.error_code(self.error_code);
        out.i64(self.base_offset);
        out.i64(self.log_append_time_ms);
        if out.version >= 5 {
            out.i64(self.log_start_offset);
        }
        if out.version >= 8 {
            out.array(&self.record_errors, "record errors", |out, error| {
                out.i32(error.batch_index);
                out.nullable_string(error.message.as_deref(), "record error's message")?;
                out.no_tags();
                Ok(())
            })?;
            out.nullable_string(self.error_message.as_deref(), "error message")?;
        }
        let leader = self.current_leader.filter(|_| out.version >= 10);
        LeaderIdAndEpoch::write_tag(leader, 0, out)
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let mut partition = Self {
            index: r.i32("partition index")?,
            error_code: r.error_code("error code")?,
            base_offset: r.i64("base offset")?,
            log_append_time_ms: r.i64("log append time")?,
            ..Self::default()
        };
        if r.version >= 5 {
            partition.log_start_offset = r.i64("log start offset")?;
        }
        if r.version >= 8 {
            partition.record_errors = r.array(6, "record errors", |r| {
                let batch_index = r.i32("record error's index")?;
                let message = r.nullable_string("record error's message")?;
                r.no_tags()?;
                Ok(RecordError {
                    batch_index,
                    message,
                })
            })?;
            partition.error_message = r.nullable_string("error message")?;
        }
        let hints = r.version >= 10;
        r.tags(|tag, r| {
            if tag != 0 || !hints {
                return Ok(false);
            }
            partition.current_leader = Some(LeaderIdAndEpoch::read(r)?);
            Ok(true)
        })?;
        Ok(partition)
    }
}

impl NodeEndpoint {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.node_id);
        out.string(&self.host, "node endpoint's host")?;
        out.i32(self.port);
        out.nullable_string(self.rack.as_deref(), "node endpoint's rack")?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let endpoint = Self {
            node_id: r.i32("node endpoint's id")?,
            host: r.string("node endpoint's host")?,
            port: r.i32("node endpoint's port")?,
            rack: r.nullable_string("node endpoint's rack")?,
        };
        r.no_tags()?;
        Ok(endpoint)
    }
}

#[cfg(feature = "broker")]
impl Encode for ProduceResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Produce, version, "ProduceResponse")?;
        out.array(&self.topics, "topics", |out, topic| {
            if out.version >= 13 {
                out.uuid(topic.topic_id);
            } else {
                out.string(&topic.name, "topic name")?;
            }
            out.array(&topic.partitions, "partitions", |out, partition| {
                partition.write(out)
            })?;
            out.no_tags();
            Ok(())
        })?;
        out.i32(self.throttle_time_ms);
        let endpoints = version >= 10 && !self.node_endpoints.is_empty();
        out.tag_count(u32::from(endpoints));
        if endpoints {
            out.tag(0, "node endpoints", |out| {
                out.array(&self.node_endpoints, "node endpoints", |out, node| {
                    node.write(out)
                })
            })?;
        }
        Ok(())
    }
}

impl Decode for ProduceResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::Produce, version, "ProduceResponse")?;
        let topics = r.array(3, "topics", |r| {
            let mut topic = TopicProduceResponse::default();
            if r.version >= 13 {
                topic.topic_id = r.uuid("topic id")?;
            } else {
                topic.name = r.string("topic name")?;
            }
            topic.partitions = r.array(22, "partitions", PartitionProduceResponse::read)?;
            r.no_tags()?;
            Ok(topic)
        })?;
        let throttle_time_ms = r.i32("throttle time")?;
        let mut node_endpoints = Vec::new();
        r.tags(|tag, r| {
            if tag != 0 || version < 10 {
                return Ok(false);
            }
            node_endpoints = r.array(11, "node endpoints", NodeEndpoint::read)?;
            Ok(true)
        })?;
        Ok(Self {
            topics,
            throttle_time_ms,
            node_endpoints,
        })
    }
}
