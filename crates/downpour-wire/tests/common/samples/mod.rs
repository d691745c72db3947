//! For every message a value that a version can carry, and lists of all messages.

mod generated;
mod sample;

pub(crate) use generated::each_message;
#[allow(unused_imports, reason = "not every test needs it")]
pub(crate) use generated::each_request;
pub(crate) use sample::Sample;
