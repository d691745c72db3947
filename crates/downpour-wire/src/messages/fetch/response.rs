//! The Fetch response. What only followers need in tagged fields is neither written nor read.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode};
use crate::messages::produce_response::LeaderIdAndEpoch;
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchResponse {
    /// How long the broker delayed or will delay this client, in milliseconds.
    pub throttle_time_ms: i32,
    /// What went wrong with the request as a whole; from version 7.
    pub error_code: ErrorCode,
    /// The fetch session, or 0; from version 7.
    pub session_id: i32,
    pub topics: Vec<FetchTopicResponse>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchTopicResponse {
    pub topic: String,
    pub partitions: Vec<FetchPartitionResponse>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FetchPartitionResponse {
    pub partition_index: i32,
    pub error_code: ErrorCode,
    /// The offset below which every replica in sync has the records.
    pub high_watermark: i64,
    /// The offset below which every transaction is decided, or -1.
    pub last_stable_offset: i64,
    /// The first offset; from version 5, before that -1.
    pub log_start_offset: i64,
    /// The leader, if this broker is not; version 12.
    pub current_leader: Option<LeaderIdAndEpoch>,
    /// The aborted transactions among the records.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The replica to read from instead, or -1; from version 11.
    pub preferred_read_replica: i32,
    /// The record batches, the last one perhaps cut off.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

impl FetchPartitionResponse {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.partition_index);
        out.error_code(self.error_code);
        out.i64(self.high_watermark);
        out.i64(self.last_stable_offset);
        if out.version >= 5 {
            out.i64(self.log_start_offset);
        }
        let aborted = self.aborted_transactions.as_deref();
        out.nullable_array(aborted, "aborted transactions", |out, aborted| {
            out.i64(aborted.producer_id);
            out.i64(aborted.first_offset);
            out.no_tags();
            Ok(())
        })?;
        if out.version >= 11 {
            out.i32(self.preferred_read_replica);
        }
        out.nullable_bytes(self.records.as_deref(), "records")?;
        let leader = self.current_leader.filter(|_| out.version >= 12);
        LeaderIdAndEpoch::write_tag(leader, 1, out)
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let mut partition = Self {
            partition_index: r.i32("partition index")?,
            error_code: r.error_code("error code")?,
            high_watermark: r.i64("high watermark")?,
            last_stable_offset: r.i64("last stable offset")?,
            ..Self::default()
        };
        if r.version >= 5 {
            partition.log_start_offset = r.i64("log start offset")?;
        }
        partition.aborted_transactions = r.nullable_array(16, "aborted transactions", |r| {
            let producer_id = r.i64("aborted transaction's producer id")?;
            let first_offset = r.i64("aborted transaction's first offset")?;
            r.no_tags()?;
            Ok(AbortedTransaction {
                producer_id,
                first_offset,
            })
        })?;
        if r.version >= 11 {
            partition.preferred_read_replica = r.i32("preferred read replica")?;
        }
        partition.records = r.nullable_bytes("records")?;
        r.tags(|tag, r| {
            if tag != 1 {
                return Ok(false);
            }
            partition.current_leader = Some(LeaderIdAndEpoch::read(r)?);
            Ok(true)
        })?;
        Ok(partition)
    }
}

impl Encode for FetchResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Fetch, version, "FetchResponse")?;
        out.i32(self.throttle_time_ms);
        if version >= 7 {
            out.error_code(self.error_code);
            out.i32(self.session_id);
        }
        out.array(&self.topics, "topics", |out, topic| {
            out.string(&topic.topic, "topic name")?;
            out.array(&topic.partitions, "partitions", |out, partition| {
                partition.write(out)
            })?;
            out.no_tags();
            Ok(())
        })?;
        out.no_tags();
        Ok(())
    }
}

impl Decode for FetchResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::Fetch, version, "FetchResponse")?;
        let mut response = Self {
            throttle_time_ms: r.i32("throttle time")?,
            ..Self::default()
        };
        if version >= 7 {
            response.error_code = r.error_code("error code")?;
            response.session_id = r.i32("session id")?;
        }
        response.topics = r.array(3, "topics", |r| {
            let topic = r.string("topic name")?;
            let partitions = r.array(30, "partitions", FetchPartitionResponse::read)?;
            r.no_tags()?;
            Ok(FetchTopicResponse { topic, partitions })
        })?;
        r.no_tags()?;
        Ok(response)
    }
}
