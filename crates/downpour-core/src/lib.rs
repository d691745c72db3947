//! The decisions of a Kafka producer, without I/O, clock or locks.
//!
//! What is sent when, what an answer means, who gets which verdict. Time and randomness come
//! in as arguments; methods come in four families: getters, `handle_*` (something happened),
//! plain verbs (commands) and `poll_*` (what to do next). Sockets, threads, locks and wakers
//! are the `downpour` crate's. This crate is that crate's inside and keeps no promise of its
//! own about stability.

#![forbid(unsafe_code)]

pub mod callers;
pub mod client;
pub mod config;
pub mod errors;
pub mod event;
pub mod identity;
pub mod ids;
#[doc(hidden)]
pub mod mutants;
pub mod outcome;
pub mod output;
pub mod produce;
pub mod queue;
pub mod rng;
pub mod seal;
pub mod time;
