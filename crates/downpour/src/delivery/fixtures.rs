//! Verdicts that the tests of this room hand out.

use std::sync::Arc;

use downpour_core::outcome::{Cause, Failure, Verdict};

pub(super) fn delivered(base: i64) -> Verdict {
    Verdict::Delivered {
        base_offset: Some(base),
        log_append_time: None,
    }
}

pub(super) fn failure() -> Arc<Failure> {
    let cause = Cause::Closed { last: None };
    Arc::new(Failure::new(cause, Arc::from("t"), 1))
}
