//! SaslAuthenticate, versions 0 to 2. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// One step of the client's authentication.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SaslAuthenticateRequest {
    /// The SASL authentication bytes from the client, as defined by the SASL mechanism.
    pub auth_bytes: Vec<u8>,
}

impl Request for SaslAuthenticateRequest {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;
    type Response = SaslAuthenticateResponse;
}

impl Encode for SaslAuthenticateRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::SaslAuthenticate,
            version,
            "SaslAuthenticateRequest",
        )?;
        out.bytes(&self.auth_bytes, "auth bytes")?;
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for SaslAuthenticateRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::SaslAuthenticate,
            version,
            "SaslAuthenticateRequest",
        )?;
        let auth_bytes = r.bytes("auth bytes")?;
        r.no_tags()?;
        Ok(Self { auth_bytes })
    }
}

/// The broker's answer to one step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SaslAuthenticateResponse {
    /// The error code, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The error message, or null if there was no error.
    pub error_message: Option<String>,
    /// The SASL authentication bytes from the server, as defined by the SASL mechanism.
    pub auth_bytes: Vec<u8>,
    /// Number of milliseconds after which only re-authentication over the existing connection to
    /// create a new session can occur; from version 1.
    pub session_lifetime_ms: i64,
}

#[cfg(feature = "broker")]
impl Encode for SaslAuthenticateResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::SaslAuthenticate,
            version,
            "SaslAuthenticateResponse",
        )?;
        out.error_code(self.error_code);
        out.nullable_string(self.error_message.as_deref(), "error message")?;
        out.bytes(&self.auth_bytes, "auth bytes")?;
        if version >= 1 {
            out.i64(self.session_lifetime_ms);
        }
        out.no_tags();
        Ok(())
    }
}

impl Decode for SaslAuthenticateResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::SaslAuthenticate,
            version,
            "SaslAuthenticateResponse",
        )?;
        let error_code = r.error_code("error code")?;
        let error_message = r.nullable_string("error message")?;
        let auth_bytes = r.bytes("auth bytes")?;
        let session_lifetime_ms = if version >= 1 {
            r.i64("session lifetime ms")?
        } else {
            0
        };
        r.no_tags()?;
        Ok(Self {
            error_code,
            error_message,
            auth_bytes,
            session_lifetime_ms,
        })
    }
}
