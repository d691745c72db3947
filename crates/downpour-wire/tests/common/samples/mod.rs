//! For every message a value that a version can carry, and lists of all messages.

mod generated;
mod sample;

#[allow(unused_imports, reason = "not every test needs them")]
pub(crate) use generated::{each_answer, each_message, each_request};
pub(crate) use sample::Sample;
