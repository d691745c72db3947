//! Produce, versions 3 to 13. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::{Reader, Uuid};

/// Writes record batches, one per partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProduceRequest {
    /// The transactional ID, or null if the producer is not transactional.
    pub transactional_id: Option<String>,
    /// The number of acknowledgments the producer requires the leader to have received before
    /// considering a request complete. Allowed values: 0 for no acknowledgments, 1 for only the
    /// leader and -1 for the full ISR.
    pub acks: i16,
    /// The timeout to await a response in milliseconds.
    pub timeout_ms: i32,
    /// Each topic to produce to.
    pub topics: Vec<ProduceTopic>,
}

/// Each topic to produce to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProduceTopic {
    /// The topic name; up to version 12.
    pub name: String,
    /// The unique topic ID; from version 13.
    pub topic_id: Uuid,
    /// Each partition to produce to.
    pub partitions: Vec<ProducePartition>,
}

/// Each partition to produce to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProducePartition {
    /// The partition index.
    pub index: i32,
    /// The record data to be produced.
    pub records: Option<Vec<u8>>,
}

impl Request for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;
    type Response = ProduceResponse;
}

impl Encode for ProduceRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Produce, version, "ProduceRequest")?;
        out.nullable_string(self.transactional_id.as_deref(), "transactional id")?;
        out.i16(self.acks);
        out.i32(self.timeout_ms);
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for ProduceRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::Produce, version, "ProduceRequest")?;
        let transactional_id = r.nullable_string("transactional id")?;
        let acks = r.i16("acks")?;
        let timeout_ms = r.i32("timeout ms")?;
        let topics = r.array(3, "topics", ProduceTopic::read)?;
        r.no_tags()?;
        Ok(Self {
            transactional_id,
            acks,
            timeout_ms,
            topics,
        })
    }
}

impl ProduceTopic {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        if version <= 12 {
            out.string(&self.name, "name")?;
        }
        if version >= 13 {
            out.uuid(self.topic_id);
        }
        out.array(&self.partitions, "partitions", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }

    #[cfg(feature = "broker")]
    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let name = if version <= 12 {
            r.string("name")?
        } else {
            String::new()
        };
        let topic_id = if version >= 13 {
            r.uuid("topic id")?
        } else {
            Uuid::ZERO
        };
        let partitions = r.array(6, "partitions", ProducePartition::read)?;
        r.no_tags()?;
        Ok(Self {
            name,
            topic_id,
            partitions,
        })
    }
}

impl ProducePartition {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.index);
        out.nullable_bytes(self.records.as_deref(), "records")?;
        out.no_tags();
        Ok(())
    }

    #[cfg(feature = "broker")]
    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let index = r.i32("index")?;
        let records = r.nullable_bytes("records")?;
        r.no_tags()?;
        Ok(Self { index, records })
    }
}

/// What became of each batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProduceResponse {
    /// Each produce response.
    pub topics: Vec<TopicProduceResponse>,
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota.
    pub throttle_time_ms: i32,
    /// Endpoints for all current-leaders enumerated in PartitionProduceResponses, with errors
    /// NOT_LEADER_OR_FOLLOWER; from version 10.
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// Each produce response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicProduceResponse {
    /// The topic name; up to version 12.
    pub name: String,
    /// The unique topic ID; from version 13.
    pub topic_id: Uuid,
    /// Each partition that we produced to within the topic.
    pub partitions: Vec<PartitionProduceResponse>,
}

/// Each partition that we produced to within the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionProduceResponse {
    /// The partition index.
    pub index: i32,
    /// The error code, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The base offset.
    pub base_offset: i64,
    /// The timestamp returned by broker after appending the messages. If CreateTime is used for the
    /// topic, the timestamp will be -1. If LogAppendTime is used for the topic, the timestamp will
    /// be the broker local time when the messages are appended. Default `-1`.
    pub log_append_time_ms: i64,
    /// The log start offset; from version 5. Default `-1`.
    pub log_start_offset: i64,
    /// The batch indices of records that caused the batch to be dropped; from version 8.
    pub record_errors: Vec<RecordError>,
    /// The global error message summarizing the common root cause of the records that caused the
    /// batch to be dropped; from version 8.
    pub error_message: Option<String>,
    /// The leader broker that the producer should use for future requests; from version 10.
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

/// The batch indices of records that caused the batch to be dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordError {
    /// The batch index of the record that caused the batch to be dropped.
    pub batch_index: i32,
    /// The error message of the record that caused the batch to be dropped.
    pub message: Option<String>,
}

/// The leader broker that the producer should use for future requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaderIdAndEpoch {
    /// The ID of the current leader or -1 if the leader is unknown. Default `-1`.
    pub leader_id: i32,
    /// The latest known leader epoch. Default `-1`.
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

/// Endpoints for all current-leaders enumerated in PartitionProduceResponses, with errors
/// NOT_LEADER_OR_FOLLOWER.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeEndpoint {
    /// The ID of the associated node.
    pub node_id: i32,
    /// The node's hostname.
    pub host: String,
    /// The node's port.
    pub port: i32,
    /// The rack of the node, or null if it has not been assigned to a rack.
    pub rack: Option<String>,
}

#[cfg(feature = "broker")]
impl Encode for ProduceResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Produce, version, "ProduceResponse")?;
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        out.i32(self.throttle_time_ms);
        let has_node_endpoints = version >= 10 && !self.node_endpoints.is_empty();
        out.tag_count(u32::from(has_node_endpoints));
        if has_node_endpoints {
            out.tag(0, "node endpoints", |out| {
                out.array(&self.node_endpoints, "node endpoints", |out, it| {
                    it.write(out)
                })?;
                Ok(())
            })?;
        }
        Ok(())
    }
}

impl Decode for ProduceResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::Produce, version, "ProduceResponse")?;
        let topics = r.array(3, "topics", TopicProduceResponse::read)?;
        let throttle_time_ms = r.i32("throttle time ms")?;
        let mut node_endpoints = Vec::new();
        r.tags(|tag, r| {
            match tag {
                0 if version >= 10 => {
                    node_endpoints = r.array(11, "node endpoints", NodeEndpoint::read)?
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Self {
            topics,
            throttle_time_ms,
            node_endpoints,
        })
    }
}

impl TopicProduceResponse {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        if version <= 12 {
            out.string(&self.name, "name")?;
        }
        if version >= 13 {
            out.uuid(self.topic_id);
        }
        out.array(&self.partitions, "partitions", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let name = if version <= 12 {
            r.string("name")?
        } else {
            String::new()
        };
        let topic_id = if version >= 13 {
            r.uuid("topic id")?
        } else {
            Uuid::ZERO
        };
        let partitions = r.array(22, "partitions", PartitionProduceResponse::read)?;
        r.no_tags()?;
        Ok(Self {
            name,
            topic_id,
            partitions,
        })
    }
}

impl PartitionProduceResponse {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        out.i32(self.index);
        out.error_code(self.error_code);
        out.i64(self.base_offset);
        out.i64(self.log_append_time_ms);
        if version >= 5 {
            out.i64(self.log_start_offset);
        }
        if version >= 8 {
            out.array(&self.record_errors, "record errors", |out, it| {
                it.write(out)
            })?;
        }
        if version >= 8 {
            out.nullable_string(self.error_message.as_deref(), "error message")?;
        }
        let has_current_leader = version >= 10 && self.current_leader.is_some();
        out.tag_count(u32::from(has_current_leader));
        if has_current_leader {
            out.tag(0, "current leader", |out| {
                self.current_leader
                    .as_ref()
                    .map_or(Ok(()), |it| it.write(out))?;
                Ok(())
            })?;
        }
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let index = r.i32("index")?;
        let error_code = r.error_code("error code")?;
        let base_offset = r.i64("base offset")?;
        let log_append_time_ms = r.i64("log append time ms")?;
        let log_start_offset = if version >= 5 {
            r.i64("log start offset")?
        } else {
            -1
        };
        let record_errors = if version >= 8 {
            r.array(6, "record errors", RecordError::read)?
        } else {
            Vec::new()
        };
        let error_message = if version >= 8 {
            r.nullable_string("error message")?
        } else {
            None
        };
        let mut current_leader = None;
        r.tags(|tag, r| {
            match tag {
                0 if version >= 10 => current_leader = Some(LeaderIdAndEpoch::read(r)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Self {
            index,
            error_code,
            base_offset,
            log_append_time_ms,
            log_start_offset,
            record_errors,
            error_message,
            current_leader,
        })
    }
}

impl RecordError {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.batch_index);
        out.nullable_string(self.message.as_deref(), "message")?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let batch_index = r.i32("batch index")?;
        let message = r.nullable_string("message")?;
        r.no_tags()?;
        Ok(Self {
            batch_index,
            message,
        })
    }
}

impl LeaderIdAndEpoch {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.leader_id);
        out.i32(self.leader_epoch);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let leader_id = r.i32("leader id")?;
        let leader_epoch = r.i32("leader epoch")?;
        r.no_tags()?;
        Ok(Self {
            leader_id,
            leader_epoch,
        })
    }
}

impl NodeEndpoint {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.node_id);
        out.string(&self.host, "host")?;
        out.i32(self.port);
        out.nullable_string(self.rack.as_deref(), "rack")?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let node_id = r.i32("node id")?;
        let host = r.string("host")?;
        let port = r.i32("port")?;
        let rack = r.nullable_string("rack")?;
        r.no_tags()?;
        Ok(Self {
            node_id,
            host,
            port,
            rack,
        })
    }
}
