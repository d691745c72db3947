//! A client's way to read ApiVersions responses, one of which may refuse the version that was asked
//! in. Choosing versions from the answer is core's part.

use super::generated::ApiVersionsResponse;
use super::message::Decode;
use crate::error::DecodeError;
use crate::error_code::ErrorCode;
use crate::primitives::Reader;

impl ApiVersionsResponse {
    /// Reads the bytes after the response's header as a client does that has just asked in
    /// `version`. A broker that does not know that version answers `UNSUPPORTED_VERSION` and a body
    /// of version 0, the only one that both sides are sure to understand (KIP-511). The list of such
    /// a body is left empty if it cannot be read: brokers before 2.4 do not fill it.
    ///
    /// # Errors
    /// When the bytes are neither a body of `version` nor such a refusal.
    pub fn decode_lenient(bytes: &[u8], version: i16) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let error_code = ErrorCode(r.clone().i16()?);
        if error_code == ErrorCode::UNSUPPORTED_VERSION {
            return Ok(Self::decode(&mut r, 0).unwrap_or_else(|_| Self {
                error_code,
                ..Self::default()
            }));
        }
        let response = Self::decode(&mut r, version)?;
        r.finish("ApiVersionsResponse")?;
        Ok(response)
    }
}
