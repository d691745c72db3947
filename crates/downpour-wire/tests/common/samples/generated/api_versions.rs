//! Samples of ApiVersions. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            client_software_name: if version >= 3 {
                e.string()
            } else {
                String::new()
            },
            client_software_version: if version >= 3 {
                e.string()
            } else {
                String::new()
            },
        }
    }
}

impl Sample for ApiVersionsResponse {
    const KEY: ApiKey = ApiKey::ApiVersions;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            error_code: e.error(),
            api_keys: e.vec(|e| api_version(e, version)),
            throttle_time_ms: if version >= 1 { e.i32() } else { 0 },
            supported_features: if version >= 3 {
                e.vec(|e| supported_feature(e, version))
            } else {
                Vec::new()
            },
            finalized_features_epoch: if version >= 3 { e.i64() } else { -1 },
            finalized_features: if version >= 3 {
                e.vec(|e| finalized_feature(e, version))
            } else {
                Vec::new()
            },
            zk_migration_ready: if version >= 3 { e.bool() } else { false },
        }
    }
}

fn api_version(e: &mut Entropy<'_>, _: i16) -> ApiVersion {
    ApiVersion {
        api_key: e.i16(),
        min_version: e.i16(),
        max_version: e.i16(),
    }
}

fn supported_feature(e: &mut Entropy<'_>, _: i16) -> SupportedFeature {
    SupportedFeature {
        name: e.string(),
        min_version: e.i16(),
        max_version: e.i16(),
    }
}

fn finalized_feature(e: &mut Entropy<'_>, _: i16) -> FinalizedFeature {
    FinalizedFeature {
        name: e.string(),
        max_version_level: e.i16(),
        min_version_level: e.i16(),
    }
}
