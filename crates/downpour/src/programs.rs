//! Ten small programs, one for each way in which people use a producer.
//!
//! Nothing but this page is in here.
//!
#![doc = include_str!("../PROGRAMS.md")]
