//! What the tests of `downpour-wire` have that the targets need too: samples of every message, and an
//! allocator that counts.
#![allow(dead_code, reason = "the tests need more of it")]

#[path = "../../crates/downpour-wire/tests/common/mod.rs"]
pub(crate) mod common;
#[path = "../../crates/downpour-wire/tests/broken_bytes_tools/counting.rs"]
pub(crate) mod counting;
