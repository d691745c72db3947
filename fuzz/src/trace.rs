//! The story of an input, on stderr, where `DOWNPOUR_FUZZ_TRACE` is set.

use std::sync::OnceLock;

/// Whether it is told.
pub(crate) fn is_on() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| std::env::var_os("DOWNPOUR_FUZZ_TRACE").is_some())
}

/// Tells a line of it.
macro_rules! tell {
    ($($what:tt)*) => {
        if $crate::trace::is_on() {
            eprintln!($($what)*);
        }
    };
}
pub(crate) use tell;
