//! Twins of ApiVersions. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for ApiVersionsRequest {
    type Twin = theirs::ApiVersionsRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ApiVersionsRequest {
                client_software_name: text(&self.client_software_name),
                client_software_version: text(&self.client_software_version),
            }
        )
    }
}

impl Twin for ApiVersionsResponse {
    type Twin = theirs::ApiVersionsResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ApiVersionsResponse {
                error_code: self.error_code.0,
                api_keys: all(&self.api_keys, |it| api_version(it, tags)),
                throttle_time_ms: self.throttle_time_ms,
                supported_features: all(&self.supported_features, |it| supported_feature(it, tags)),
                finalized_features_epoch: self.finalized_features_epoch,
                finalized_features: all(&self.finalized_features, |it| finalized_feature(it, tags)),
                zk_migration_ready: self.zk_migration_ready,
            }
        )
    }
}

fn api_version(it: &ApiVersion, tags: bool) -> theirs::api_versions_response::ApiVersion {
    make!(
        tags,
        theirs::api_versions_response::ApiVersion {
            api_key: it.api_key,
            min_version: it.min_version,
            max_version: it.max_version,
        }
    )
}

fn supported_feature(
    it: &SupportedFeature,
    tags: bool,
) -> theirs::api_versions_response::SupportedFeatureKey {
    make!(
        tags,
        theirs::api_versions_response::SupportedFeatureKey {
            name: text(&it.name),
            min_version: it.min_version,
            max_version: it.max_version,
        }
    )
}

fn finalized_feature(
    it: &FinalizedFeature,
    tags: bool,
) -> theirs::api_versions_response::FinalizedFeatureKey {
    make!(
        tags,
        theirs::api_versions_response::FinalizedFeatureKey {
            name: text(&it.name),
            max_version_level: it.max_version_level,
            min_version_level: it.min_version_level,
        }
    )
}
