//! FindCoordinator, versions 0 to 6. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Asks who coordinates a transactional id or a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindCoordinatorRequest {
    /// The coordinator key; up to version 3.
    pub key: String,
    /// The coordinator key type. (group, transaction, share); from version 1.
    pub key_type: i8,
    /// The coordinator keys; from version 4.
    pub coordinator_keys: Vec<String>,
}

impl Request for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;
    type Response = FindCoordinatorResponse;
}

impl Encode for FindCoordinatorRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::FindCoordinator,
            version,
            "FindCoordinatorRequest",
        )?;
        if version <= 3 {
            out.string(&self.key, "key")?;
        } else if !self.key.is_empty() {
            return Err(out.not_in_version("key"));
        }
        if version >= 1 {
            out.i8(self.key_type);
        } else if self.key_type != 0 {
            return Err(out.not_in_version("key_type"));
        }
        if version >= 4 {
            out.array(&self.coordinator_keys, "coordinator keys", |out, it| {
                out.string(it, "coordinator keys")
            })?;
        } else if !self.coordinator_keys.is_empty() {
            return Err(out.not_in_version("coordinator_keys"));
        }
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for FindCoordinatorRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::FindCoordinator,
            version,
            "FindCoordinatorRequest",
        )?;
        let key = if version <= 3 {
            r.string("key")?
        } else {
            String::new()
        };
        let key_type = if version >= 1 { r.i8("key type")? } else { 0 };
        let coordinator_keys = if version >= 4 {
            r.array(1, "coordinator keys", |r| r.string("coordinator keys"))?
        } else {
            Vec::new()
        };
        r.no_tags()?;
        Ok(Self {
            key,
            key_type,
            coordinator_keys,
        })
    }
}

/// Who coordinates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindCoordinatorResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota; from version 1.
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error; up to version 3.
    pub error_code: ErrorCode,
    /// The error message, or null if there was no error; versions 1 to 3. Default empty.
    pub error_message: Option<String>,
    /// The node id; up to version 3.
    pub node_id: i32,
    /// The host name; up to version 3.
    pub host: String,
    /// The port; up to version 3.
    pub port: i32,
    /// Each coordinator result in the response; from version 4.
    pub coordinators: Vec<Coordinator>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: ErrorCode::NONE,
            error_message: Some(String::new()),
            node_id: 0,
            host: String::new(),
            port: 0,
            coordinators: Vec::new(),
        }
    }
}

/// Each coordinator result in the response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coordinator {
    /// The coordinator key.
    pub key: String,
    /// The node id.
    pub node_id: i32,
    /// The host name.
    pub host: String,
    /// The port.
    pub port: i32,
    /// The error code, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The error message, or null if there was no error.
    pub error_message: Option<String>,
}

#[cfg(feature = "broker")]
impl Encode for FindCoordinatorResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(
            out,
            ApiKey::FindCoordinator,
            version,
            "FindCoordinatorResponse",
        )?;
        if version >= 1 {
            out.i32(self.throttle_time_ms);
        }
        if version <= 3 {
            out.error_code(self.error_code);
        }
        if (1..=3).contains(&version) {
            out.nullable_string(self.error_message.as_deref(), "error message")?;
        }
        if version <= 3 {
            out.i32(self.node_id);
        }
        if version <= 3 {
            out.string(&self.host, "host")?;
        }
        if version <= 3 {
            out.i32(self.port);
        }
        if version >= 4 {
            out.array(&self.coordinators, "coordinators", |out, it| it.write(out))?;
        }
        out.no_tags();
        Ok(())
    }
}

impl Decode for FindCoordinatorResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(
            r,
            ApiKey::FindCoordinator,
            version,
            "FindCoordinatorResponse",
        )?;
        let throttle_time_ms = if version >= 1 {
            r.i32("throttle time ms")?
        } else {
            0
        };
        let error_code = if version <= 3 {
            r.error_code("error code")?
        } else {
            ErrorCode::NONE
        };
        let error_message = if (1..=3).contains(&version) {
            r.nullable_string("error message")?
        } else {
            Some(String::new())
        };
        let node_id = if version <= 3 { r.i32("node id")? } else { 0 };
        let host = if version <= 3 {
            r.string("host")?
        } else {
            String::new()
        };
        let port = if version <= 3 { r.i32("port")? } else { 0 };
        let coordinators = if version >= 4 {
            r.array(14, "coordinators", Coordinator::read)?
        } else {
            Vec::new()
        };
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            error_message,
            node_id,
            host,
            port,
            coordinators,
        })
    }
}

impl Coordinator {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.key, "key")?;
        out.i32(self.node_id);
        out.string(&self.host, "host")?;
        out.i32(self.port);
        out.error_code(self.error_code);
        out.nullable_string(self.error_message.as_deref(), "error message")?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let key = r.string("key")?;
        let node_id = r.i32("node id")?;
        let host = r.string("host")?;
        let port = r.i32("port")?;
        let error_code = r.error_code("error code")?;
        let error_message = r.nullable_string("error message")?;
        r.no_tags()?;
        Ok(Self {
            key,
            node_id,
            host,
            port,
            error_code,
            error_message,
        })
    }
}
