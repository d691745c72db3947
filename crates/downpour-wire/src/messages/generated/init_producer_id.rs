//! InitProducerId, versions 0 to 5. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Asks for a producer id and epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitProducerIdRequest {
    /// The transactional id, or null if the producer is not transactional.
    pub transactional_id: Option<String>,
    /// The time in ms to wait before aborting idle transactions sent by this producer. This is only
    /// relevant if a TransactionalId has been defined.
    pub transaction_timeout_ms: i32,
    /// The producer id. This is used to disambiguate requests if a transactional id is reused
    /// following its expiration; from version 3. Default `-1`.
    pub producer_id: i64,
    /// The producer's current epoch. This will be checked against the producer epoch on the broker,
    /// and the request will return an error if they do not match; from version 3. Default `-1`.
    pub producer_epoch: i16,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        Self {
            transactional_id: None,
            transaction_timeout_ms: 0,
            producer_id: -1,
            producer_epoch: -1,
        }
    }
}

impl Request for InitProducerIdRequest {
    const KEY: ApiKey = ApiKey::InitProducerId;
    type Response = InitProducerIdResponse;
}

impl Encode for InitProducerIdRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::InitProducerId,
            version,
            "InitProducerIdRequest",
        )?;
        out.nullable_string(self.transactional_id.as_deref(), "transactional id")?;
        out.i32(self.transaction_timeout_ms);
        if version >= 3 {
            out.i64(self.producer_id);
        } else if self.producer_id != -1 {
            return Err(out.not_in_version("producer_id"));
        }
        if version >= 3 {
            out.i16(self.producer_epoch);
        } else if self.producer_epoch != -1 {
            return Err(out.not_in_version("producer_epoch"));
        }
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for InitProducerIdRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r =
            MessageReader::new(r, ApiKey::InitProducerId, version, "InitProducerIdRequest")?;
        let transactional_id = r.nullable_string("transactional id")?;
        let transaction_timeout_ms = r.i32("transaction timeout ms")?;
        let producer_id = if version >= 3 {
            r.i64("producer id")?
        } else {
            -1
        };
        let producer_epoch = if version >= 3 {
            r.i16("producer epoch")?
        } else {
            -1
        };
        r.no_tags()?;
        Ok(Self {
            transactional_id,
            transaction_timeout_ms,
            producer_id,
            producer_epoch,
        })
    }
}

/// A producer id and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitProducerIdResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota.
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The current producer id. Default `-1`.
    pub producer_id: i64,
    /// The current epoch associated with the producer id.
    pub producer_epoch: i16,
}

impl Default for InitProducerIdResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: ErrorCode::NONE,
            producer_id: -1,
            producer_epoch: 0,
        }
    }
}

#[cfg(feature = "broker")]
impl Encode for InitProducerIdResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::InitProducerId,
            version,
            "InitProducerIdResponse",
        )?;
        out.i32(self.throttle_time_ms);
        out.error_code(self.error_code);
        out.i64(self.producer_id);
        out.i16(self.producer_epoch);
        out.no_tags();
        Ok(())
    }
}

impl Decode for InitProducerIdResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r =
            MessageReader::new(r, ApiKey::InitProducerId, version, "InitProducerIdResponse")?;
        let throttle_time_ms = r.i32("throttle time ms")?;
        let error_code = r.error_code("error code")?;
        let producer_id = r.i64("producer id")?;
        let producer_epoch = r.i16("producer epoch")?;
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            producer_id,
            producer_epoch,
        })
    }
}
