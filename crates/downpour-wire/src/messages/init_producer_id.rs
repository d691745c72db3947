//! The InitProducerId request and response. What to do with an identity is core's part.

use super::api_key::ApiKey;
use super::message::{Decode, Encode, Request};
use super::reader::MessageReader;
use super::writer::MessageWriter;
use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::primitives::Reader;

/// Asks for a producer id and epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct InitProducerIdRequest {
    /// The transactional id, if the producer is transactional.
    pub transactional_id: Option<String>,
    /// How long a transaction may stay open, in milliseconds; only with a transactional id.
    pub transaction_timeout_ms: i32,
    /// The present id, to have its epoch bumped, or -1; from version 3 (KIP-360).
    pub producer_id: i64,
    /// The present epoch, or -1; from version 3.
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

#[derive(Debug, Clone, PartialEq)]
pub struct InitProducerIdResponse {
    /// How long the broker delayed or will delay this client, in milliseconds.
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    /// The id, or -1.
    pub producer_id: i64,
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
            out.i16(self.producer_epoch);
        } else if self.producer_id != -1 {
            return Err(out.not_in_version("producer_id"));
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
        let mut request = Self {
            transactional_id: r.nullable_string("transactional id")?,
            transaction_timeout_ms: r.i32("transaction timeout")?,
            ..Self::default()
        };
        if version >= 3 {
            request.producer_id = r.i64("producer id")?;
            request.producer_epoch = r.i16("producer epoch")?;
        }
        r.no_tags()?;
        Ok(request)
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
        let response = Self {
            throttle_time_ms: r.i32("throttle time")?,
            error_code: r.error_code("error code")?,
            producer_id: r.i64("producer id")?,
            producer_epoch: r.i16("producer epoch")?,
        };
        r.no_tags()?;
        Ok(response)
    }
}
