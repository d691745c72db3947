//! Directed tests of the engine against scripted answers.

mod asking;
mod connecting;
mod harness;
mod other_cluster;
mod producing;
mod saying;
mod silence;
