//! What can go wrong, one file per stage: configuration, acceptance, delivery.
//!
//! These are plain values that refer to nothing that lives. Errors that give handles back are in
//! `delivery::many`.

pub(crate) mod config;
pub(crate) mod delivery;
pub(crate) mod kind;
pub(crate) mod names;
pub(crate) mod produce;
pub(crate) mod record;
pub(crate) mod send;
#[cfg(test)]
mod tests;
