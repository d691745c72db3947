//! Directed tests of the engine against scripted answers.

mod asking;
mod cluster;
mod connecting;
mod harness;
mod hostile;
mod idle;
mod other_cluster;
mod producing;
mod refusing;
mod saying;
mod silence;
