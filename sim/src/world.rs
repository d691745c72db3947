//! Lets a plan happen: one queue of events in virtual time, and everything that they touch.
//! This file only declares and re-exports.

mod desk;
mod dress;
mod faults;
mod io_thread;
mod names;
mod network;
mod partitioner;
mod pool;
mod probe;
mod run;
mod senders;
mod state;
mod tasks;
mod verdicts;
mod wire;

pub(crate) use state::World;
