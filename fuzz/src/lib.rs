//! What the fuzz targets do: each is a function of bytes that panics when something is wrong. The
//! programs that libFuzzer links are in `fuzz_targets`, and what they are for in `README.md`.

#[cfg(feature = "shell")]
mod args;
pub mod batch;
pub mod begin;
#[cfg(feature = "shell")]
pub mod cli;
pub mod decoders;
pub mod engine;
#[cfg(feature = "shell")]
mod input;
mod model;
#[cfg(feature = "shell")]
pub mod properties;
pub mod queue;
mod script;
mod trace;
mod wire_tests;
