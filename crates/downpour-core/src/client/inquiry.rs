//! A question to the cluster that is asked until it is answered, one request at a time.
//!
//! *Invariant:* one request is on its way at most. What the question is, and what its answer
//! means, is the asker's matter.

use std::time::{Duration, Instant};

use crate::ids::ConnectionId;
use crate::mutants;
use crate::rng::Rng;

/// Whether a question is open, where it was asked, and when it may be asked again.
#[derive(Debug, Default)]
pub(crate) struct Inquiry {
    /// Set by whoever needs the answer, cleared by the answer.
    wanted: bool,
    /// Where the request is that has no answer yet. Without it one request per poll would leave.
    asked: Option<ConnectionId>,
    /// Where it was asked last.
    last: Option<ConnectionId>,
    retry_at: Option<Instant>,
    /// Answers in a row that settled nothing; they make the backoff grow.
    attempts: u32,
    /// Requests in a row whose answer was lost.
    losses: u32,
    answered_at: Option<Instant>,
    /// Set while it is wanted and an answer to something else has put it off: once, since a program
    /// that turns to new topics all the time would put it off for ever. Cleared by its answer.
    was_put_off: bool,
}

impl Inquiry {
    /// Somebody needs the answer, or a newer one.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// Somebody needs it who never asked before. A backoff between two that went well does not
    /// keep them waiting; one after answers that settled nothing does.
    pub(crate) fn want_at_once(&mut self) {
        self.wanted = true;
        if self.attempts == 0 && self.losses == 0 {
            self.retry_at = None;
        }
    }

    /// Where the request is that is on its way.
    pub(crate) fn asked(&self) -> Option<ConnectionId> {
        self.asked
    }

    /// Where it was asked last, whether or not there was an answer.
    pub(crate) fn last(&self) -> Option<ConnectionId> {
        self.last
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.wanted
            && self.asked.is_none()
            && self.retry_at.is_none_or(|at| at <= now || mutants::is(34))
    }

    /// When it may be asked again; `None` if nobody wants it, or if it is on its way.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        self.retry_at
            .filter(|_| self.wanted && self.asked.is_none())
    }

    /// When the last answer is as old as this.
    pub(crate) fn ages_at(&self, age: Duration) -> Option<Instant> {
        Some(self.answered_at? + age)
    }

    /// The request is on its way.
    pub(crate) fn handle_asked(&mut self, on: ConnectionId) {
        self.asked = Some(on);
        self.last = Some(on);
    }

    /// An answer came, of whatever kind.
    pub(crate) fn handle_answered(&mut self) {
        self.asked = None;
        self.losses = 0;
    }

    /// The answer can be used: who wanted it before has it. Whether all is there is said next, by
    /// [`settle`](Self::settle) or by [`retry`](Self::retry).
    pub(crate) fn renew(&mut self, now: Instant) {
        self.wanted = mutants::is(35);
        self.was_put_off = false;
        self.answered_at = Some(now);
    }

    /// An answer to something else told a part of it: what is still wanted is asked `backoff` later,
    /// but not later still after another one, and has its age from the first answer.
    pub(crate) fn renew_partly(&mut self, backoff: Duration, now: Instant) {
        self.answered_at.get_or_insert(now);
        if self.was_put_off {
            return;
        }
        self.retry_at = self.retry_at.max(Some(now + backoff));
        self.was_put_off = self.wanted;
    }

    /// Nothing is missing in the answer. Two questions are not closer together than `backoff`.
    pub(crate) fn settle(&mut self, backoff: Duration, now: Instant) {
        self.attempts = 0;
        self.retry_at = Some(now + backoff);
    }

    /// The answer did not settle it: it is asked again after a backoff that grows.
    pub(crate) fn retry(&mut self, backoff: (Duration, Duration), rng: &mut Rng, now: Instant) {
        self.wanted = true;
        self.attempts = self.attempts.saturating_add(1);
        self.retry_at = Some(now + rng.backoff(backoff, self.attempts));
    }

    /// The answer is lost with its connection, which says nothing about the question: it is
    /// asked again, elsewhere, after a backoff that grows only while one after the other is lost.
    /// Answers when that is over.
    pub(crate) fn handle_lost(
        &mut self,
        backoff: (Duration, Duration),
        rng: &mut Rng,
        now: Instant,
    ) -> Instant {
        self.asked = None;
        self.losses = self.losses.saturating_add(1);
        let retry_at = now + rng.backoff(backoff, self.losses);
        self.retry_at = Some(retry_at);
        retry_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

    #[test]
    fn one_request_is_on_its_way_at_most() {
        let (mut inquiry, now) = (Inquiry::default(), Instant::now());
        assert!(!inquiry.is_due(now));
        inquiry.want();
        assert!(inquiry.is_due(now));
        inquiry.handle_asked(ConnectionId(1));
        inquiry.want();
        assert!(!inquiry.is_due(now) && inquiry.next_wake().is_none());
        inquiry.handle_lost(BACKOFF, &mut Rng::new(1), now);
        assert!(!inquiry.is_due(now));
        assert!(inquiry.is_due(inquiry.next_wake().unwrap()));
    }

    #[test]
    fn answers_that_settle_nothing_come_ever_more_rarely() {
        let (mut inquiry, now) = (Inquiry::default(), Instant::now());
        let mut rng = Rng::new(1);
        let mut backoffs = Vec::new();
        for _ in 0..5 {
            inquiry.handle_answered();
            inquiry.renew(now);
            inquiry.retry(BACKOFF, &mut rng, now);
            backoffs.push(inquiry.next_wake().unwrap() - now);
        }
        assert!(backoffs[4] > 4 * backoffs[0], "{backoffs:?}");
        inquiry.settle(BACKOFF.0, now);
        inquiry.retry(BACKOFF, &mut rng, now);
        assert!(inquiry.next_wake().unwrap() - now < 2 * BACKOFF.0);
    }

    #[test]
    fn an_answer_to_a_part_of_it_puts_it_off_and_does_not_still_it() {
        let (mut inquiry, now) = (Inquiry::default(), Instant::now());
        inquiry.want();
        inquiry.renew_partly(BACKOFF.0, now);
        assert!(!inquiry.is_due(now) && inquiry.is_due(now + BACKOFF.0));
        let age = Duration::from_secs(300);
        inquiry.renew_partly(BACKOFF.0, now + BACKOFF.0);
        assert_eq!(inquiry.ages_at(age), Some(now + age));
    }

    #[test]
    fn many_answers_to_a_part_of_it_put_it_off_no_further() {
        let (mut inquiry, now) = (Inquiry::default(), Instant::now());
        inquiry.want();
        for step in 0..10 {
            inquiry.renew_partly(BACKOFF.0, now + step * BACKOFF.0 / 2);
        }
        assert!(inquiry.is_due(now + BACKOFF.0));
        // Each time that it is wanted anew.
        let now = now + 10 * BACKOFF.0;
        inquiry.handle_answered();
        inquiry.renew(now);
        inquiry.settle(BACKOFF.0, now);
        let now = now + 2 * BACKOFF.0;
        inquiry.want();
        inquiry.renew_partly(BACKOFF.0, now);
        assert!(!inquiry.is_due(now) && inquiry.is_due(now + BACKOFF.0));
    }

    #[test]
    fn answers_that_are_lost_come_ever_more_rarely_too() {
        let (mut inquiry, now) = (Inquiry::default(), Instant::now());
        let mut rng = Rng::new(1);
        let mut lose = |inquiry: &mut Inquiry| {
            inquiry.want();
            inquiry.handle_asked(ConnectionId(1));
            inquiry.handle_lost(BACKOFF, &mut rng, now);
            inquiry.next_wake().unwrap() - now
        };
        let backoffs: Vec<_> = (0..5).map(|_| lose(&mut inquiry)).collect();
        assert!(backoffs[4] > 4 * backoffs[0], "{backoffs:?}");
        inquiry.handle_answered();
        assert!(lose(&mut inquiry) < 2 * BACKOFF.0);
    }
}
