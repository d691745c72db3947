//! What is known of one broker's pace: when its partitions want to send, the pause that its next
//! request may take, since when it owes an answer. Which partitions those are is in `send_lists`.

use std::time::Instant;

/// One broker, as far as sending to it goes.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    /// Some queue in its list has a batch that may leave now. Set by whoever looked at a queue,
    /// cleared by the visit of all of them; without it a full batch would wait for its linger.
    pub(super) ready: bool,
    /// When the next linger or backoff in its list ends.
    pub(super) next_at: Option<Instant>,
    /// Since when it owes an answer to a Produce request, or is out of reach while records wait
    /// for it. An answer ends that, and so does its list when that is empty.
    pub(super) owes_since: Option<Instant>,
    /// It owes for so long that the shell was told.
    pub(super) is_silent: bool,
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
    /// Whether a pause is being taken, unless something is in flight.
    pub(super) fn pauses_at(&self, now: Instant) -> bool {
        self.pause.is_some_and(|pause| pause.until > now)
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
