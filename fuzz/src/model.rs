//! What the targets `queue` and `engine` share: a partition's log as brokers keep it, and the book of
//! what was accepted and what was said of it. Neither knows anything of core's decisions.

pub(crate) mod appending;
pub(crate) mod book;
pub(crate) mod log;
