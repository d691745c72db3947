//! A record's way from a verb to the open batch of its partition, waits included.
//!
//! Both facades come in through `door` or `futures`; `append` is the way that nearly all records take. The
//! record itself is in `record`, what it is told afterwards in `delivery`, and the batch's way to
//! a broker in `io`.

mod answer;
pub(crate) mod append;
pub(crate) mod asking;
pub(crate) mod door;
pub(crate) mod futures;
pub(crate) mod many;
mod validate;
pub(crate) mod wait;
