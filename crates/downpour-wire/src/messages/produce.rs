//! The Produce request as an owned struct: for the fake and for tests.
//! The producer's own path writes it without copying, in `frame`; the response is in
//! `produce_response`.

use super::api_key::ApiKey;
use super::message::{Decode, Encode, Request};
use super::produce_response::ProduceResponse;
use super::reader::MessageReader;
use super::writer::MessageWriter;
use crate::error::{DecodeError, EncodeError};
use crate::primitives::{Reader, Uuid};

/// Writes record batches, one per partition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProduceRequest {
    /// The transactional id, if the batches belong to a transaction.
    pub transactional_id: Option<String>,
    /// 0: no answer; 1: written by the leader; -1: written by every replica in sync.
    pub acks: i16,
    /// How long the leader may wait for the replicas, in milliseconds.
    pub timeout_ms: i32,
    pub topics: Vec<ProduceTopic>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProduceTopic {
    /// The name; versions 3 to 12.
    pub name: String,
    /// The id; version 13.
    pub topic_id: Uuid,
    pub partitions: Vec<ProducePartition>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProducePartition {
    pub index: i32,
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
        out.array(&self.topics, "topics", |out, topic| {
            if out.version >= 13 {
                out.uuid(topic.topic_id);
            } else {
                out.string(&topic.name, "topic name")?;
            }
            out.array(&topic.partitions, "partitions", |out, partition| {
                out.i32(partition.index);
                out.nullable_bytes(partition.records.as_deref(), "records")?;
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

impl Decode for ProduceRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::Produce, version, "ProduceRequest")?;
        let transactional_id = r.nullable_string("transactional id")?;
        let acks = r.i16("acks")?;
        let timeout_ms = r.i32("timeout")?;
        let topics = r.array(3, "topics", |r| {
            let mut topic = ProduceTopic::default();
            if r.version >= 13 {
                topic.topic_id = r.uuid("topic id")?;
            } else {
                topic.name = r.string("topic name")?;
            }
            topic.partitions = r.array(6, "partitions", |r| {
                let index = r.i32("partition index")?;
                let records = r.nullable_bytes("records")?;
                r.no_tags()?;
                Ok(ProducePartition { index, records })
            })?;
            r.no_tags()?;
            Ok(topic)
        })?;
        r.no_tags()?;
        Ok(Self {
            transactional_id,
            acks,
            timeout_ms,
            topics,
        })
    }
}
