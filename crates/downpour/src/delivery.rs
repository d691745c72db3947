//! What a caller holds of a record that was accepted: its handle, and in the end its report.
//!
//! A handle is a place in a batch, and `batch_state` is what all handles of one batch share. Why
//! a record was not delivered is in `error`.

pub(crate) mod batch_state;
pub(crate) mod deliveries;
#[expect(
    clippy::module_inception,
    reason = "each file has its main type's name"
)]
pub(crate) mod delivery;
#[cfg(test)]
mod fixtures;
pub(crate) mod many;
pub(crate) mod report;
pub(crate) mod shelf;
pub(crate) mod tally;
