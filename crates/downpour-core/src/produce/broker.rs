//! The outbox of one broker, and the pause that it may take under load.

use std::collections::VecDeque;
use std::time::Instant;

use crate::ids::{ConnectionId, PartitionId};

/// What waits for one broker, and what is known of its pace.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    /// Set while a connection is open or being opened.
    pub(super) connection_id: Option<ConnectionId>,
    /// Connections in a row that ended before they were ready; one that is ready sets this back.
    pub(super) failures: u32,
    pub(super) retry_at: Option<Instant>,
    /// Partitions that it leads and that have something to send; the first is visited next.
    pub(super) active: VecDeque<PartitionId>,
    /// Produce requests without an answer.
    pub(super) in_flight: usize,
    /// Some queue of `active` has a batch that may leave now. Set by whoever looked at a queue,
    /// cleared by the visit of all of them; without it a full batch would wait for its linger.
    pub(super) ready: bool,
    /// When the next linger or backoff among `active` ends.
    pub(super) next_at: Option<Instant>,
    /// Records of the last Produce request: many of them show load.
    pub(super) last_records: u32,
    /// Set by the answer to a Produce request, cleared by the next poll, which has the time of it.
    pub(super) is_answered: bool,
    /// When the last answer came; cleared once a pause was taken for it.
    pub(super) answered_at: Option<Instant>,
    /// The pause that is being taken, or the last one until its end was seen; see `pacing`.
    pub(super) pause: Option<Pause>,
}

impl Broker {
    /// Whether it is pausing now. With a request in flight there is an answer to wait for.
    pub(crate) fn is_pausing(&self, now: Instant) -> bool {
        self.in_flight == 0 && self.pause.is_some_and(|pause| pause.until > now)
    }
}

/// A moment in which a request waits for its batches to grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause {
    pub(super) until: Instant,
    /// It is not prolonged beyond this.
    pub(super) end: Instant,
    /// What was open when it began, or when it was prolonged last.
    pub(super) seen: OpenSample,
}

/// How much is open, as far as growth is told from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenSample {
    pub(super) partitions: usize,
    pub(super) bytes: usize,
}
