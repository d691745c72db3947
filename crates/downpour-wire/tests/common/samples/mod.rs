//! For every message a value that a version can carry. Lists of all messages are `generated`'s.

mod generated;
mod produce;

use downpour_wire::messages::*;

use super::entropy::Entropy;
pub(crate) use generated::each_message;
#[allow(unused_imports, reason = "not every test needs it")]
pub(crate) use generated::each_request;

/// A message that can make a value of itself which `version` carries without loss.
pub(crate) trait Sample: Encode + Decode + PartialEq + std::fmt::Debug {
    const KEY: ApiKey;
    fn sample(e: &mut Entropy<'_>, version: i16) -> Self;
}
