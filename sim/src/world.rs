//! Lets a plan happen: one queue of events in virtual time, and everything that they touch.
//! This file only declares and re-exports.

mod client;
mod faults;
mod network;
mod run;
mod senders;
mod state;
mod verdicts;

pub(crate) use state::World;
