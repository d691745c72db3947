//! `downpour produce`: from the input to verdicts, in order and in bounded memory.
//!
//! Three threads: one reads blocks of lines, this one turns them into records and hands them
//! over, one waits for the verdicts in the input's order and reports them. What is between them
//! is bounded: some blocks before, [`window`] after, and the producer's own memory.

mod entry;
mod human;
mod json;
mod message;
mod report;
mod reporter;
mod run;
mod sender;
mod stop;
mod tally;
mod window;

pub(crate) use run::run;
