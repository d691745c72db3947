//! A storm: faults of every kind at once on three brokers, while writers of every kind send, and one
//! judge of what a foreign consumer reads back. A run with one kind of fault at a steady load is
//! `chaos`.

pub mod book;
pub mod deck;
pub mod faults;
pub mod history;
pub mod judge;
pub mod plan;
pub mod report;
pub mod run;
pub mod tag;
pub mod writers;
