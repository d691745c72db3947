//! Directed tests of a queue, one fact a test.

mod acknowledging;
mod filling;
mod harness;
mod leaving;
mod sequences;
