//! The requests and responses that a producer and the fake need. Those in `generated` are made from
//! Kafka's definitions; what they are written and read with is here. Record batches inside them are
//! `batch`'s; headers and lengths around them are `header`'s.
//!
//! A producer writes requests and reads responses. The other direction, and the requests that only
//! consumers and tools send, are behind the feature `broker`.
//!
//! A message is a plain struct that covers all versions. Encoding a request refuses a field that
//! the version cannot carry, unless Kafka calls the field ignorable. Encoding a
//! response drops what the version has no place for, as a broker does that knows more than it can
//! say. Decoding fills what the version lacks with Kafka's default.

mod api_key;
mod api_versions;
mod generated;
mod message;
#[cfg(feature = "numbers")]
pub mod numbers;
pub(crate) mod reader;
pub(crate) mod writer;

pub use api_key::{ApiKey, UnknownApiKey};
pub use generated::*;
pub use message::{Decode, Encode, Request};

#[cfg(test)]
mod tests;
