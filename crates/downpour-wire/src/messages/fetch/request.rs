//! The Fetch request. What only followers say in tagged fields is skipped.

use super::response::FetchResponse;
use crate::error::{DecodeError, EncodeError};
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

#[derive(Debug, Clone, PartialEq)]
pub struct FetchRequest {
    /// The follower that asks, or -1 for a consumer.
    pub replica_id: i32,
    /// How long the broker may wait for `min_bytes`, in milliseconds.
    pub max_wait_ms: i32,
    /// How many bytes to wait for.
    pub min_bytes: i32,
    /// How many bytes to answer at most.
    pub max_bytes: i32,
    /// 0: read uncommitted; 1: read committed.
    pub isolation_level: i8,
    /// The fetch session, or 0; from version 7.
    pub session_id: i32,
    /// The fetch session's epoch, or -1 for none; from version 7.
    pub session_epoch: i32,
    pub topics: Vec<FetchTopic>,
    /// What to drop from the fetch session; from version 7.
    pub forgotten_topics: Vec<ForgottenTopic>,
    /// The consumer's rack; from version 11.
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

#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchTopic {
    pub topic: String,
    pub partitions: Vec<FetchPartition>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FetchPartition {
    pub partition: i32,
    /// The leader epoch that the client knows, or -1; from version 9.
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    /// The epoch of the last record read, or -1; version 12.
    pub last_fetched_epoch: i32,
    /// The follower's first offset, or -1; from version 5.
    pub log_start_offset: i64,
    /// How many bytes to answer at most for this partition.
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

/// Partitions to drop from a fetch session.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForgottenTopic {
    pub topic: String,
    pub partitions: Vec<i32>,
}

impl Request for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
    type Response = FetchResponse;
}

impl FetchPartition {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.partition);
        if out.version >= 9 {
            out.i32(self.current_leader_epoch);
        }
        out.i64(self.fetch_offset);
        if out.version >= 12 {
            out.i32(self.last_fetched_epoch);
        } else if self.last_fetched_epoch != -1 {
            return Err(out.not_in_version("last_fetched_epoch"));
        }
        if out.version >= 5 {
            out.i64(self.log_start_offset);
        }
        out.i32(self.partition_max_bytes);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let partition = Self {
            partition: r.i32("partition index")?,
            current_leader_epoch: if version >= 9 {
                r.i32("current leader epoch")?
            } else {
                -1
            },
            fetch_offset: r.i64("fetch offset")?,
            last_fetched_epoch: if version >= 12 {
                r.i32("last fetched epoch")?
            } else {
                -1
            },
            log_start_offset: if version >= 5 {
                r.i64("log start offset")?
            } else {
                -1
            },
            partition_max_bytes: r.i32("partition's max bytes")?,
        };
        r.no_tags()?;
        Ok(partition)
    }
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
            out.i32(self.session_epoch);
        }
        out.array(&self.topics, "topics", |out, topic| {
            out.string(&topic.topic, "topic name")?;
            out.array(&topic.partitions, "partitions", |out, partition| {
                partition.write(out)
            })?;
            out.no_tags();
            Ok(())
        })?;
        if version >= 7 {
            out.array(&self.forgotten_topics, "forgotten topics", |out, topic| {
                out.string(&topic.topic, "forgotten topic's name")?;
                out.i32_array(&topic.partitions, "forgotten partitions")?;
                out.no_tags();
                Ok(())
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
        let mut request = Self {
            replica_id: r.i32("replica id")?,
            max_wait_ms: r.i32("max wait")?,
            min_bytes: r.i32("min bytes")?,
            max_bytes: r.i32("max bytes")?,
            isolation_level: r.i8("isolation level")?,
            ..Self::default()
        };
        if version >= 7 {
            request.session_id = r.i32("session id")?;
            request.session_epoch = r.i32("session epoch")?;
        }
        request.topics = r.array(3, "topics", |r| {
            let topic = r.string("topic name")?;
            let partitions = r.array(16, "partitions", FetchPartition::read)?;
            r.no_tags()?;
            Ok(FetchTopic { topic, partitions })
        })?;
        if version >= 7 {
            request.forgotten_topics = r.array(3, "forgotten topics", |r| {
                let topic = r.string("forgotten topic's name")?;
                let partitions = r.i32_array("forgotten partitions")?;
                r.no_tags()?;
                Ok(ForgottenTopic { topic, partitions })
            })?;
        }
        if version >= 11 {
            request.rack_id = r.string("rack id")?;
        }
        r.no_tags()?;
        Ok(request)
    }
}
