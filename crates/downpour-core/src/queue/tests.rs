//! Directed tests of a queue, one fact a test.

mod acknowledging;
mod counting;
mod filling;
mod found_by_simulation;
mod harness;
mod leaving;
mod old_records;
mod refusals;
mod sequences;
