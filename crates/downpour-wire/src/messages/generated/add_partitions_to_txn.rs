//! AddPartitionsToTxn, versions 0 to 3. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Adds partitions to a transaction, before the first batch goes to them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddPartitionsToTxnRequest {
    /// The transactional id corresponding to the transaction.
    pub transactional_id: String,
    /// Current producer id in use by the transactional id.
    pub producer_id: i64,
    /// Current epoch associated with the producer id.
    pub producer_epoch: i16,
    /// The partitions to add to the transaction.
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

/// The partitions to add to the transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddPartitionsToTxnTopic {
    /// The name of the topic.
    pub name: String,
    /// The partition indexes to add to the transaction.
    pub partitions: Vec<i32>,
}

impl Request for AddPartitionsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
    type Response = AddPartitionsToTxnResponse;
}

impl Encode for AddPartitionsToTxnRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::AddPartitionsToTxn,
            version,
            "AddPartitionsToTxnRequest",
        )?;
        out.string(&self.transactional_id, "transactional id")?;
        out.i64(self.producer_id);
        out.i16(self.producer_epoch);
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for AddPartitionsToTxnRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::AddPartitionsToTxn,
            version,
            "AddPartitionsToTxnRequest",
        )?;
        let transactional_id = r.string("transactional id")?;
        let producer_id = r.i64("producer id")?;
        let producer_epoch = r.i16("producer epoch")?;
        let topics = r.array(3, "topics", AddPartitionsToTxnTopic::read)?;
        r.no_tags()?;
        Ok(Self {
            transactional_id,
            producer_id,
            producer_epoch,
            topics,
        })
    }
}

impl AddPartitionsToTxnTopic {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.i32_array(&self.partitions, "partitions")?;
        out.no_tags();
        Ok(())
    }

    #[cfg(feature = "broker")]
    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let partitions = r.i32_array("partitions")?;
        r.no_tags()?;
        Ok(Self { name, partitions })
    }
}

/// Which partitions were added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddPartitionsToTxnResponse {
    /// Duration in milliseconds for which the request was throttled due to a quota violation, or
    /// zero if the request did not violate any quota.
    pub throttle_time_ms: i32,
    /// The results for each topic.
    pub results_by_topic: Vec<AddPartitionsToTxnTopicResult>,
}

/// The results for each topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddPartitionsToTxnTopicResult {
    /// The topic name.
    pub name: String,
    /// The results for each partition.
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

/// The results for each partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AddPartitionsToTxnPartitionResult {
    /// The partition indexes.
    pub partition_index: i32,
    /// The response error code.
    pub partition_error_code: ErrorCode,
}

#[cfg(feature = "broker")]
impl Encode for AddPartitionsToTxnResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::AddPartitionsToTxn,
            version,
            "AddPartitionsToTxnResponse",
        )?;
        out.i32(self.throttle_time_ms);
        out.array(&self.results_by_topic, "results by topic", |out, it| {
            it.write(out)
        })?;
        out.no_tags();
        Ok(())
    }
}

impl Decode for AddPartitionsToTxnResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::AddPartitionsToTxn,
            version,
            "AddPartitionsToTxnResponse",
        )?;
        let throttle_time_ms = r.i32("throttle time ms")?;
        let results_by_topic =
            r.array(3, "results by topic", AddPartitionsToTxnTopicResult::read)?;
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            results_by_topic,
        })
    }
}

impl AddPartitionsToTxnTopicResult {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.array(
            &self.results_by_partition,
            "results by partition",
            |out, it| it.write(out),
        )?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let results_by_partition = r.array(
            6,
            "results by partition",
            AddPartitionsToTxnPartitionResult::read,
        )?;
        r.no_tags()?;
        Ok(Self {
            name,
            results_by_partition,
        })
    }
}

impl AddPartitionsToTxnPartitionResult {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.partition_index);
        out.error_code(self.partition_error_code);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let partition_index = r.i32("partition index")?;
        let partition_error_code = r.error_code("partition error code")?;
        r.no_tags()?;
        Ok(Self {
            partition_index,
            partition_error_code,
        })
    }
}
