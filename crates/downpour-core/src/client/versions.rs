//! Which version of each request a connection uses, and what the cluster has agreed on.

use downpour_wire::messages::{ApiKey, ApiVersionsResponse};

/// The features whose levels matter here.
const FEATURES: [&str; 1] = ["transaction.version"];

/// Versions that both sides speak. A newer broker may sit beside an older one, so each
/// connection has its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Versions {
    /// The highest that both sides speak, for each request that both know.
    common: Vec<(ApiKey, i16)>,
    features: Features,
}

impl Versions {
    /// The highest of each that both sides speak; `Err` names what is needed and has none.
    pub(crate) fn choose(
        response: &ApiVersionsResponse,
        needed: &[ApiKey],
    ) -> Result<Self, ApiKey> {
        let common = |key: ApiKey| {
            let (our_min, our_max) = key.versions();
            let theirs = response.api_keys.iter().find(|v| v.api_key == key as i16)?;
            let version = our_max.min(theirs.max_version);
            (version >= our_min.max(theirs.min_version)).then_some((key, version))
        };
        let common = ApiKey::ALL.iter().copied().filter_map(common).collect();
        // Only what somebody asks for: a broker may name as many as an answer holds.
        let finalized = response.finalized_features.iter().filter(|feature| {
            let (min, max) = (feature.min_version_level, feature.max_version_level);
            FEATURES.contains(&&*feature.name) && (0..=max).contains(&min)
        });
        let levels = finalized.map(|f| (f.name.clone(), f.max_version_level));
        let levels = levels.take(FEATURES.len());
        let versions = Self {
            common,
            features: Features {
                epoch: response.finalized_features_epoch.max(-1),
                levels: levels.collect(),
            },
        };
        match needed.iter().find(|key| versions.of(**key).is_none()) {
            Some(missing) => Err(*missing),
            None => Ok(versions),
        }
    }

    /// The version to use; `None` if the broker does not know the request, or not as we do.
    pub(crate) fn of(&self, key: ApiKey) -> Option<i16> {
        let known = self.common.iter().find(|(known, _)| *known == key);
        known.map(|(_, version)| *version)
    }

    pub(crate) fn features(&self) -> &Features {
        &self.features
    }
}

/// Levels of features that the whole cluster has agreed on (KIP-584).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Features {
    /// Grows with each change; -1 where the broker has none to tell.
    epoch: i64,
    levels: Vec<(String, i16)>,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            epoch: -1,
            levels: Vec::new(),
        }
    }
}

impl Features {
    /// Takes what another broker tells, if that is newer: one that lags may still tell of an old
    /// level.
    pub(crate) fn merge(&mut self, told: &Self) {
        if told.epoch > self.epoch {
            self.clone_from(told);
        }
    }

    /// The level of a feature, such as `transaction.version`; 0 where it is not in force.
    #[cfg(test)]
    pub(crate) fn level(&self, name: &str) -> i16 {
        let known = self.levels.iter().find(|(known, _)| known == name);
        known.map_or(0, |(_, level)| *level)
    }
}

#[cfg(test)]
mod tests {
    use downpour_wire::messages::{ApiVersion, FinalizedFeature};

    use super::*;

    const NEEDED: [ApiKey; 2] = [ApiKey::Produce, ApiKey::Metadata];

    #[test]
    fn versions_are_the_highest_that_both_sides_speak() {
        let mut response = ApiVersionsResponse::default();
        for (api_key, min_version, max_version) in [(0, 0, 7), (3, 0, 99), (22, 9, 10)] {
            response.api_keys.push(ApiVersion {
                api_key,
                min_version,
                max_version,
            });
        }
        let versions = Versions::choose(&response, &NEEDED).unwrap();
        assert_eq!(versions.of(ApiKey::Produce), Some(7));
        assert_eq!(versions.of(ApiKey::Metadata), Some(13));
        assert_eq!(versions.of(ApiKey::InitProducerId), None);
        response.api_keys[0].max_version = 2;
        let missing = Versions::choose(&response, &NEEDED);
        assert_eq!(missing, Err(ApiKey::Produce));
    }

    #[test]
    fn features_that_nobody_asks_for_and_levels_that_cannot_be_are_not_kept() {
        let mut response = ApiVersionsResponse {
            finalized_features_epoch: i64::MIN,
            ..ApiVersionsResponse::default()
        };
        for (name, max_version_level, min_version_level) in [
            ("some.other", 1, 0),
            ("transaction.version", -1, -2),
            ("transaction.version", 1, 2),
            ("transaction.version", 2, -1),
            ("transaction.version", 2, 1),
            ("transaction.version", 3, 1),
        ] {
            response.finalized_features.push(FinalizedFeature {
                name: name.to_owned(),
                max_version_level,
                min_version_level,
            });
        }
        let versions = Versions::choose(&response, &[]).unwrap();
        let features = versions.features();
        assert_eq!((features.epoch, features.levels.len()), (-1, 1));
        assert_eq!(features.level("transaction.version"), 2);
    }

    #[test]
    fn a_broker_that_lags_does_not_take_a_feature_back() {
        let told = |epoch, max_version_level| {
            let response = ApiVersionsResponse {
                finalized_features_epoch: epoch,
                finalized_features: vec![FinalizedFeature {
                    name: "transaction.version".to_owned(),
                    max_version_level,
                    min_version_level: 0,
                }],
                ..ApiVersionsResponse::default()
            };
            let versions = Versions::choose(&response, &[]).unwrap();
            versions.features().clone()
        };
        let mut features = Features::default();
        assert_eq!(features.level("transaction.version"), 0);
        features.merge(&told(7, 2));
        features.merge(&told(5, 1));
        features.merge(&Features::default());
        assert_eq!(features.level("transaction.version"), 2);
        features.merge(&told(8, 0));
        assert_eq!(features.level("transaction.version"), 0);
    }
}
