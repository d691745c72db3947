//! What the operating system and the standard library offer, shaped for this crate.
//!
//! Nothing here knows of records, batches or brokers.

pub(crate) mod callback;
pub(crate) mod clock;
pub(crate) mod fork;
pub(crate) mod lock;
pub(crate) mod park;
pub(crate) mod random;
pub(crate) mod spin;
pub(crate) mod sync;
pub(crate) mod wake;
pub(crate) mod waker_set;
