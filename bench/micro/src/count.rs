//! The one function whose inside is counted. Its name is known to `cargo xtask bench`.

use std::hint::black_box;

/// Does the work; callgrind counts from its first to its last instruction, on this thread alone.
#[inline(never)]
pub(crate) fn counted<R>(work: impl FnOnce() -> R) -> R {
    // Without this the call could become a jump, whose end nobody sees.
    black_box(work())
}
