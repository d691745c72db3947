//! Why something was not taken.

/// In words; a run in which there is one does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) &'static str);
