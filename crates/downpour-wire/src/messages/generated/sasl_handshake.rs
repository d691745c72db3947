//! SaslHandshake, versions 0 to 1. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Names the mechanism that the client will authenticate with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SaslHandshakeRequest {
    /// The SASL mechanism chosen by the client.
    pub mechanism: String,
}

impl Request for SaslHandshakeRequest {
    const KEY: ApiKey = ApiKey::SaslHandshake;
    type Response = SaslHandshakeResponse;
}

impl Encode for SaslHandshakeRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out =
            MessageWriter::new(out, ApiKey::SaslHandshake, version, "SaslHandshakeRequest")?;
        out.string(&self.mechanism, "mechanism")?;
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for SaslHandshakeRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::SaslHandshake, version, "SaslHandshakeRequest")?;
        let mechanism = r.string("mechanism")?;
        Ok(Self { mechanism })
    }
}

/// Which mechanisms the broker has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SaslHandshakeResponse {
    /// The error code, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The mechanisms enabled in the server.
    pub mechanisms: Vec<String>,
}

#[cfg(feature = "broker")]
impl Encode for SaslHandshakeResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out =
            MessageWriter::new(out, ApiKey::SaslHandshake, version, "SaslHandshakeResponse")?;
        out.error_code(self.error_code);
        out.array(&self.mechanisms, "mechanisms", |out, it| {
            out.string(it, "mechanisms")
        })?;
        Ok(())
    }
}

impl Decode for SaslHandshakeResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::SaslHandshake, version, "SaslHandshakeResponse")?;
        let error_code = r.error_code("error code")?;
        let mechanisms = r.array(2, "mechanisms", |r| r.string("mechanisms"))?;
        Ok(Self {
            error_code,
            mechanisms,
        })
    }
}
