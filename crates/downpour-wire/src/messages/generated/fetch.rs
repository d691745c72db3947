//! Fetch, versions 4 to 12. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Asks for record batches from offsets on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// The broker ID of the follower, of -1 if this request is from a consumer. Default `-1`.
    pub replica_id: i32,
    /// The maximum time in milliseconds to wait for the response.
    pub max_wait_ms: i32,
    /// The minimum bytes to accumulate in the response.
    pub min_bytes: i32,
    /// The maximum bytes to fetch. See KIP-74 for cases where this limit may not be honored.
    /// Default `i32::MAX`.
    pub max_bytes: i32,
    /// This setting controls the visibility of transactional records. Using READ_UNCOMMITTED
    /// (isolation_level = 0) makes all records visible. With READ_COMMITTED (isolation_level = 1),
    /// non-transactional and COMMITTED transactional records are visible. To be more concrete,
    /// READ_COMMITTED returns all data from offsets smaller than the current LSO (last stable
    /// offset), and enables the inclusion of the list of aborted transactions in the result, which
    /// allows consumers to discard ABORTED transactional records.
    pub isolation_level: i8,
    /// The fetch session ID; from version 7.
    pub session_id: i32,
    /// The fetch session epoch, which is used for ordering requests in a session; from version 7.
    /// Default `-1`.
    pub session_epoch: i32,
    /// The topics to fetch.
    pub topics: Vec<FetchTopic>,
    /// In an incremental fetch request, the partitions to remove; from version 7.
    pub forgotten_topics: Vec<ForgottenTopic>,
    /// Rack ID of the consumer making this request; from version 11.
    pub rack_id: String,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            replica_id: -1,
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: i32::MAX,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics: Vec::new(),
            rack_id: String::new(),
        }
    }
}

/// The topics to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchTopic {
    /// The name of the topic to fetch.
    pub topic: String,
    /// The partitions to fetch.
    pub partitions: Vec<FetchPartition>,
}

/// The partitions to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchPartition {
    /// The partition index.
    pub partition: i32,
    /// The current leader epoch of the partition; from version 9. Default `-1`.
    pub current_leader_epoch: i32,
    /// The message offset.
    pub fetch_offset: i64,
    /// The epoch of the last fetched record or -1 if there is none; from version 12. Default `-1`.
    pub last_fetched_epoch: i32,
    /// The earliest available offset of the follower replica. The field is only used when the
    /// request is sent by the follower; from version 5. Default `-1`.
    pub log_start_offset: i64,
    /// The maximum bytes to fetch from this partition. See KIP-74 for cases where this limit may
    /// not be honored.
    pub partition_max_bytes: i32,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
        }
    }
}

/// In an incremental fetch request, the partitions to remove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForgottenTopic {
    /// The topic name.
    pub topic: String,
    /// The partitions indexes to forget.
    pub partitions: Vec<i32>,
}

impl Request for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
    type Response = FetchResponse;
}

impl Encode for FetchRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Fetch, version, "FetchRequest")?;
        out.i32(self.replica_id);
        out.i32(self.max_wait_ms);
        out.i32(self.min_bytes);
        out.i32(self.max_bytes);
        out.i8(self.isolation_level);
        if version >= 7 {
            out.i32(self.session_id);
        }
        if version >= 7 {
            out.i32(self.session_epoch);
        }
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        if version >= 7 {
            out.array(&self.forgotten_topics, "forgotten topics", |out, it| {
                it.write(out)
            })?;
        } else if !self.forgotten_topics.is_empty() {
            return Err(out.not_in_version("forgotten_topics"));
        }
        if version >= 11 {
            out.string(&self.rack_id, "rack id")?;
        }
        out.no_tags();
        Ok(())
    }
}

impl Decode for FetchRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::Fetch, version, "FetchRequest")?;
        let replica_id = r.i32("replica id")?;
        let max_wait_ms = r.i32("max wait ms")?;
        let min_bytes = r.i32("min bytes")?;
        let max_bytes = r.i32("max bytes")?;
        let isolation_level = r.i8("isolation level")?;
        let session_id = if version >= 7 {
            r.i32("session id")?
        } else {
            0
        };
        let session_epoch = if version >= 7 {
            r.i32("session epoch")?
        } else {
            -1
        };
        let topics = r.array(3, "topics", FetchTopic::read)?;
        let forgotten_topics = if version >= 7 {
            r.array(3, "forgotten topics", ForgottenTopic::read)?
        } else {
            Vec::new()
        };
        let rack_id = if version >= 11 {
            r.string("rack id")?
        } else {
            String::new()
        };
        r.no_tags()?;
        Ok(Self {
            replica_id,
            max_wait_ms,
            min_bytes,
            max_bytes,
            isolation_level,
            session_id,
            session_epoch,
            topics,
            forgotten_topics,
            rack_id,
        })
    }
}

impl FetchTopic {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.topic, "topic")?;
        out.array(&self.partitions, "partitions", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let topic = r.string("topic")?;
        let partitions = r.array(16, "partitions", FetchPartition::read)?;
        r.no_tags()?;
        Ok(Self { topic, partitions })
    }
}

impl FetchPartition {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        out.i32(self.partition);
        if version >= 9 {
            out.i32(self.current_leader_epoch);
        }
        out.i64(self.fetch_offset);
        if version >= 12 {
            out.i32(self.last_fetched_epoch);
        } else if self.last_fetched_epoch != -1 {
            return Err(out.not_in_version("last_fetched_epoch"));
        }
        if version >= 5 {
            out.i64(self.log_start_offset);
        }
        out.i32(self.partition_max_bytes);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let partition = r.i32("partition")?;
        let current_leader_epoch = if version >= 9 {
            r.i32("current leader epoch")?
        } else {
            -1
        };
        let fetch_offset = r.i64("fetch offset")?;
        let last_fetched_epoch = if version >= 12 {
            r.i32("last fetched epoch")?
        } else {
            -1
        };
        let log_start_offset = if version >= 5 {
            r.i64("log start offset")?
        } else {
            -1
        };
        let partition_max_bytes = r.i32("partition max bytes")?;
        r.no_tags()?;
        Ok(Self {
            partition,
            current_leader_epoch,
            fetch_offset,
            last_fetched_epoch,
            log_start_offset,
            partition_max_bytes,
        })
    }
}

impl ForgottenTopic {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.topic, "topic")?;
        out.i32_array(&self.partitions, "partitions")?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let topic = r.string("topic")?;
        let partitions = r.i32_array("partitions")?;
        r.no_tags()?;
        Ok(Self { topic, partitions })
    }
}

/// Record batches, the last of each partition perhaps cut off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota.
    pub throttle_time_ms: i32,
    /// The top level response error code; from version 7.
    pub error_code: ErrorCode,
    /// The fetch session ID, or 0 if this is not part of a fetch session; from version 7.
    pub session_id: i32,
    /// The response topics.
    pub topics: Vec<FetchTopicResponse>,
}

/// The response topics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchTopicResponse {
    /// The topic name.
    pub topic: String,
    /// The topic partitions.
    pub partitions: Vec<FetchPartitionResponse>,
}

/// The topic partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchPartitionResponse {
    /// The partition index.
    pub partition_index: i32,
    /// The error code, or 0 if there was no fetch error.
    pub error_code: ErrorCode,
    /// The current high water mark.
    pub high_watermark: i64,
    /// The last stable offset (or LSO) of the partition. This is the last offset such that the
    /// state of all transactional records prior to this offset have been decided (ABORTED or
    /// COMMITTED). Default `-1`.
    pub last_stable_offset: i64,
    /// The current log start offset; from version 5. Default `-1`.
    pub log_start_offset: i64,
    /// The current leader of the partition; from version 12.
    pub current_leader: Option<FetchLeader>,
    /// The aborted transactions. Default empty.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The preferred read replica for the consumer to use on its next fetch request; from version
    /// 11. Default `-1`.
    pub preferred_read_replica: i32,
    /// The record data.
    pub records: Option<Vec<u8>>,
}

impl Default for FetchPartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: ErrorCode::NONE,
            high_watermark: 0,
            last_stable_offset: -1,
            log_start_offset: -1,
            current_leader: None,
            aborted_transactions: Some(Vec::new()),
            preferred_read_replica: -1,
            records: None,
        }
    }
}

/// The current leader of the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLeader {
    /// The ID of the current leader or -1 if the leader is unknown. Default `-1`.
    pub leader_id: i32,
    /// The latest known leader epoch. Default `-1`.
    pub leader_epoch: i32,
}

impl Default for FetchLeader {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
}

/// The aborted transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AbortedTransaction {
    /// The producer id associated with the aborted transaction.
    pub producer_id: i64,
    /// The first offset in the aborted transaction.
    pub first_offset: i64,
}

impl Encode for FetchResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Fetch, version, "FetchResponse")?;
        out.i32(self.throttle_time_ms);
        if version >= 7 {
            out.error_code(self.error_code);
        }
        if version >= 7 {
            out.i32(self.session_id);
        }
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }
}

impl Decode for FetchResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::Fetch, version, "FetchResponse")?;
        let throttle_time_ms = r.i32("throttle time ms")?;
        let error_code = if version >= 7 {
            r.error_code("error code")?
        } else {
            ErrorCode::NONE
        };
        let session_id = if version >= 7 {
            r.i32("session id")?
        } else {
            0
        };
        let topics = r.array(3, "topics", FetchTopicResponse::read)?;
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            session_id,
            topics,
        })
    }
}

impl FetchTopicResponse {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.topic, "topic")?;
        out.array(&self.partitions, "partitions", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let topic = r.string("topic")?;
        let partitions = r.array(30, "partitions", FetchPartitionResponse::read)?;
        r.no_tags()?;
        Ok(Self { topic, partitions })
    }
}

impl FetchPartitionResponse {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        out.i32(self.partition_index);
        out.error_code(self.error_code);
        out.i64(self.high_watermark);
        out.i64(self.last_stable_offset);
        if version >= 5 {
            out.i64(self.log_start_offset);
        }
        out.nullable_array(
            self.aborted_transactions.as_deref(),
            "aborted transactions",
            |out, it| it.write(out),
        )?;
        if version >= 11 {
            out.i32(self.preferred_read_replica);
        }
        out.nullable_bytes(self.records.as_deref(), "records")?;
        let has_current_leader = version >= 12 && self.current_leader.is_some();
        out.tag_count(u32::from(has_current_leader));
        if has_current_leader {
            out.tag(1, "current leader", |out| {
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
        let partition_index = r.i32("partition index")?;
        let error_code = r.error_code("error code")?;
        let high_watermark = r.i64("high watermark")?;
        let last_stable_offset = r.i64("last stable offset")?;
        let log_start_offset = if version >= 5 {
            r.i64("log start offset")?
        } else {
            -1
        };
        let aborted_transactions =
            r.nullable_array(16, "aborted transactions", AbortedTransaction::read)?;
        let preferred_read_replica = if version >= 11 {
            r.i32("preferred read replica")?
        } else {
            -1
        };
        let records = r.nullable_bytes("records")?;
        let mut current_leader = None;
        r.tags(|tag, r| {
            match tag {
                1 => current_leader = Some(FetchLeader::read(r)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Self {
            partition_index,
            error_code,
            high_watermark,
            last_stable_offset,
            log_start_offset,
            current_leader,
            aborted_transactions,
            preferred_read_replica,
            records,
        })
    }
}

impl FetchLeader {
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

impl AbortedTransaction {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i64(self.producer_id);
        out.i64(self.first_offset);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let producer_id = r.i64("producer id")?;
        let first_offset = r.i64("first offset")?;
        r.no_tags()?;
        Ok(Self {
            producer_id,
            first_offset,
        })
    }
}
