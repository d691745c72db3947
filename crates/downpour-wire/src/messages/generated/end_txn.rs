//! EndTxn, versions 0 to 5. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Commits or aborts a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndTxnRequest {
    /// The ID of the transaction to end.
    pub transactional_id: String,
    /// The producer ID.
    pub producer_id: i64,
    /// The current epoch associated with the producer.
    pub producer_epoch: i16,
    /// True if the transaction was committed, false if it was aborted.
    pub committed: bool,
}

impl Request for EndTxnRequest {
    const KEY: ApiKey = ApiKey::EndTxn;
    type Response = EndTxnResponse;
}

impl Encode for EndTxnRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::EndTxn, version, "EndTxnRequest")?;
        out.string(&self.transactional_id, "transactional id")?;
        out.i64(self.producer_id);
        out.i16(self.producer_epoch);
        out.bool(self.committed);
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for EndTxnRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::EndTxn, version, "EndTxnRequest")?;
        let transactional_id = r.string("transactional id")?;
        let producer_id = r.i64("producer id")?;
        let producer_epoch = r.i16("producer epoch")?;
        let committed = r.bool("committed")?;
        r.no_tags()?;
        Ok(Self {
            transactional_id,
            producer_id,
            producer_epoch,
            committed,
        })
    }
}

/// Whether the transaction is being ended as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTxnResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota.
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The producer ID; from version 5. Default `-1`.
    pub producer_id: i64,
    /// The current epoch associated with the producer; from version 5. Default `-1`.
    pub producer_epoch: i16,
}

impl Default for EndTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: ErrorCode::NONE,
            producer_id: -1,
            producer_epoch: -1,
        }
    }
}

#[cfg(feature = "broker")]
impl Encode for EndTxnResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::EndTxn, version, "EndTxnResponse")?;
        out.i32(self.throttle_time_ms);
        out.error_code(self.error_code);
        if version >= 5 {
            out.i64(self.producer_id);
        }
        if version >= 5 {
            out.i16(self.producer_epoch);
        }
        out.no_tags();
        Ok(())
    }
}

impl Decode for EndTxnResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::EndTxn, version, "EndTxnResponse")?;
        let throttle_time_ms = r.i32("throttle time ms")?;
        let error_code = r.error_code("error code")?;
        let producer_id = if version >= 5 {
            r.i64("producer id")?
        } else {
            -1
        };
        let producer_epoch = if version >= 5 {
            r.i16("producer epoch")?
        } else {
            -1
        };
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            producer_id,
            producer_epoch,
        })
    }
}
