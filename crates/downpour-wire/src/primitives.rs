//! What Kafka's bytes are made of at the lowest level: a bounded reader, integers, ids. What has a
//! classic and a compact form is in `messages`; a record's own varints are written in `batch`.

mod reader;
mod uuid;
mod write;

pub use reader::Reader;
pub use uuid::Uuid;
pub use write::put_uvarint;
pub(crate) use write::{put_i16, put_i32, put_i64};

#[cfg(test)]
mod tests;
