//! What a sample of a message is.

use downpour_wire::messages::{ApiKey, Decode, Encode};

use super::super::entropy::Entropy;

/// A message that can make a value of itself which `version` carries without loss.
pub(crate) trait Sample: Encode + Decode + PartialEq + std::fmt::Debug {
    const KEY: ApiKey;
    fn sample(e: &mut Entropy<'_>, version: i16) -> Self;
}
