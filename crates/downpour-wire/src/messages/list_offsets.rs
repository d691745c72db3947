//! The ListOffsets request and response, for the consumers that read from the fake.

use super::api_key::ApiKey;
use super::message::{Decode, Encode, Request};
use super::reader::MessageReader;
use super::writer::MessageWriter;
use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::primitives::Reader;

#[derive(Debug, Clone, PartialEq)]
pub struct ListOffsetsRequest {
    /// The follower that asks, or -1 for a consumer.
    pub replica_id: i32,
    /// 0: read uncommitted; 1: read committed; from version 2.
    pub isolation_level: i8,
    pub topics: Vec<ListOffsetsTopic>,
}

impl Default for ListOffsetsRequest {
    fn default() -> Self {
        Self {
            replica_id: -1,
            isolation_level: 0,
            topics: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListOffsetsTopic {
    pub name: String,
    pub partitions: Vec<ListOffsetsPartition>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ListOffsetsPartition {
    pub partition_index: i32,
    /// The leader epoch that the client knows, or -1; from version 4.
    pub current_leader_epoch: i32,
    /// Milliseconds; -1 is the end, -2 the beginning.
    pub timestamp: i64,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            current_leader_epoch: -1,
            timestamp: 0,
        }
    }
}

/// The offsets found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListOffsetsResponse {
    /// How long the broker delayed or will delay this client, in milliseconds; from version 2.
    pub throttle_time_ms: i32,
    pub topics: Vec<ListOffsetsTopicResponse>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListOffsetsTopicResponse {
    pub name: String,
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ListOffsetsPartitionResponse {
    pub partition_index: i32,
    pub error_code: ErrorCode,
    /// The timestamp of the record found, or -1. Milliseconds.
    pub timestamp: i64,
    /// The offset found, or -1.
    pub offset: i64,
    /// The leader epoch of the record found, or -1; from version 4.
    pub leader_epoch: i32,
}

impl Default for ListOffsetsPartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: ErrorCode::NONE,
            timestamp: -1,
            offset: -1,
            leader_epoch: -1,
        }
    }
}

impl Request for ListOffsetsRequest {
    const KEY: ApiKey = ApiKey::ListOffsets;
    type Response = ListOffsetsResponse;
}

impl Encode for ListOffsetsRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::ListOffsets, version, "ListOffsetsRequest")?;
        out.i32(self.replica_id);
        if version >= 2 {
            out.i8(self.isolation_level);
        } else if self.isolation_level != 0 {
            return Err(out.not_in_version("isolation_level"));
        }
        out.array(&self.topics, "topics", |out, topic| {
            out.string(&topic.name, "topic name")?;
            out.array(&topic.partitions, "partitions", |out, partition| {
                out.i32(partition.partition_index);
                if out.version >= 4 {
                    out.i32(partition.current_leader_epoch);
                }
                out.i64(partition.timestamp);
                out.no_tags();
                Ok(())
            })?;
            out.no_tags();
            Ok(())
        })?;
        out.no_tags();
        Ok(())
    }
}

impl Decode for ListOffsetsRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::ListOffsets, version, "ListOffsetsRequest")?;
        let replica_id = r.i32("replica id")?;
        let isolation_level = if version >= 2 {
            r.i8("isolation level")?
        } else {
            0
        };
        let topics = r.array(3, "topics", |r| {
            let name = r.string("topic name")?;
            let partitions = r.array(12, "partitions", |r| {
                let mut partition = ListOffsetsPartition {
                    partition_index: r.i32("partition index")?,
                    ..ListOffsetsPartition::default()
                };
                if r.version >= 4 {
                    partition.current_leader_epoch = r.i32("current leader epoch")?;
                }
                partition.timestamp = r.i64("timestamp")?;
                r.no_tags()?;
                Ok(partition)
            })?;
            r.no_tags()?;
            Ok(ListOffsetsTopic { name, partitions })
        })?;
        r.no_tags()?;
        Ok(Self {
            replica_id,
            isolation_level,
            topics,
        })
    }
}

impl ListOffsetsPartitionResponse {
    fn write(&self, out: &mut MessageWriter<'_>) {
        out.i32(self.partition_index);
        out.error_code(self.error_code);
        out.i64(self.timestamp);
        out.i64(self.offset);
        if out.version >= 4 {
            out.i32(self.leader_epoch);
        }
        out.no_tags();
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let mut partition = Self {
            partition_index: r.i32("partition index")?,
            error_code: r.error_code("error code")?,
            timestamp: r.i64("timestamp")?,
            offset: r.i64("offset")?,
            leader_epoch: -1,
        };
        if r.version >= 4 {
            partition.leader_epoch = r.i32("leader epoch")?;
        }
        r.no_tags()?;
        Ok(partition)
    }
}

impl Encode for ListOffsetsResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::ListOffsets, version, "ListOffsetsResponse")?;
        if version >= 2 {
            out.i32(self.throttle_time_ms);
        }
        out.array(&self.topics, "topics", |out, topic| {
            out.string(&topic.name, "topic name")?;
            out.array(&topic.partitions, "partitions", |out, partition| {
                partition.write(out);
                Ok(())
            })?;
            out.no_tags();
            Ok(())
        })?;
        out.no_tags();
        Ok(())
    }
}

impl Decode for ListOffsetsResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::ListOffsets, version, "ListOffsetsResponse")?;
        let throttle_time_ms = if version >= 2 {
            r.i32("throttle time")?
        } else {
            0
        };
        let topics = r.array(3, "topics", |r| {
            let name = r.string("topic name")?;
            let partitions = r.array(22, "partitions", ListOffsetsPartitionResponse::read)?;
            r.no_tags()?;
            Ok(ListOffsetsTopicResponse { name, partitions })
        })?;
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
        })
    }
}
