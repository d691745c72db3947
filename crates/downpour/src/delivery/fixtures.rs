//! Batches that the tests of this room make, and verdicts that they hand out.

use std::sync::Arc;

use downpour_core::ids::PartitionId;
use downpour_core::outcome::{Cause, Failure, Verdict};

use crate::delivery::batch_state::BatchState;

/// A batch of this partition of the topic `t`.
pub(super) fn batch(partition: i32) -> Arc<BatchState> {
    let id = PartitionId {
        topic: 0,
        index: partition,
    };
    BatchState::new(Arc::from("t"), id)
}

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
