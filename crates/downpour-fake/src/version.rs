//! Which Kafka the fake pretends to be, and the version ranges that follow from it. What the
//! versions mean on the wire is `downpour-wire`'s; which broker uses which table is `logic::state`.

use std::collections::BTreeMap;

use downpour_wire::messages::ApiKey;

/// A release of Apache Kafka whose version ranges the fake can advertise.
///
/// A range is cut where the fake implements less than the release does: Fetch ends at 12 and
/// ListOffsets at 7, so that consumers speak of topics by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KafkaVersion {
    /// Kafka 2.1 (2018): Produce up to 7, nothing flexible, ApiVersions up to 2.
    V2_1,
    /// Kafka 2.8 (2021), the last that many run with ZooKeeper: Produce up to 9.
    V2_8,
    /// Kafka 3.9 (2024), the last 3.x: Produce up to 11, leader hints.
    V3_9,
    /// Kafka 4.3 (2026): Produce up to 13, topics by id. The default.
    #[default]
    V4_3,
}

impl KafkaVersion {
    /// The ranges as `(key, lowest, highest)`.
    const fn table(self) -> [(ApiKey, i16, i16); 7] {
        // Produce is advertised from 0 by every release, also by 4.x, which serves only 3 and newer:
        // librdkafka concludes from the lowest version which codecs a broker can read (KAFKA-18659).
        let (produce, fetch, list_offsets, metadata, api_versions, create_topics, producer_id) =
            match self {
                Self::V2_1 => (7, 10, 4, 7, 2, 3, 1),
                Self::V2_8 => (9, 12, 6, 11, 3, 7, 4),
                Self::V3_9 => (11, 12, 7, 12, 4, 7, 5),
                Self::V4_3 => (13, 12, 7, 13, 4, 7, 5),
            };
        [
            (ApiKey::Produce, 0, produce),
            (ApiKey::Fetch, 4, fetch),
            (ApiKey::ListOffsets, 1, list_offsets),
            (ApiKey::Metadata, 1, metadata),
            (ApiKey::ApiVersions, 0, api_versions),
            (ApiKey::CreateTopics, 2, create_topics),
            (ApiKey::InitProducerId, 0, producer_id),
        ]
    }

    /// The highest version of `api` that this release offers here, if it has that API at all.
    #[must_use]
    pub fn highest(self, api: ApiKey) -> Option<i16> {
        self.table()
            .into_iter()
            .find(|(key, ..)| *key == api)
            .map(|(.., highest)| highest)
    }

    /// True where topics are created by a KRaft controller, which changes a few error codes.
    pub(crate) const fn is_kraft(self) -> bool {
        matches!(self, Self::V3_9 | Self::V4_3)
    }
}

/// What one broker advertises.
#[derive(Debug, Clone)]
pub(crate) struct VersionTable {
    pub(crate) release: KafkaVersion,
    ranges: BTreeMap<i16, (i16, i16)>,
}

impl VersionTable {
    pub(crate) fn of(release: KafkaVersion) -> Self {
        let ranges = release
            .table()
            .into_iter()
            .map(|(key, low, high)| (key as i16, (low, high)))
            .collect();
        Self { release, ranges }
    }

    /// Narrows or widens one range. `None` takes the API away.
    pub(crate) fn set(&mut self, api: ApiKey, range: Option<(i16, i16)>) {
        match range {
            Some(range) => self.ranges.insert(api as i16, range),
            None => self.ranges.remove(&(api as i16)),
        };
    }

    pub(crate) fn range(&self, api: ApiKey) -> Option<(i16, i16)> {
        self.ranges.get(&(api as i16)).copied()
    }

    /// Every API as `(key, lowest, highest)`, by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i16, i16, i16)> + '_ {
        self.ranges
            .iter()
            .map(|(key, (low, high))| (*key, *low, *high))
    }

    /// True if a request of this version is served, which is stricter than what is advertised.
    pub(crate) fn serves(&self, api: ApiKey, version: i16) -> bool {
        let floor = if api == ApiKey::Produce { 3 } else { 0 };
        self.range(api)
            .is_some_and(|(low, high)| version >= low.max(floor) && version <= high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_kafka_advertises_produce_from_0_but_serves_it_from_3() {
        let table = VersionTable::of(KafkaVersion::V4_3);
        assert_eq!(table.range(ApiKey::Produce), Some((0, 13)));
        assert!(!table.serves(ApiKey::Produce, 2));
        assert!(table.serves(ApiKey::Produce, 3));
        assert!(table.serves(ApiKey::Produce, 13));
        assert!(!table.serves(ApiKey::Produce, 14));
    }

    #[test]
    fn old_kafka_offers_less_than_new_kafka() {
        for api in [
            ApiKey::Produce,
            ApiKey::Metadata,
            ApiKey::ApiVersions,
            ApiKey::InitProducerId,
        ] {
            assert!(
                KafkaVersion::V2_1.highest(api) < KafkaVersion::V4_3.highest(api),
                "{api:?}"
            );
        }
    }
}
