//! What can be asked of a request's key. Which keys there are, and in which versions, is generated.

use std::fmt;

pub use super::generated::api_key::ApiKey;

impl ApiKey {
    /// Whether this crate reads and writes `version`.
    #[must_use]
    pub(crate) const fn has_version(self, version: i16) -> bool {
        let (min, max) = self.versions();
        min <= version && version <= max
    }

    /// Whether `version` has compact lengths and tagged fields.
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
