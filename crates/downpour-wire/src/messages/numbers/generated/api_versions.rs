//! The numbers of ApiVersions's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for ApiVersionsResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        each(
            "ApiVersionsResponse.error_code",
            Number::from(&mut self.error_code),
        );
        for it in self.api_keys.iter_mut() {
            it.each_number(version, each);
        }
        if version >= 1 {
            each(
                "ApiVersionsResponse.throttle_time_ms",
                Number::from(&mut self.throttle_time_ms),
            );
        }
        if version >= 3 {
            for it in self.supported_features.iter_mut() {
                it.each_number(version, each);
            }
        }
        if version >= 3 {
            each(
                "ApiVersionsResponse.finalized_features_epoch",
                Number::from(&mut self.finalized_features_epoch),
            );
        }
        if version >= 3 {
            for it in self.finalized_features.iter_mut() {
                it.each_number(version, each);
            }
        }
    }
}

impl Numbers for ApiVersion {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each("ApiVersion.api_key", Number::from(&mut self.api_key));
        each(
            "ApiVersion.min_version",
            Number::from(&mut self.min_version),
        );
        each(
            "ApiVersion.max_version",
            Number::from(&mut self.max_version),
        );
    }
}

impl Numbers for SupportedFeature {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each(
            "SupportedFeature.min_version",
            Number::from(&mut self.min_version),
        );
        each(
            "SupportedFeature.max_version",
            Number::from(&mut self.max_version),
        );
    }
}

impl Numbers for FinalizedFeature {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each(
            "FinalizedFeature.max_version_level",
            Number::from(&mut self.max_version_level),
        );
        each(
            "FinalizedFeature.min_version_level",
            Number::from(&mut self.min_version_level),
        );
    }
}
