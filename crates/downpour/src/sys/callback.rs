//! Running other people's code where its panics end nothing and its waits are seen.
//!
//! Wakers, log subscribers and drops of what users gave run here, with no lock of this crate
//! held. They may do anything but wait for the producer: the I/O thread would wait for itself.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::sys::sync::thread_local;

thread_local! {
    /// Set while this thread runs somebody's callback, by `run`, which sets it back to what it was.
    /// Without it a callback that waits for a verdict would do so forever on the I/O thread.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread runs a callback, so that it may not wait for a producer.
pub(crate) fn is_running() -> bool {
    // A thread that ends has no callback under way.
    RUNNING.try_with(Cell::get).unwrap_or(false)
}

/// Runs foreign code; `None` if it panicked.
pub(crate) fn run<R>(work: impl FnOnce() -> R) -> Option<R> {
    let before = RUNNING.try_with(|running| running.replace(true));
    let result = catch_unwind(AssertUnwindSafe(work));
    if let Ok(before) = before {
        let _ = RUNNING.try_with(|running| running.set(before));
    }
    result.map_err(discard).ok()
}

/// What was thrown is foreign as well, and may panic when it is dropped.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// Writes log lines. Nobody is left to be told of a subscriber that panics at them.
pub(crate) fn say(line: impl FnOnce()) {
    let _ = run(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Panics;

    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose, in a drop");
        }
    }

    #[test]
    fn a_panic_is_contained_whatever_it_throws() {
        assert_eq!(run(|| panic!("on purpose")), None::<()>);
        let throw = || std::panic::panic_any(Panics);
        assert_eq!(run(throw), None::<()>);
        assert_eq!(run(|| 1), Some(1));
    }

    #[test]
    fn a_callback_within_a_callback_does_not_end_the_outer_one() {
        assert!(!is_running());
        let inside = run(|| {
            let _: Option<()> = run(|| panic!("on purpose"));
            is_running()
        });
        assert_eq!((inside, is_running()), (Some(true), false));
    }
}
