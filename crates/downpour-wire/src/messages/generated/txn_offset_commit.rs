//! TxnOffsetCommit, versions 0 to 5. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Commits a consumer group's offsets as part of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnOffsetCommitRequest {
    /// The ID of the transaction.
    pub transactional_id: String,
    /// The ID of the group.
    pub group_id: String,
    /// The current producer ID in use by the transactional ID.
    pub producer_id: i64,
    /// The current epoch associated with the producer ID.
    pub producer_epoch: i16,
    /// The generation of the consumer; from version 3. Default `-1`.
    pub generation_id: i32,
    /// The member ID assigned by the group coordinator; from version 3.
    pub member_id: String,
    /// The unique identifier of the consumer instance provided by end user; from version 3.
    pub group_instance_id: Option<String>,
    /// Each topic that we want to commit offsets for.
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            group_id: String::new(),
            producer_id: 0,
            producer_epoch: 0,
            generation_id: -1,
            member_id: String::new(),
            group_instance_id: None,
            topics: Vec::new(),
        }
    }
}

/// Each topic that we want to commit offsets for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxnOffsetCommitRequestTopic {
    /// The topic name.
    pub name: String,
    /// The partitions inside the topic that we want to commit offsets for.
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
}

/// The partitions inside the topic that we want to commit offsets for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnOffsetCommitRequestPartition {
    /// The index of the partition within the topic.
    pub partition_index: i32,
    /// The message offset to be committed.
    pub committed_offset: i64,
    /// The leader epoch of the last consumed record; from version 2. Default `-1`.
    pub committed_leader_epoch: i32,
    /// Any associated metadata the client wants to keep.
    pub committed_metadata: Option<String>,
}

impl Default for TxnOffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: None,
        }
    }
}

impl Request for TxnOffsetCommitRequest {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
    type Response = TxnOffsetCommitResponse;
}

impl Encode for TxnOffsetCommitRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::TxnOffsetCommit,
            version,
            "TxnOffsetCommitRequest",
        )?;
        out.string(&self.transactional_id, "transactional id")?;
        out.string(&self.group_id, "group id")?;
        out.i64(self.producer_id);
        out.i16(self.producer_epoch);
        if version >= 3 {
            out.i32(self.generation_id);
        } else if self.generation_id != -1 {
            return Err(out.not_in_version("generation_id"));
        }
        if version >= 3 {
            out.string(&self.member_id, "member id")?;
        } else if !self.member_id.is_empty() {
            return Err(out.not_in_version("member_id"));
        }
        if version >= 3 {
            out.nullable_string(self.group_instance_id.as_deref(), "group instance id")?;
        } else if self.group_instance_id.is_some() {
            return Err(out.not_in_version("group_instance_id"));
        }
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for TxnOffsetCommitRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::TxnOffsetCommit,
            version,
            "TxnOffsetCommitRequest",
        )?;
        let transactional_id = r.string("transactional id")?;
        let group_id = r.string("group id")?;
        let producer_id = r.i64("producer id")?;
        let producer_epoch = r.i16("producer epoch")?;
        let generation_id = if version >= 3 {
            r.i32("generation id")?
        } else {
            -1
        };
        let member_id = if version >= 3 {
            r.string("member id")?
        } else {
            String::new()
        };
        let group_instance_id = if version >= 3 {
            r.nullable_string("group instance id")?
        } else {
            None
        };
        let topics = r.array(3, "topics", TxnOffsetCommitRequestTopic::read)?;
        r.no_tags()?;
        Ok(Self {
            transactional_id,
            group_id,
            producer_id,
            producer_epoch,
            generation_id,
            member_id,
            group_instance_id,
            topics,
        })
    }
}

impl TxnOffsetCommitRequestTopic {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.array(&self.partitions, "partitions", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }

    #[cfg(feature = "broker")]
    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let partitions = r.array(14, "partitions", TxnOffsetCommitRequestPartition::read)?;
        r.no_tags()?;
        Ok(Self { name, partitions })
    }
}

impl TxnOffsetCommitRequestPartition {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        out.i32(self.partition_index);
        out.i64(self.committed_offset);
        if version >= 2 {
            out.i32(self.committed_leader_epoch);
        }
        out.nullable_string(self.committed_metadata.as_deref(), "committed metadata")?;
        out.no_tags();
        Ok(())
    }

    #[cfg(feature = "broker")]
    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let partition_index = r.i32("partition index")?;
        let committed_offset = r.i64("committed offset")?;
        let committed_leader_epoch = if version >= 2 {
            r.i32("committed leader epoch")?
        } else {
            -1
        };
        let committed_metadata = r.nullable_string("committed metadata")?;
        r.no_tags()?;
        Ok(Self {
            partition_index,
            committed_offset,
            committed_leader_epoch,
            committed_metadata,
        })
    }
}

/// Which offsets were taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxnOffsetCommitResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota.
    pub throttle_time_ms: i32,
    /// The responses for each topic.
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
}

/// The responses for each topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxnOffsetCommitResponseTopic {
    /// The topic name.
    pub name: String,
    /// The responses for each partition in the topic.
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
}

/// The responses for each partition in the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TxnOffsetCommitResponsePartition {
    /// The partition index.
    pub partition_index: i32,
    /// The error code, or 0 if there was no error.
    pub error_code: ErrorCode,
}

#[cfg(feature = "broker")]
impl Encode for TxnOffsetCommitResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::TxnOffsetCommit,
            version,
            "TxnOffsetCommitResponse",
        )?;
        out.i32(self.throttle_time_ms);
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }
}

impl Decode for TxnOffsetCommitResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::TxnOffsetCommit,
            version,
            "TxnOffsetCommitResponse",
        )?;
        let throttle_time_ms = r.i32("throttle time ms")?;
        let topics = r.array(3, "topics", TxnOffsetCommitResponseTopic::read)?;
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            topics,
        })
    }
}

impl TxnOffsetCommitResponseTopic {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.array(&self.partitions, "partitions", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let partitions = r.array(6, "partitions", TxnOffsetCommitResponsePartition::read)?;
        r.no_tags()?;
        Ok(Self { name, partitions })
    }
}

impl TxnOffsetCommitResponsePartition {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.partition_index);
        out.error_code(self.error_code);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let partition_index = r.i32("partition index")?;
        let error_code = r.error_code("error code")?;
        r.no_tags()?;
        Ok(Self {
            partition_index,
            error_code,
        })
    }
}
