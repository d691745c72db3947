//! ListOffsets, versions 1 to 7. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Asks for offsets by timestamp.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOffsetsRequest {
    /// The broker ID of the requester, or -1 if this request is being made by a normal consumer.
    pub replica_id: i32,
    /// This setting controls the visibility of transactional records. Using READ_UNCOMMITTED
    /// (isolation_level = 0) makes all records visible. With READ_COMMITTED (isolation_level = 1),
    /// non-transactional and COMMITTED transactional records are visible. To be more concrete,
    /// READ_COMMITTED returns all data from offsets smaller than the current LSO (last stable
    /// offset), and enables the inclusion of the list of aborted transactions in the result, which
    /// allows consumers to discard ABORTED transactional records; from version 2.
    pub isolation_level: i8,
    /// Each topic in the request.
    pub topics: Vec<ListOffsetsTopic>,
}

/// Each topic in the request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOffsetsTopic {
    /// The topic name.
    pub name: String,
    /// Each partition in the request.
    pub partitions: Vec<ListOffsetsPartition>,
}

/// Each partition in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListOffsetsPartition {
    /// The partition index.
    pub partition_index: i32,
    /// The current leader epoch; from version 4. Default `-1`.
    pub current_leader_epoch: i32,
    /// The current timestamp.
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
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
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
        let topics = r.array(3, "topics", ListOffsetsTopic::read)?;
        r.no_tags()?;
        Ok(Self {
            replica_id,
            isolation_level,
            topics,
        })
    }
}

impl ListOffsetsTopic {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.array(&self.partitions, "partitions", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let partitions = r.array(12, "partitions", ListOffsetsPartition::read)?;
        r.no_tags()?;
        Ok(Self { name, partitions })
    }
}

impl ListOffsetsPartition {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        out.i32(self.partition_index);
        if version >= 4 {
            out.i32(self.current_leader_epoch);
        }
        out.i64(self.timestamp);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let partition_index = r.i32("partition index")?;
        let current_leader_epoch = if version >= 4 {
            r.i32("current leader epoch")?
        } else {
            -1
        };
        let timestamp = r.i64("timestamp")?;
        r.no_tags()?;
        Ok(Self {
            partition_index,
            current_leader_epoch,
            timestamp,
        })
    }
}

/// The offsets found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOffsetsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota; from version 2.
    pub throttle_time_ms: i32,
    /// Each topic in the response.
    pub topics: Vec<ListOffsetsTopicResponse>,
}

/// Each topic in the response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOffsetsTopicResponse {
    /// The topic name.
    pub name: String,
    /// Each partition in the response.
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

/// Each partition in the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListOffsetsPartitionResponse {
    /// The partition index.
    pub partition_index: i32,
    /// The partition error code, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The timestamp associated with the returned offset. Default `-1`.
    pub timestamp: i64,
    /// The returned offset. Default `-1`.
    pub offset: i64,
    /// The leader epoch associated with the returned offset; from version 4. Default `-1`.
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

impl Encode for ListOffsetsResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::ListOffsets, version, "ListOffsetsResponse")?;
        if version >= 2 {
            out.i32(self.throttle_time_ms);
        }
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }
}

impl Decode for ListOffsetsResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::ListOffsets, version, "ListOffsetsResponse")?;
        let throttle_time_ms = if version >= 2 {
            r.i32("throttle time ms")?
        } else {
            0
        };
        let topics = r.array(3, "topics", ListOffsetsTopicResponse::read)?;
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
        })
    }
}

impl ListOffsetsTopicResponse {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.array(&self.partitions, "partitions", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let partitions = r.array(22, "partitions", ListOffsetsPartitionResponse::read)?;
        r.no_tags()?;
        Ok(Self { name, partitions })
    }
}

impl ListOffsetsPartitionResponse {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        out.i32(self.partition_index);
        out.error_code(self.error_code);
        out.i64(self.timestamp);
        out.i64(self.offset);
        if version >= 4 {
            out.i32(self.leader_epoch);
        }
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let partition_index = r.i32("partition index")?;
        let error_code = r.error_code("error code")?;
        let timestamp = r.i64("timestamp")?;
        let offset = r.i64("offset")?;
        let leader_epoch = if version >= 4 {
            r.i32("leader epoch")?
        } else {
            -1
        };
        r.no_tags()?;
        Ok(Self {
            partition_index,
            error_code,
            timestamp,
            offset,
            leader_epoch,
        })
    }
}
