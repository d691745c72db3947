//! From what a caller asks for to the settings that a producer runs by.
//!
//! Setters and `properties` fill a `PartialConfig`, `resolve` turns that into `Settings` or into
//! every problem at once. The setters themselves are in the crate's `builder`.

mod addresses;
pub(crate) mod connector;
#[cfg(test)]
mod every;
pub(crate) mod family;
pub(crate) mod ignored;
mod limits;
pub(crate) mod partial;
pub(crate) mod properties;
pub(crate) mod resolve;
mod secret;
pub(crate) mod servers;
pub(crate) mod setting;
pub(crate) mod settings;
