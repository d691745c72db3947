//! `downpour perf`: what sending costs in time, CPU and memory.
//!
//! The producer is used through its public interface only. What the numbers mean is in the command's help.

mod load;
mod outcome;
mod payload;
mod result;
mod run;
mod target;

pub(crate) use run::run;
