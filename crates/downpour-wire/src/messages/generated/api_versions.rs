//! ApiVersions, versions 0 to 4. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::Reader;

/// Asks which requests a broker understands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiVersionsRequest {
    /// The name of the client; from version 3.
    pub client_software_name: String,
    /// The version of the client; from version 3.
    pub client_software_version: String,
}

impl Request for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
    type Response = ApiVersionsResponse;
}

impl Encode for ApiVersionsRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::ApiVersions, version, "ApiVersionsRequest")?;
        if version >= 3 {
            out.string(&self.client_software_name, "client software name")?;
        }
        if version >= 3 {
            out.string(&self.client_software_version, "client software version")?;
        }
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for ApiVersionsRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::ApiVersions, version, "ApiVersionsRequest")?;
        let client_software_name = if version >= 3 {
            r.string("client software name")?
        } else {
            String::new()
        };
        let client_software_version = if version >= 3 {
            r.string("client software version")?
        } else {
            String::new()
        };
        r.no_tags()?;
        Ok(Self {
            client_software_name,
            client_software_version,
        })
    }
}

/// Which requests a broker understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiVersionsResponse {
    /// The top-level error code.
    pub error_code: ErrorCode,
    /// The APIs supported by the broker.
    pub api_keys: Vec<ApiVersion>,
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota; from version 1.
    pub throttle_time_ms: i32,
    /// Features supported by the broker. Note: in v0-v3, features with MinSupportedVersion = 0 are
    /// omitted; from version 3.
    pub supported_features: Vec<SupportedFeature>,
    /// The monotonically increasing epoch for the finalized features information. Valid values are
    /// >= 0. A value of -1 is special and represents unknown epoch; from version 3. Default `-1`.
    pub finalized_features_epoch: i64,
    /// List of cluster-wide finalized features. The information is valid only if
    /// FinalizedFeaturesEpoch >= 0; from version 3.
    pub finalized_features: Vec<FinalizedFeature>,
    /// Set by a KRaft controller if the required configurations for ZK migration are present; from
    /// version 3.
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

/// The APIs supported by the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApiVersion {
    /// The API index.
    pub api_key: i16,
    /// The minimum supported version, inclusive.
    pub min_version: i16,
    /// The maximum supported version, inclusive.
    pub max_version: i16,
}

/// Features supported by the broker. Note: in v0-v3, features with MinSupportedVersion = 0 are
/// omitted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SupportedFeature {
    /// The name of the feature.
    pub name: String,
    /// The minimum supported version for the feature.
    pub min_version: i16,
    /// The maximum supported version for the feature.
    pub max_version: i16,
}

/// List of cluster-wide finalized features. The information is valid only if
/// FinalizedFeaturesEpoch >= 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FinalizedFeature {
    /// The name of the feature.
    pub name: String,
    /// The cluster-wide finalized max version level for the feature.
    pub max_version_level: i16,
    /// The cluster-wide finalized min version level for the feature.
    pub min_version_level: i16,
}

#[cfg(feature = "broker")]
impl Encode for ApiVersionsResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::ApiVersions, version, "ApiVersionsResponse")?;
        out.error_code(self.error_code);
        out.array(&self.api_keys, "api keys", |out, it| it.write(out))?;
        if version >= 1 {
            out.i32(self.throttle_time_ms);
        }
        let has_supported_features = version >= 3 && !self.supported_features.is_empty();
        let has_finalized_features_epoch = version >= 3 && self.finalized_features_epoch != -1;
        let has_finalized_features = version >= 3 && !self.finalized_features.is_empty();
        let has_zk_migration_ready = version >= 3 && self.zk_migration_ready;
        out.tag_count(
            [
                has_supported_features,
                has_finalized_features_epoch,
                has_finalized_features,
                has_zk_migration_ready,
            ]
            .map(u32::from)
            .iter()
            .sum(),
        );
        if has_supported_features {
            out.tag(0, "supported features", |out| {
                out.array(&self.supported_features, "supported features", |out, it| {
                    it.write(out)
                })?;
                Ok(())
            })?;
        }
        if has_finalized_features_epoch {
            out.tag(1, "finalized features epoch", |out| {
                out.i64(self.finalized_features_epoch);
                Ok(())
            })?;
        }
        if has_finalized_features {
            out.tag(2, "finalized features", |out| {
                out.array(&self.finalized_features, "finalized features", |out, it| {
                    it.write(out)
                })?;
                Ok(())
            })?;
        }
        if has_zk_migration_ready {
            out.tag(3, "zk migration ready", |out| {
                out.bool(self.zk_migration_ready);
                Ok(())
            })?;
        }
        Ok(())
    }
}

impl Decode for ApiVersionsResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::ApiVersions, version, "ApiVersionsResponse")?;
        let error_code = r.error_code("error code")?;
        let api_keys = r.array(6, "api keys", ApiVersion::read)?;
        let throttle_time_ms = if version >= 1 {
            r.i32("throttle time ms")?
        } else {
            0
        };
        let mut supported_features = Vec::new();
        let mut finalized_features_epoch = -1;
        let mut finalized_features = Vec::new();
        let mut zk_migration_ready = false;
        r.tags(|tag, r| {
            match tag {
                0 => {
                    supported_features = r.array(6, "supported features", SupportedFeature::read)?
                }
                1 => finalized_features_epoch = r.i64("finalized features epoch")?,
                2 => {
                    finalized_features = r.array(6, "finalized features", FinalizedFeature::read)?
                }
                3 => zk_migration_ready = r.bool("zk migration ready")?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Self {
            error_code,
            api_keys,
            throttle_time_ms,
            supported_features,
            finalized_features_epoch,
            finalized_features,
            zk_migration_ready,
        })
    }
}

impl ApiVersion {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i16(self.api_key);
        out.i16(self.min_version);
        out.i16(self.max_version);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let api_key = r.i16("api key")?;
        let min_version = r.i16("min version")?;
        let max_version = r.i16("max version")?;
        r.no_tags()?;
        Ok(Self {
            api_key,
            min_version,
            max_version,
        })
    }
}

impl SupportedFeature {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.i16(self.min_version);
        out.i16(self.max_version);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let min_version = r.i16("min version")?;
        let max_version = r.i16("max version")?;
        r.no_tags()?;
        Ok(Self {
            name,
            min_version,
            max_version,
        })
    }
}

impl FinalizedFeature {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.string(&self.name, "name")?;
        out.i16(self.max_version_level);
        out.i16(self.min_version_level);
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let name = r.string("name")?;
        let max_version_level = r.i16("max version level")?;
        let min_version_level = r.i16("min version level")?;
        r.no_tags()?;
        Ok(Self {
            name,
            max_version_level,
            min_version_level,
        })
    }
}
