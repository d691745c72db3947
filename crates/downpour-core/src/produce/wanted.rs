//! Topics that somebody waits for and that are not there: when each is asked for again, and since
//! when brokers say that it does not exist.
//!
//! Each has a backoff of its own: one that is missing keeps no other waiting. What a request looks
//! like is in `metadata`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::rng::Rng;

/// For so long it is remembered that a topic was missing. After it, whoever wants the topic begins
/// anew.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How long a topic that was said not to exist may be missing still when it is wanted again: it may
/// have been created a moment ago, and brokers learn of that one after the other.
const AGAIN: Duration = Duration::from_secs(1);

/// First and largest backoff.
type Backoff = (Duration, Duration);

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    open: BTreeMap<u32, Want>,
    /// Those that nobody waits for any more. They are not asked for; but whoever wants one again
    /// waits until its backoff ends, since a sender in a loop would ask as fast as it loops.
    past: BTreeMap<u32, Want>,
    /// No topic is asked for *again* before this, so that a thousand missing ones with a backoff
    /// each do not make a thousand requests.
    quiet_until: Option<Instant>,
    /// Some were due, and a refresh of what is known went first.
    was_passed_over: bool,
}

#[derive(Debug)]
struct Want {
    until: Instant,
    /// It is named in the request that is on its way.
    is_asked: bool,
    /// `None` until it was asked for.
    retry_at: Option<Instant>,
    /// Answers in a row that did not bring it; they make the backoff grow.
    attempts: u32,
    missing: Option<Missing>,
}

/// A topic that brokers say does not exist, and nobody has said otherwise since.
#[derive(Debug)]
struct Missing {
    since: Instant,
    last: Instant,
    /// From when its time counts: not from a send, since nobody may have been asked for long. `None`
    /// from the next answer on.
    counted_from: Option<Instant>,
    /// Whoever waited was told so.
    is_told: bool,
}

/// What comes of an answer that does not know a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unknown {
    /// How long brokers have been saying so.
    pub(super) missing_for: Duration,
    /// It is time to say so to whoever waits.
    pub(super) is_over: bool,
}

impl Wanted {
    /// The topics that somebody waits for.
    pub(super) fn topics(&self) -> impl Iterator<Item = u32> {
        self.open.keys().copied()
    }

    /// Whether anybody waits for a topic.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Somebody waits for a topic until then. What was never asked for is due at once.
    pub(super) fn want(&mut self, topic: u32, until: Instant, now: Instant) {
        if let Some(want) = self.open.get_mut(&topic) {
            want.until = want.until.max(until);
            return;
        }
        let is_fresh = |want: &Want| {
            let missing = want.missing.as_ref();
            missing.is_none_or(|missing| now < missing.last + REMEMBERED)
        };
        let past = self.past.remove(&topic);
        let mut want = past.filter(is_fresh).unwrap_or(Want {
            until,
            is_asked: false,
            retry_at: None,
            attempts: 0,
            missing: None,
        });
        want.until = until;
        if let Some(missing) = &mut want.missing {
            missing.counted_from = None;
        }
        self.open.insert(topic, want);
    }

    /// Those whose time is over are not wanted any more.
    pub(super) fn expire(&mut self, now: Instant) {
        let over = |(_, want): &(&u32, &Want)| want.until <= now;
        let over: Vec<u32> = self.open.iter().filter(over).map(|(&t, _)| t).collect();
        over.into_iter().for_each(|topic| self.close(topic));
    }

    /// Nobody waits for it any more.
    fn close(&mut self, topic: u32) {
        if let Some(mut want) = self.open.remove(&topic) {
            want.is_asked = false;
            self.past.insert(topic, want);
        }
    }

    /// When a topic may be asked for; the past for what never was.
    fn due_at(&self, want: &Want, now: Instant) -> Option<Instant> {
        if want.until <= now || want.is_asked {
            return None;
        }
        let Some(at) = want.retry_at else {
            return Some(now);
        };
        Some(self.quiet_until.map_or(at, |quiet| quiet.max(at)))
    }

    /// A refresh of what is known goes first, though some are due.
    pub(super) fn pass_over(&mut self, now: Instant) {
        self.was_passed_over |= self.is_due(now);
    }

    /// Whether it is their turn. A partition in trouble has its metadata refreshed once a backoff, and
    /// topics that have just been created would wait for the end of that.
    pub(super) fn insists(&self, now: Instant) -> bool {
        self.was_passed_over && self.is_due(now)
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        let mut wants = self.open.values();
        wants.any(|want| self.due_at(want, now).is_some_and(|at| at <= now))
    }

    /// When the next one is due that is not yet.
    pub(super) fn next_wake(&self, now: Instant) -> Option<Instant> {
        let due = self.open.values().filter_map(|w| self.due_at(w, now));
        due.filter(|at| *at > now).min()
    }

    /// Takes those that are due: they are asked for now.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<u32> {
        let is_due = |want: &Want| self.due_at(want, now).is_some_and(|at| at <= now);
        let due = self.open.iter().filter(|(_, want)| is_due(want));
        let due: Vec<u32> = due.map(|(&topic, _)| topic).collect();
        self.was_passed_over = false;
        for topic in &due {
            if let Some(want) = self.open.get_mut(topic) {
                want.is_asked = true;
            }
        }
        due
    }

    /// A topic is there.
    pub(super) fn handle_found(&mut self, topic: u32) {
        self.open.remove(&topic);
        self.past.remove(&topic);
    }

    /// No asking again helps: whoever waits is told.
    pub(super) fn handle_refused(
        &mut self,
        topic: u32,
        backoff: Backoff,
        rng: &mut Rng,
        now: Instant,
    ) {
        self.handle_unavailable(topic, backoff, rng, now);
        self.close(topic);
    }

    /// The cluster knows it and cannot serve it.
    pub(super) fn handle_unavailable(
        &mut self,
        topic: u32,
        backoff: Backoff,
        rng: &mut Rng,
        now: Instant,
    ) {
        if let Some(want) = self.open.get_mut(&topic) {
            want.missing = None;
            want.again(backoff, rng, now);
        }
    }

    /// A broker says that there is no such topic; `None` if nobody waits for it.
    pub(super) fn handle_unknown(
        &mut self,
        topic: u32,
        limit: Duration,
        backoff: Backoff,
        rng: &mut Rng,
        now: Instant,
    ) -> Option<Unknown> {
        let want = self.open.get_mut(&topic)?;
        let missing = want.missing.get_or_insert(Missing {
            since: now,
            last: now,
            counted_from: None,
            is_told: false,
        });
        missing.last = now;
        let limit = match missing.is_told {
            true => limit.min(AGAIN),
            false => limit,
        };
        let ends_at = *missing.counted_from.get_or_insert(now) + limit;
        let unknown = Unknown {
            missing_for: now - missing.since,
            is_over: ends_at <= now,
        };
        missing.is_told |= unknown.is_over;
        want.again(backoff, rng, now);
        if unknown.is_over {
            self.close(topic);
        } else {
            // The last question comes when the time is over, not up to a large backoff later.
            let last = ends_at.max(now + backoff.0);
            want.retry_at = want.retry_at.map(|at| at.min(last));
        }
        Some(unknown)
    }

    /// There will be no answer. What was asked for is asked for again then, elsewhere.
    pub(super) fn handle_lost(&mut self, retry_at: Instant) {
        for want in self.open.values_mut().filter(|want| want.is_asked) {
            want.is_asked = false;
            want.retry_at = Some(retry_at);
        }
    }

    /// The answer was taken in. What it left out is asked for again.
    pub(super) fn handle_answered(&mut self, backoff: Backoff, rng: &mut Rng, now: Instant) {
        self.quiet_until = Some(now + backoff.0);
        for want in self.open.values_mut().filter(|want| want.is_asked) {
            want.again(backoff, rng, now);
        }
    }
}

impl Want {
    fn again(&mut self, backoff: Backoff, rng: &mut Rng, now: Instant) {
        self.is_asked = false;
        self.attempts = self.attempts.saturating_add(1);
        self.retry_at = Some(now + rng.backoff(backoff, self.attempts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = (Duration::from_millis(100), Duration::from_secs(1));
    const LIMIT: Duration = Duration::from_secs(5);

    struct Bench {
        wanted: Wanted,
        rng: Rng,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                wanted: Wanted::default(),
                rng: Rng::new(1),
                now: Instant::now(),
            }
        }

        fn want(&mut self, topic: u32) {
            let until = self.now + Duration::from_secs(60);
            self.wanted.want(topic, until, self.now);
        }

        /// Asks for what is due, and no broker knows it.
        fn ask(&mut self) -> Vec<(u32, Option<Unknown>)> {
            let (now, rng) = (self.now, &mut self.rng);
            let due = self.wanted.take_due(now);
            let said = due.into_iter().map(|topic| {
                let said = self.wanted.handle_unknown(topic, LIMIT, BACKOFF, rng, now);
                (topic, said)
            });
            let said = said.collect();
            self.wanted.handle_answered(BACKOFF, rng, now);
            said
        }

        /// Asks whenever it is time, until whoever waits for topic 1 is told.
        fn told_after(&mut self) -> (Duration, u32) {
            let began = self.now;
            for questions in 1..100 {
                let said = self.ask();
                let said = said.into_iter().find(|(topic, _)| *topic == 1);
                if said.is_some_and(|(_, said)| said.unwrap().is_over) {
                    return (self.now - began, questions);
                }
                self.now = self.wanted.next_wake(self.now).unwrap();
            }
            panic!("nobody was told")
        }
    }

    #[test]
    fn a_topic_that_is_missing_is_said_when_its_time_is_over_and_not_a_backoff_later() {
        let mut bench = Bench::new();
        bench.want(1);
        // The time counts from the first answer, not from the wish.
        bench.now += Duration::from_secs(9);
        let (after, questions) = bench.told_after();
        assert!(after >= LIMIT && after < LIMIT + BACKOFF.0, "{after:?}");
        assert!((5..15).contains(&questions), "{questions}");
        assert!(bench.wanted.is_empty() && bench.wanted.next_wake(bench.now).is_none());
    }

    #[test]
    fn whatever_the_backoffs_it_is_said_within_the_first_of_them() {
        for seed in 0..300 {
            let mut bench = Bench::new();
            bench.rng = Rng::new(seed);
            bench.want(1);
            let (after, _) = bench.told_after();
            assert!(after >= LIMIT && after < LIMIT + BACKOFF.0, "{after:?}");
        }
    }

    #[test]
    fn one_that_was_said_to_be_missing_is_asked_for_again_within_its_backoff_and_said_sooner() {
        let mut bench = Bench::new();
        bench.want(1);
        let (first, _) = bench.told_after();
        bench.want(1);
        assert!(!bench.wanted.is_due(bench.now), "no backoff");
        bench.now = bench.wanted.next_wake(bench.now).unwrap();
        let asked_at = bench.now;
        let (again, _) = bench.told_after();
        assert!(again >= AGAIN && again < 2 * AGAIN, "{again:?}");
        assert!(asked_at + again >= bench.now && first >= LIMIT);
        // Much later it begins anew.
        bench.now += REMEMBERED;
        bench.want(1);
        assert!(bench.wanted.is_due(bench.now));
        assert!(bench.told_after().0 >= LIMIT);
    }

    #[test]
    fn a_topic_that_was_never_asked_for_does_not_wait_behind_one_that_is_missing() {
        let mut bench = Bench::new();
        bench.want(1);
        bench.ask();
        bench.want(1);
        assert!(!bench.wanted.is_due(bench.now), "one that is asked for");
        bench.want(2);
        let said = bench.ask();
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].0, 2);
    }

    #[test]
    fn many_that_are_missing_are_asked_for_together_and_not_closer_than_the_backoff() {
        let mut bench = Bench::new();
        let (began, mut questions) = (bench.now, 0);
        for topic in 0..1000 {
            bench.want(topic);
        }
        while bench.now < began + Duration::from_secs(3) {
            questions += u32::from(!bench.ask().is_empty());
            let next = bench.wanted.next_wake(bench.now).unwrap();
            assert!(next >= bench.now + BACKOFF.0);
            bench.now = next;
        }
        assert!(questions <= 31, "{questions}");
    }

    #[test]
    fn another_answer_ends_the_time_that_it_was_missing() {
        let mut bench = Bench::new();
        bench.want(1);
        bench.ask();
        bench.now += Duration::from_secs(4);
        bench.wanted.take_due(bench.now);
        let (rng, now) = (&mut bench.rng, bench.now);
        bench.wanted.handle_unavailable(1, BACKOFF, rng, now);
        bench.now += Duration::from_secs(4);
        assert!(bench.told_after().0 >= LIMIT);
    }

    #[test]
    fn what_an_answer_left_out_is_asked_for_again_and_what_nobody_wants_is_not() {
        let mut bench = Bench::new();
        bench.want(1);
        bench.wanted.take_due(bench.now);
        assert!(!bench.wanted.is_due(bench.now), "it is on its way");
        let (rng, now) = (&mut bench.rng, bench.now);
        bench.wanted.handle_answered(BACKOFF, rng, now);
        bench.now = bench.wanted.next_wake(now).unwrap();
        assert_eq!(bench.wanted.take_due(bench.now), [1]);
        let retry_at = bench.now + BACKOFF.0;
        bench.wanted.handle_lost(retry_at);
        assert_eq!(bench.wanted.next_wake(bench.now), Some(retry_at));
        bench.now += Duration::from_secs(60);
        bench.wanted.expire(bench.now);
        assert!(bench.wanted.is_empty() && !bench.wanted.is_due(bench.now));
        bench.want(1);
        bench.wanted.handle_found(1);
        assert!(bench.wanted.is_empty() && bench.wanted.past.is_empty());
    }

    #[test]
    fn who_waits_for_less_time_shortens_nobody_else_s() {
        let mut bench = Bench::new();
        bench.want(0);
        let soon = bench.now + Duration::from_secs(1);
        bench.wanted.want(0, soon, bench.now);
        bench.wanted.expire(soon);
        assert!(!bench.wanted.is_empty());
    }
}
