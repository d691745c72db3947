//! Kafka's bytes for a producer: frames, record batches, codecs and messages; what only a broker
//! writes and reads is behind the feature `broker`. Nothing here does I/O, reads a clock or decides
//! anything; that is `downpour-core`'s and the shell's part. This file only declares the modules.
//!
//! Every decoder bounds every length by the bytes that remain before it allocates, answers with a
//! typed [`error::DecodeError`], and never panics on any input.

pub mod batch;
pub mod codec;
pub mod crc;
pub mod error;
pub mod error_code;
pub mod frame;
pub mod header;
pub mod messages;
pub mod parse_error;
pub mod primitives;
pub mod record;
