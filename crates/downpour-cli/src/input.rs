//! The input: from files and pipes to records. Nothing is sent here.

mod blocks;
mod check;
mod fields;
mod headers;
mod line;
mod lines;
mod ndjson;
mod sources;
mod template;

#[cfg(test)]
mod tests;

pub(crate) use blocks::{Block, ReadError};
pub(crate) use check::{Needs, check};
pub(crate) use sources::{Source, open};
pub(crate) use template::Template;
