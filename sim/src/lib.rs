//! Seeded simulation: core's decisions against the fake's brokers, one schedule in virtual time.
//!
//! A seed decides everything: cluster, settings, records, delays, faults and the order of all that
//! happens. No thread, socket or clock takes part, so that a seed always leaves the same trace.
//! `plan` draws a seed's circumstances, `world` lets them happen, `checker` and `judge` say what
//! is wrong with what came of it; `ledger`, `company`, `past` and `load` read what sockets take. The command line is `main.rs`.

mod checker;
mod company;
mod complaints;
#[cfg(test)]
mod fixtures;
mod history;
mod judge;
mod ledger;
mod load;
mod mutants;
mod past;
mod plan;
mod report;
mod request;
mod rng;
mod run;
mod trace;
mod trouble;
mod world;

pub use mutants::{MUTANTS, Mutant, choose};
pub use report::{Report, Tally};
pub use run::run;
