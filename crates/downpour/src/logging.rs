//! What a producer says to operators: how to turn it on, and every line with when it is said.
//!
//! Nothing but this page is in here.
//!
#![doc = include_str!("../LOGGING.md")]
