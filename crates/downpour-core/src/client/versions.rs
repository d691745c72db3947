//! Which version of each request a connection uses.

use downpour_wire::messages::{ApiKey, ApiVersionsResponse};

/// Versions that both sides speak. A newer broker may sit beside an older one, so each
/// connection has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Versions {
    pub(crate) produce: i16,
    pub(crate) metadata: i16,
    pub(crate) init_producer_id: Option<i16>,
}

impl Versions {
    /// The highest of each that both sides speak; `Err` names what has no common version.
    pub(crate) fn choose(response: &ApiVersionsResponse) -> Result<Self, ApiKey> {
        let common = |key: ApiKey| {
            let (our_min, our_max) = key.versions();
            let theirs = response.api_keys.iter().find(|v| v.api_key == key as i16)?;
            let version = our_max.min(theirs.max_version);
            (version >= our_min.max(theirs.min_version)).then_some(version)
        };
        Ok(Self {
            produce: common(ApiKey::Produce).ok_or(ApiKey::Produce)?,
            metadata: common(ApiKey::Metadata).ok_or(ApiKey::Metadata)?,
            init_producer_id: common(ApiKey::InitProducerId),
        })
    }
}

#[cfg(test)]
mod tests {
    use downpour_wire::messages::ApiVersion;

    use super::*;

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
        let versions = Versions::choose(&response).unwrap();
        assert_eq!((versions.produce, versions.metadata), (7, 13));
        assert_eq!(versions.init_producer_id, None);
        response.api_keys[0].max_version = 2;
        assert_eq!(Versions::choose(&response), Err(ApiKey::Produce));
    }
}
