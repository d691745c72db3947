//! What every API is told beside its request: which broker was asked in which version, and what a
//! fault wants for single topics and partitions. Whether a fault is due is decided in `fault`.

use downpour_wire::error_code::ErrorCode;

use super::state::State;
use crate::fault::{Action, Fault};
use crate::version::KafkaVersion;

#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestContext<'a> {
    pub(crate) node: i32,
    pub(crate) version: i16,
    pub(crate) release: KafkaVersion,
    /// Milliseconds since 1970.
    pub(crate) time_ms: i64,
    pub(crate) fault: Option<&'a Fault>,
}

impl RequestContext<'_> {
    /// The code that a fault wants answered for a partition (or a whole topic), and whether the
    /// request is to be applied there all the same.
    pub(crate) fn scripted_error(
        &self,
        topic: &str,
        partition: Option<i32>,
    ) -> Option<(ErrorCode, bool)> {
        let fault = self.fault?;
        match fault.action {
            Action::Error { code, applied } if fault.covers(topic, partition) => {
                Some((code, applied))
            }
            _ => None,
        }
    }

    /// The code that a fault wants answered for a request that names no topic.
    pub(crate) fn scripted_error_at_all(&self) -> Option<ErrorCode> {
        match self.fault?.action {
            Action::Error { code, .. } => Some(code),
            _ => None,
        }
    }

    /// True if a fault wants the partition left out of the answer; with it, whether it is applied.
    pub(crate) fn omitted(&self, topic: &str, partition: Option<i32>) -> Option<bool> {
        let fault = self.fault?;
        match fault.action {
            Action::Omit { applied } if fault.covers(topic, partition) => Some(applied),
            _ => None,
        }
    }
}

/// Why a broker refuses a request that only the partition's leader may serve; `None` if it leads.
pub(crate) fn not_leader(state: &State, node: i32, topic: &str, index: i32) -> Option<ErrorCode> {
    match state.partition(topic, index) {
        None => Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        Some(partition) if !partition.is_led_by(node) => Some(ErrorCode::NOT_LEADER_OR_FOLLOWER),
        Some(_) => None,
    }
}
