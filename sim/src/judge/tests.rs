//! Made-up courses of one record, each with one thing that does not fit.

use std::sync::Arc;

use downpour_core::client::ending::DisconnectReason;
use downpour_core::outcome::WaitingFor;
use downpour_wire::messages::ApiKey;

use super::*;
use crate::fixtures::{
    PLACE, answer, at, batch, delivered, entry, failed, produce, question, unknown,
};

/// When the record gets its verdict.
const TOLD: u64 = 70_000;

/// A record, 2, that is sent with 1 and 3 in a batch.
struct Run {
    past: Past,
    history: History,
    circumstances: Circumstances,
}

impl Run {
    fn new() -> Self {
        let mut past = Past::new((at(1), at(1)));
        for link in [1, 2] {
            past.connect(link, link as i32);
            past.begin(link, &question(ApiKey::ApiVersions, 0), at(0), |_| 0)
                .unwrap();
            past.take(link, 100, at(0));
        }
        let mut history = History::default();
        history.offer(2, PLACE, at(0));
        Self {
            past,
            history,
            circumstances: Circumstances {
                late: at(50),
                closed_at: None,
                names_fail: false,
                old_records: false,
                remade: BTreeSet::new(),
                well_since: None,
            },
        }
    }

    /// Sends the batch on a link, so many bytes of the request's 100.
    fn send(mut self, link: u64, ms: u64, bytes: usize) -> Self {
        let question = produce(link as i32, batch(5, &[1, 2, 3]));
        self.past.begin(link, &question, at(ms), |_| 0).unwrap();
        self.past.take(link, bytes, at(ms));
        self
    }

    fn hear(mut self, link: u64, ms: u64, code: impl Into<Option<ErrorCode>>, offset: i64) -> Self {
        let answer = answer(link as i32, code.into(), offset);
        self.past.arrive(link, &answer, at(ms));
        self
    }

    fn end(mut self, link: u64, ms: u64) -> Self {
        self.past.end(link, at(ms));
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Circumstances)) -> Self {
        change(&mut self.circumstances);
        self
    }

    fn judged(mut self, fate: Fate, told: Option<Told>) -> Result<(), String> {
        let mut entry = entry(fate, at(TOLD));
        entry.told = told.map(Box::new);
        self.history.accept(2, entry);
        judge(&self.history, &self.past, &self.circumstances)
    }

    #[track_caller]
    fn fits(self, fate: Fate) {
        assert_eq!(self.judged(fate, None), Ok(()));
    }

    #[track_caller]
    fn complains(self, fate: Fate, words: &str) {
        let said = self.judged(fate, None).unwrap_err();
        assert!(said.contains(words), "{said}");
    }

    /// With this cause the verdict unknown, which fits otherwise, fits or not.
    #[track_caller]
    fn told(self, cause: Cause, fits: bool) {
        self.told_at_age(cause, 60_000, fits);
    }

    #[track_caller]
    fn told_at_age(self, cause: Cause, age: u64, fits: bool) {
        let told = Told {
            cause,
            age: at(age),
        };
        let said = self.judged(unknown(), Some(told));
        assert_eq!(said.is_ok(), fits, "{said:?}");
    }
}

/// Sent whole, and never answered.
fn lost() -> Run {
    Run::new().send(1, 10, 100).end(1, 20)
}

#[test]
fn delivered_is_what_a_broker_acknowledged_at_that_offset() {
    let sent = || Run::new().send(1, 10, 100);
    let acknowledged = || sent().hear(1, 20, ErrorCode::NONE, 40);
    acknowledged().fits(delivered(41));
    acknowledged().complains(delivered(40), "no broker acknowledged that");
    sent().complains(delivered(41), "no broker acknowledged that");
    let refused = sent().hear(1, 20, ErrorCode::INVALID_RECORD, -1);
    refused.complains(delivered(41), "no broker acknowledged that");
    let late = sent().hear(1, TOLD + 1, ErrorCode::NONE, 40);
    late.complains(delivered(41), "no broker acknowledged that");
    let known = sent().hear(1, 20, ErrorCode::DUPLICATE_SEQUENCE_NUMBER, -1);
    known.fits(Fate::Delivered { offset: None });
}

#[test]
fn sent_is_what_has_left_whole() {
    Run::new().send(1, 10, 100).fits(Fate::Sent);
    Run::new()
        .send(1, 10, 99)
        .complains(Fate::Sent, "had not left");
}

#[test]
fn failed_is_not_what_an_answer_leaves_open() {
    let sent = || Run::new().send(1, 10, 100);
    sent()
        .hear(1, 20, ErrorCode::INVALID_RECORD, -1)
        .fits(failed());
    for (code, offset) in [
        (ErrorCode::REQUEST_TIMED_OUT, -1),
        (ErrorCode::NOT_LEADER_OR_FOLLOWER, 3),
    ] {
        let open = sent().hear(1, 20, code, offset);
        open.complains(failed(), "leaves open whether it was written");
    }
    // It may not have been read before the connection was gone.
    sent()
        .hear(1, 20, ErrorCode::REQUEST_TIMED_OUT, -1)
        .end(1, 21)
        .fits(failed());
}

#[test]
fn failed_is_not_what_was_lost_when_it_had_left_unless_something_before_it_is_absent() {
    lost().complains(failed(), "the answer to a whole request was lost");
    let left_out = Run::new().send(1, 10, 100).hear(1, 20, None, -1);
    left_out.complains(failed(), "the answer to a whole request was lost");
    Run::new().send(1, 10, 99).end(1, 20).fits(failed());
    let mut behind = lost();
    let before = produce(9, batch(0, &[7]));
    behind.past.begin(2, &before, at(5), |_| 0).unwrap();
    behind.history.accept(7, entry(failed(), at(TOLD)));
    behind.fits(failed());
}

#[test]
fn unknown_is_only_what_left_and_has_no_clear_answer() {
    let words = "each of its requests was answered clearly, or had not left";
    lost().fits(unknown());
    Run::new().complains(unknown(), words);
    let part = || Run::new().send(1, 10, 99);
    part().fits(unknown());
    part().end(1, 20).complains(unknown(), words);
    let sent = || Run::new().send(1, 10, 100);
    let refused = sent().hear(1, 20, ErrorCode::INVALID_RECORD, -1);
    refused.complains(unknown(), words);
    sent().hear(1, 20, None, -1).fits(unknown());
    sent()
        .hear(1, 20, ErrorCode::REQUEST_TIMED_OUT, -1)
        .fits(unknown());
    // The answer came just before the verdict, or just before the end of the connection.
    sent()
        .hear(1, TOLD - 10, ErrorCode::INVALID_RECORD, -1)
        .fits(unknown());
    sent()
        .hear(1, 20, ErrorCode::INVALID_RECORD, -1)
        .end(1, 30)
        .fits(unknown());
    // What is sent again and refused says nothing about the first time.
    lost()
        .send(2, 30, 100)
        .hear(2, 40, ErrorCode::INVALID_RECORD, -1)
        .fits(unknown());
}

#[test]
fn who_is_told_of_many_at_once_may_have_been_judged_while_it_was_written() {
    for (told_late, fits) in [(None, false), (Some(at(30)), true), (Some(at(90)), false)] {
        let mut run = Run::new().send(1, 10, 99).end(1, 20);
        let mut entry = entry(unknown(), at(TOLD));
        entry.told_late = told_late;
        run.history.accept(2, entry);
        let said = judge(&run.history, &run.past, &run.circumstances);
        assert_eq!(said.is_ok(), fits, "{told_late:?}: {said:?}");
    }
}

#[test]
fn a_broker_s_code_is_the_last_that_came_for_the_record() {
    let refused = |code| lost().send(2, 30, 100).hear(2, 40, code, -1);
    let code = ErrorCode::INVALID_RECORD;
    refused(code).told(Cause::broker(code), true);
    refused(code).told(Cause::broker(ErrorCode::MESSAGE_TOO_LARGE), false);
    lost().told(Cause::broker(code), false);
    let before = Cause::Closed {
        last: Some(Arc::new(Cause::broker(ErrorCode::MESSAGE_TOO_LARGE))),
    };
    let closed = |course: Run| course.with(|c| c.closed_at = Some(at(TOLD)));
    closed(refused(code)).told(before.clone(), false);
    closed(refused(ErrorCode::MESSAGE_TOO_LARGE)).told(before, true);
    let later = lost().send(2, 30, 100).hear(2, TOLD + 1, code, -1);
    later.told(Cause::broker(code), false);
}

#[test]
fn a_sibling_is_refused_only_where_records_are_named() {
    let refused = lost()
        .send(2, 30, 100)
        .hear(2, 40, ErrorCode::INVALID_RECORD, -1);
    refused.told(Cause::SiblingRefused, false);
}

#[test]
fn a_delivery_timeout_is_over_when_it_is_said_to_be() {
    let cause = || Cause::DeliveryTimeout {
        last: None,
        waiting_for: WaitingFor::Answer,
    };
    lost().told_at_age(cause(), 60_000, true);
    lost().told_at_age(cause(), 59_999, false);
    // Older than anything that was ever sent there.
    lost().told_at_age(cause(), TOLD + 1, false);
}

#[test]
fn nothing_times_out_when_all_has_been_well_for_long() {
    let cause = || Cause::DeliveryTimeout {
        last: None,
        waiting_for: WaitingFor::Turn,
    };
    let well = |since| lost().with(|c| c.well_since = Some(at(since)));
    well(TOLD).told(cause(), true);
    well(TOLD - 1).told(cause(), false);
}

#[test]
fn a_producer_was_closed_before_that_is_a_cause() {
    let cause = || Cause::Closed { last: None };
    let closed = |ms| lost().with(|c| c.closed_at = Some(at(ms)));
    closed(TOLD).told(cause(), true);
    closed(TOLD + 1).told(cause(), false);
    lost().told(cause(), false);
}

#[test]
fn a_leader_was_out_of_reach_if_an_attempt_to_reach_it_failed() {
    use ConnectErrorKind as K;
    let was = |run: &Run, kind| {
        let entry = entry(unknown(), at(TOLD));
        let case = Case {
            id: 2,
            entry: &entry,
            at: at(TOLD),
            history: &run.history,
            past: &run.past,
            circumstances: &run.circumstances,
        };
        case.was_unreachable("broker-2.fake", kind)
    };
    assert!(!was(&lost(), K::Refused));
    assert!(was(&lost().end(2, 30), K::Refused));
    assert!(!was(&lost().end(2, TOLD + 1), K::Refused));
    assert!(was(&lost().end(2, TOLD + 1), K::TimedOut));
    // It was used, so that it had been reached.
    assert!(!was(&lost().send(2, 30, 100).end(2, 40), K::Refused));
    assert!(!was(&lost(), K::Resolve));
    assert!(was(&lost().with(|c| c.names_fail = true), K::Resolve));
}

#[test]
fn a_connection_ended_before_that_is_a_cause() {
    let cause = || Cause::Disconnected {
        reason: DisconnectReason::Closed,
    };
    lost().told(cause(), true);
    Run::new().send(1, 10, 100).told(cause(), false);
    let later = Run::new().send(1, 10, 100).end(1, TOLD + 1);
    later.told(cause(), false);
}

#[test]
fn a_batch_is_unanswered_where_an_answer_left_it_out() {
    let cause = || Cause::Unanswered {
        reason: Arc::from("why"),
    };
    lost().told(cause(), false);
    let left_out = Run::new().send(1, 10, 100).hear(1, 20, None, -1);
    left_out.told(cause(), true);
}

#[test]
fn records_are_too_old_only_where_some_are_old() {
    let cause = || Cause::TooOldToRetry { last: None };
    lost().told(cause(), false);
    lost().with(|c| c.old_records = true).told(cause(), true);
}

#[test]
fn no_identity_needs_a_refusal_and_a_defect_is_no_cause() {
    let reason = Arc::<str>::from("why");
    let cause = || Cause::NoIdentity {
        code: None,
        reason: reason.clone(),
    };
    // One that was asked, or was to be, on a connection that ended.
    lost().told(cause(), true);
    for refused_at in [None, Some(at(5))] {
        let mut other = lost();
        other.past.courses.clear();
        other.past.refused_identity = refused_at;
        other.told(cause(), refused_at.is_some());
    }
    lost().told(Cause::Internal { reason }, false);
    lost().told(Cause::InCallback, false);
}
