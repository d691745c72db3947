//! The ApiVersions request and response, with the broker's way of refusing a version.
//! Choosing versions from the answer is core's part.

use super::api_key::ApiKey;
use super::message::{Decode, Encode, Request};
use super::reader::MessageReader;
use super::writer::MessageWriter;
use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::primitives::Reader;

/// Asks which requests a broker understands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApiVersionsRequest {
    /// The client library's name; from version 3. Brokers accept letters, digits, `.` and `-`.
    pub client_software_name: String,
    /// The client library's version; from version 3, of the same characters.
    pub client_software_version: String,
}

/// Which requests a broker understands.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiVersionsResponse {
    pub error_code: ErrorCode,
    pub api_keys: Vec<ApiVersion>,
    /// How long the broker delayed or will delay this client, in milliseconds; from version 1.
    pub throttle_time_ms: i32,
    /// The features that the broker supports; from version 3.
    pub supported_features: Vec<SupportedFeature>,
    /// The epoch of `finalized_features`, or -1; from version 3.
    pub finalized_features_epoch: i64,
    /// The features in force in the cluster; from version 3.
    pub finalized_features: Vec<FinalizedFeature>,
    /// Whether the controllers are ready to migrate from ZooKeeper; from version 3.
    pub zk_migration_ready: bool,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: ErrorCode::NONE,
            api_keys: Vec::new(),
            throttle_time_ms: 0,
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
        }
    }
}

/// The versions of one request. The key is a number, because brokers know more requests than this
/// crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct SupportedFeature {
    pub name: String,
    pub min_version: i16,
    pub max_version: i16,
}

/// A feature in force in the cluster.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FinalizedFeature {
    pub name: String,
    pub max_version_level: i16,
    pub min_version_level: i16,
}

impl Request for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
    type Response = ApiVersionsResponse;
}

impl Encode for ApiVersionsRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::ApiVersions, version, "ApiVersionsRequest")?;
        if version >= 3 {
            out.string(&self.client_software_name, "client software's name")?;
            out.string(&self.client_software_version, "client software's version")?;
        }
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for ApiVersionsRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::ApiVersions, version, "ApiVersionsRequest")?;
        let mut request = Self::default();
        if version >= 3 {
            request.client_software_name = r.string("client software's name")?;
            request.client_software_version = r.string("client software's version")?;
        }
        r.no_tags()?;
        Ok(request)
    }
}

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

    #[cfg(feature = "broker")]
    fn write_tags(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let supported = !self.supported_features.is_empty();
        let epoch = self.finalized_features_epoch != -1;
        let finalized = !self.finalized_features.is_empty();
        let said = [supported, epoch, finalized, self.zk_migration_ready];
        out.tag_count(said.map(u32::from).iter().sum());
        if supported {
            out.tag(0, "supported features", |out| {
                out.array(
                    &self.supported_features,
                    "supported features",
                    |out, feature| {
                        out.string(&feature.name, "feature's name")?;
                        out.i16(feature.min_version);
                        out.i16(feature.max_version);
                        out.no_tags();
                        Ok(())
                    },
                )
            })?;
        }
        if epoch {
            out.tag(1, "finalized features' epoch", |out| {
                out.i64(self.finalized_features_epoch);
                Ok(())
            })?;
        }
        if finalized {
            out.tag(2, "finalized features", |out| {
                out.array(
                    &self.finalized_features,
                    "finalized features",
                    |out, feature| {
                        out.string(&feature.name, "feature's name")?;
                        out.i16(feature.max_version_level);
                        out.i16(feature.min_version_level);
                        out.no_tags();
                        Ok(())
                    },
                )
            })?;
        }
        if self.zk_migration_ready {
            out.tag(3, "zk_migration_ready", |out| {
                out.bool(true);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn read_tag(&mut self, tag: u32, r: &mut MessageReader<'_, '_>) -> Result<bool, DecodeError> {
        match tag {
            0 => {
                self.supported_features = r.array(6, "supported features", |r| {
                    let feature = SupportedFeature {
                        name: r.string("feature's name")?,
                        min_version: r.i16("feature's lowest level")?,
                        max_version: r.i16("feature's highest level")?,
                    };
                    r.no_tags()?;
                    Ok(feature)
                })?;
            }
            1 => self.finalized_features_epoch = r.i64("finalized features' epoch")?,
            2 => {
                self.finalized_features = r.array(6, "finalized features", |r| {
                    let feature = FinalizedFeature {
                        name: r.string("feature's name")?,
                        max_version_level: r.i16("feature's highest level")?,
                        min_version_level: r.i16("feature's lowest level")?,
                    };
                    r.no_tags()?;
                    Ok(feature)
                })?;
            }
            3 => self.zk_migration_ready = r.bool("zk_migration_ready")?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(feature = "broker")]
impl Encode for ApiVersionsResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::ApiVersions, version, "ApiVersionsResponse")?;
        out.error_code(self.error_code);
        out.array(&self.api_keys, "api keys", |out, api| {
            out.i16(api.api_key);
            out.i16(api.min_version);
            out.i16(api.max_version);
            out.no_tags();
            Ok(())
        })?;
        if version >= 1 {
            out.i32(self.throttle_time_ms);
        }
        if version >= 3 {
            self.write_tags(&mut out)?;
        }
        Ok(())
    }
}

impl Decode for ApiVersionsResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::ApiVersions, version, "ApiVersionsResponse")?;
        let error_code = r.error_code("error code")?;
        let api_keys = r.array(6, "api keys", |r| {
            let api = ApiVersion {
                api_key: r.i16("api key")?,
                min_version: r.i16("lowest version")?,
                max_version: r.i16("highest version")?,
            };
            r.no_tags()?;
            Ok(api)
        })?;
        let mut response = Self {
            error_code,
            api_keys,
            ..Self::default()
        };
        if version >= 1 {
            response.throttle_time_ms = r.i32("throttle time")?;
        }
        r.tags(|tag, r| response.read_tag(tag, r))?;
        Ok(response)
    }
}
