//! The part of the command's arguments that its reader of lines refers to.
#![allow(dead_code, unreachable_pub, reason = "it is a module of the command")]

#[path = "../../crates/downpour-cli/src/args/values.rs"]
pub(crate) mod values;
