//! What can go wrong, one file per stage: configuration, acceptance, delivery.
//!
//! These are plain values that refer to nothing that lives. Errors that give records or handles
//! back are in `record::returned`.

pub(crate) mod config;
pub(crate) mod delivery;
pub(crate) mod record;
pub(crate) mod send;
