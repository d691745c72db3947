//! A question to the cluster that is asked until it is answered, one request at a time.

use std::time::{Duration, Instant};

use crate::ids::ConnectionId;
use crate::rng::Rng;

/// Whether a question is open, where it was asked, and when it may be asked again.
#[derive(Debug, Default)]
pub(crate) struct Inquiry {
    /// Set by whoever needs the answer, cleared by the answer.
    pub(crate) wanted: bool,
    /// Where the request is that has no answer yet. Without it one request per poll would leave.
    pub(crate) asked: Option<ConnectionId>,
    pub(crate) retry_at: Option<Instant>,
    /// Answers in a row that settled nothing; they make the pause grow.
    pub(crate) attempts: u32,
    pub(crate) answered_at: Option<Instant>,
}

impl Inquiry {
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.wanted && self.asked.is_none() && self.retry_at.is_none_or(|at| at <= now)
    }

    /// The answer did not settle it: it is asked again after a pause that grows.
    pub(crate) fn retry(&mut self, backoff: (Duration, Duration), rng: &mut Rng, now: Instant) {
        self.wanted = true;
        self.attempts = self.attempts.saturating_add(1);
        self.retry_at = Some(now + rng.backoff(backoff, self.attempts));
    }

    /// The answer is lost with its connection, which says nothing about the question: it is
    /// asked again after the first pause, elsewhere.
    pub(crate) fn handle_lost(
        &mut self,
        backoff: (Duration, Duration),
        rng: &mut Rng,
        now: Instant,
    ) {
        self.asked = None;
        self.wanted = true;
        self.retry_at = Some(now + rng.backoff(backoff, 1));
    }
}
