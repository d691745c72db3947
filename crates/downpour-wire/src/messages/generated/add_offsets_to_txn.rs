//! AddOffsetsToTxn, versions 0 to 4. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Adds a consumer group's offsets to a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddOffsetsToTxnRequest {
    /// The transactional id corresponding to the transaction.
    pub transactional_id: String,
    /// Current producer id in use by the transactional id.
    pub producer_id: i64,
    /// Current epoch associated with the producer id.
    pub producer_epoch: i16,
    /// The unique group identifier.
    pub group_id: String,
}

impl Request for AddOffsetsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddOffsetsToTxn;
    type Response = AddOffsetsToTxnResponse;
}

impl Encode for AddOffsetsToTxnRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::AddOffsetsToTxn,
            version,
            "AddOffsetsToTxnRequest",
        )?;
        out.string(&self.transactional_id, "transactional id")?;
        out.i64(self.producer_id);
        out.i16(self.producer_epoch);
        out.string(&self.group_id, "group id")?;
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for AddOffsetsToTxnRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::AddOffsetsToTxn,
            version,
            "AddOffsetsToTxnRequest",
        )?;
        let transactional_id = r.string("transactional id")?;
        let producer_id = r.i64("producer id")?;
        let producer_epoch = r.i16("producer epoch")?;
        let group_id = r.string("group id")?;
        r.no_tags()?;
        Ok(Self {
            transactional_id,
            producer_id,
            producer_epoch,
            group_id,
        })
    }
}

/// Whether they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AddOffsetsToTxnResponse {
    /// Duration in milliseconds for which the request was throttled due to a quota violation, or
    /// zero if the request did not violate any quota.
    pub throttle_time_ms: i32,
    /// The response error code, or 0 if there was no error.
    pub error_code: ErrorCode,
}

#[cfg(feature = "broker")]
impl Encode for AddOffsetsToTxnResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::AddOffsetsToTxn,
            version,
            "AddOffsetsToTxnResponse",
        )?;
        out.i32(self.throttle_time_ms);
        out.error_code(self.error_code);
        out.no_tags();
        Ok(())
    }
}

impl Decode for AddOffsetsToTxnResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::AddOffsetsToTxn,
            version,
            "AddOffsetsToTxnResponse",
        )?;
        let throttle_time_ms = r.i32("throttle time ms")?;
        let error_code = r.error_code("error code")?;
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
        })
    }
}
