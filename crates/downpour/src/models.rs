//! Threads against each other, in orders that chance would never bring: one file per meeting place.
//!
//! The suite's section `shuttle` runs each model some thousand times, one step of one thread at a
//! time, in orders that follow from a seed; that nobody can go on is a failure. In any other build
//! the same models run on real threads, which is what ThreadSanitizer and Miri look at.

mod batch;
mod explore;
mod mailbox;
mod memory;
mod park;
#[cfg(feature = "simulation")]
mod producer;
mod topic;
