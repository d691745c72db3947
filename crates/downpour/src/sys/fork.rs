//! Whether this process is a forked child of the one that built a producer.
//!
//! A child has the memory of its parent and none of its threads: a record that it appended would
//! wait forever. Every send looks here, so it must cost one load; asking for the process id
//! costs more than accepting the record (144 ns by `getpid`).

#![cfg_attr(
    all(unix, not(miri)),
    expect(
        unsafe_code,
        reason = "the C library offers no other way to see a fork"
    )
)]

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::sys::callback;

/// What each fork adds, so that a number leaves bits free below it.
pub(crate) const STEP: u32 = 1 << 8;

/// Forks between the first process that built a producer and this one, times [`STEP`].
static GENERATION: AtomicU32 = AtomicU32::new(0);

#[cfg(all(unix, not(miri)))]
extern "C" fn count_fork() {
    GENERATION.fetch_add(STEP, Ordering::Relaxed);
}

/// The number of this process; it differs in a forked child.
pub(crate) fn register() -> u32 {
    static REGISTERED: Once = Once::new();
    #[cfg_attr(miri, expect(unused_mut, reason = "nothing is tried there"))]
    let mut failed = false;
    REGISTERED.call_once(|| {
        // Miri has no forks and no way to see one.
        #[cfg(all(unix, not(miri)))]
        {
            // SAFETY: the handler is a plain function that lives as long as the program and does
            // one atomic addition, which is allowed between a fork and whatever follows.
            failed = unsafe { libc::pthread_atfork(None, None, Some(count_fork)) } != 0;
        }
    });
    if failed {
        // Not in there, where a subscriber that builds a producer would wait for itself.
        callback::say(|| {
            tracing::warn!("forks cannot be seen; do not use this producer in a child");
        });
    }
    generation()
}

/// The number of this process.
#[inline(always)]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}
