//! The topics and partitions that a producer knows, as senders look them up.
//!
//! Entries are only ever added, so that a reference or a number stays good. Leaders and epochs
//! are the engine's; the handle that users hold is in the crate's `topic`.

pub(crate) mod entry;
pub(crate) mod figures;
pub(crate) mod partitions;
pub(crate) mod table;
