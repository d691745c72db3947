//! Labels whose last owner is a batch that goes while a lock of this crate is held.
//!
//! A label is the user's: its drop may do anything, such as send to the partition whose lock is
//! held. In time: the handle of a labelled record is dropped; its batch gets its verdict while it
//! is in flight; its connection ends, and the queue, which is locked, lets go of the batch. The
//! label goes onto the shelf then, and is dropped when the round is over.

use std::cell::RefCell;

use crate::label::Label;
use crate::sys::sync::thread_local;

thread_local! {
    /// Set by `collect` for as long as a round lasts; labels that go outside of one are dropped
    /// where they are.
    static SHELF: RefCell<Option<Vec<Label>>> = const { RefCell::new(None) };
}

/// Puts the shelf's labels where they are asked for, also after a panic.
struct Collecting<'a> {
    into: &'a mut Vec<Label>,
}

impl Drop for Collecting<'_> {
    fn drop(&mut self) {
        let labels = SHELF.try_with(|shelf| shelf.borrow_mut().take());
        self.into.extend(labels.ok().flatten().unwrap_or_default());
    }
}

/// Runs a round, and keeps the labels that go meanwhile for after it.
pub(crate) fn collect<R>(into: &mut Vec<Label>, round: impl FnOnce() -> R) -> R {
    let _ = SHELF.try_with(|shelf| {
        shelf.borrow_mut().get_or_insert_default();
    });
    let _collecting = Collecting { into };
    round()
}

/// A batch goes with these labels.
#[cold]
pub(super) fn put(mut labels: impl Iterator<Item = Label>) {
    let _ = SHELF.try_with(|shelf| {
        if let Some(shelf) = &mut *shelf.borrow_mut() {
            shelf.extend(&mut labels);
        }
    });
    // Those that are left are dropped here, with nothing borrowed.
    drop(labels);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    fn gone(label: &Label) -> bool {
        Arc::strong_count(label) == 1
    }

    #[test]
    fn labels_outlive_the_round_that_they_go_in_and_no_longer() {
        let label: Label = Arc::new(());
        put([label.clone()].into_iter());
        assert!(gone(&label));
        let mut kept = Vec::new();
        collect(&mut kept, || put([label.clone()].into_iter()));
        assert_eq!((kept.len(), gone(&label)), (1, false));
        put([label.clone()].into_iter());
        kept.clear();
        assert!(gone(&label));
    }

    #[test]
    fn a_round_that_panics_leaves_no_label_behind() {
        let label: Label = Arc::new(());
        let mut kept = Vec::new();
        let round = || {
            collect(&mut kept, || {
                put([label.clone()].into_iter());
                panic!("on purpose")
            })
        };
        assert!(catch_unwind(AssertUnwindSafe(round)).is_err());
        assert_eq!(kept.len(), 1);
    }
}
