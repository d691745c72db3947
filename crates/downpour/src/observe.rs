//! What operators see of a producer that runs.
//!
//! What happened is said by core's events; nothing here decides anything.

pub(crate) mod log;
pub(crate) mod statistics;
