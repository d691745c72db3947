//! Record batches of magic 2: the builder that records are written into, the sealed body with its
//! stamped headers, and the reader. Queues, sequences and retries are not here.
//!
//! A batch is a header of [`HEADER_LEN`] bytes and a body. The body is immutable once sealed and
//! may be shared by several requests; the header belongs to one attempt.

mod body;
mod builder;
mod layout;
mod records;
mod split;
#[cfg(feature = "broker")]
mod view;

#[cfg(test)]
mod tests;

pub use body::Body;
pub use builder::{BatchBuilder, NeedChunk, SealError, SealErrorKind};
pub use layout::{HEADER_LEN, Stamp};
pub use records::OwnedRecord;
pub use split::SplitError;
#[cfg(feature = "broker")]
pub use view::BatchView;
