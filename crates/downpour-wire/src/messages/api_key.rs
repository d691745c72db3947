//! Which requests there are, and in which versions. The fields of each are in its own file.

use std::fmt;

/// A request that this crate reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(i16)]
pub enum ApiKey {
    Produce = 0,
    Fetch = 1,
    ListOffsets = 2,
    Metadata = 3,
    ApiVersions = 18,
    CreateTopics = 19,
    InitProducerId = 22,
}

impl ApiKey {
    /// In ascending order.
    pub const ALL: &[Self] = &[
        Self::Produce,
        Self::Fetch,
        Self::ListOffsets,
        Self::Metadata,
        Self::ApiVersions,
        Self::CreateTopics,
        Self::InitProducerId,
    ];

    /// The lowest and highest version that this crate reads and writes.
    #[must_use]
    pub const fn versions(self) -> (i16, i16) {
        match self {
            Self::Produce => (3, 13),
            Self::Fetch => (4, 12),
            Self::ListOffsets => (1, 7),
            Self::Metadata => (1, 13),
            Self::ApiVersions => (0, 4),
            Self::CreateTopics => (2, 7),
            Self::InitProducerId => (0, 5),
        }
    }

    /// Whether this crate reads and writes `version`.
    #[must_use]
    pub(crate) const fn has_version(self, version: i16) -> bool {
        let (min, max) = self.versions();
        min <= version && version <= max
    }

    /// The first version with compact lengths and tagged fields (KIP-482), request and response
    /// alike.
    #[must_use]
    pub const fn first_flexible(self) -> i16 {
        match self {
            Self::Produce | Self::Metadata => 9,
            Self::Fetch => 12,
            Self::ListOffsets => 6,
            Self::ApiVersions => 3,
            Self::CreateTopics => 5,
            Self::InitProducerId => 2,
        }
    }

    #[must_use]
    pub const fn is_flexible(self, version: i16) -> bool {
        version >= self.first_flexible()
    }
}

/// A key that this crate has no messages for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownApiKey(pub i16);

impl fmt::Display for UnknownApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown api key {}", self.0)
    }
}

impl std::error::Error for UnknownApiKey {}

impl TryFrom<i16> for ApiKey {
    type Error = UnknownApiKey;

    fn try_from(key: i16) -> Result<Self, UnknownApiKey> {
        let found = Self::ALL.iter().find(|known| **known as i16 == key);
        found.copied().ok_or(UnknownApiKey(key))
    }
}
