//! Whether each verdict, and the cause that goes with it, fits to what happened to its record.
//!
//! Rules of a client: delivered is what was acknowledged; failed is what no broker can have
//! appended as far as the client can know; unknown is what left and has no clear answer. A cause
//! is something that happened. Asked at the end, when all is known.

use std::collections::BTreeSet;
use std::time::Duration;

use downpour_core::client::connect_error::ConnectErrorKind;
use downpour_core::errors;
use downpour_core::outcome::Cause;
use downpour_wire::error_code::ErrorCode;

use crate::history::{Entry, Fate, History, Told};
use crate::past::{Course, Past, Said, Sending};

/// What happened beside what was sent.
#[derive(Debug, Clone)]
pub(crate) struct Circumstances {
    /// Within this time the client has surely read what reached it, and callers were told.
    pub(crate) late: Duration,
    /// When the deadline for closing was over.
    pub(crate) closed_at: Option<Duration>,
    /// Names were or may have been hard to find.
    pub(crate) names_fail: bool,
    /// Records are old, or the wall clock jumped.
    pub(crate) old_records: bool,
    /// Topics that were deleted at any time.
    pub(crate) remade: BTreeSet<u32>,
    /// From then on nothing keeps a record from being delivered.
    pub(crate) well_since: Option<Duration>,
}

/// The first verdict that does not fit, in words.
pub(crate) fn judge(
    history: &History,
    past: &Past,
    circumstances: &Circumstances,
) -> Result<(), String> {
    for (&id, entry) in &history.entries {
        let Some((fate, at)) = &entry.fate else {
            continue;
        };
        let case = Case {
            id,
            entry,
            at: *at,
            history,
            past,
            circumstances,
        };
        let fits = case.check_fate(fate).and_then(|()| match &entry.told {
            Some(told) => case.check_cause(&told.cause, told),
            None => Ok(()),
        });
        fits.map_err(|what| format!("record {id} is {fate:?} at {at:?}, but {what}"))?;
    }
    Ok(())
}

/// One record's.
struct Case<'a> {
    id: u32,
    entry: &'a Entry,
    at: Duration,
    history: &'a History,
    past: &'a Past,
    circumstances: &'a Circumstances,
}

impl Case<'_> {
    fn sendings(&self) -> impl DoubleEndedIterator<Item = &Sending> {
        self.past.of(self.id)
    }

    fn check_fate(&self, fate: &Fate) -> Result<(), &'static str> {
        match fate {
            Fate::Delivered { offset } => {
                if !self.sendings().any(|s| self.is_acknowledged(s, *offset)) {
                    return Err("no broker acknowledged that");
                }
            }
            Fate::Sent => {
                let has_left = |s: &Sending| s.whole_at.is_some_and(|at| at <= self.at);
                if !self.sendings().any(has_left) {
                    return Err("its request had not left");
                }
            }
            Fate::Failed { .. } => {
                if self.sendings().any(|s| self.is_surely_open(s)) {
                    return Err("an answer leaves open whether it was written");
                }
                if self.sendings().any(|s| self.is_surely_lost(s)) {
                    return Err("the answer to a whole request was lost");
                }
            }
            Fate::Unknown { .. } => {
                if !self.sendings().any(|s| self.may_be_written(s)) {
                    return Err("each of its requests was answered clearly, or had not left");
                }
            }
        }
        Ok(())
    }

    fn is_acknowledged(&self, sending: &Sending, offset: Option<i64>) -> bool {
        let Some((word, _)) = sending.word().filter(|(_, at)| *at <= self.at) else {
            return false;
        };
        let place = sending.ids.iter().position(|id| *id == self.id);
        match word.code {
            ErrorCode::NONE => offset.is_none_or(|offset| {
                place.is_some_and(|place| offset == word.base_offset + place as i64)
            }),
            ErrorCode::DUPLICATE_SEQUENCE_NUMBER => offset.is_none(),
            _ => false,
        }
    }

    /// Whether the client has read what reached it then, before the connection ended and before
    /// the verdict. The end of a connection may take with it what was not read.
    fn is_surely_heard(&self, sending: &Sending, at: Duration) -> bool {
        let by = at + self.circumstances.late;
        // Who sends many at once is told of all when the last was accepted.
        let judged = self.entry.told_late.unwrap_or(self.at);
        let ended = self.past.link_ended(sending);
        by < judged && ended.is_none_or(|ended| by < ended)
    }

    /// A broker said that it may have appended the batch.
    fn is_surely_open(&self, sending: &Sending) -> bool {
        sending.word().is_some_and(|(word, at)| {
            is_open(word.code, word.base_offset) && self.is_surely_heard(sending, at)
        })
    }

    /// Nobody will ever say what became of a whole request, and nothing before it is absent.
    fn is_surely_lost(&self, sending: &Sending) -> bool {
        let is_unanswered = match sending.said {
            None => sending.ended.is_some_and(|ended| ended <= self.at),
            Some((Said::LeftOut, at)) => self.is_surely_heard(sending, at),
            Some((Said::Word(_), _)) => false,
        };
        let is_whole = sending.whole_at.is_some_and(|at| Some(at) < sending.ended);
        let is_whole = is_whole || matches!(sending.said, Some((Said::LeftOut, _)));
        sending.is_answered && is_unanswered && is_whole && !self.may_be_behind(sending)
    }

    /// Whether a batch before this one under the same identity may be known to be absent.
    fn may_be_behind(&self, sending: &Sending) -> bool {
        let Some((producer, epoch, base)) = sending.stamp else {
            return false;
        };
        let is_gone = |id: &u32| {
            let fate = self.history.entries.get(id).and_then(|e| e.fate.as_ref());
            !matches!(
                fate,
                Some((Fate::Delivered { .. } | Fate::Unknown { .. }, _))
            )
        };
        self.past.sendings.iter().any(|other| {
            other.place == sending.place
                && other
                    .stamp
                    .is_some_and(|(p, e, first)| (p, e) == (producer, epoch) && first < base)
                && (other.ids.iter().any(is_gone)
                    || other.word().is_some_and(|(word, _)| !word.code.is_none()))
        })
    }

    /// Whether a client must hold it possible that this sending was appended.
    fn may_be_written(&self, sending: &Sending) -> bool {
        let Circumstances { late, .. } = self.circumstances;
        let has_left = sending.whole_at.is_some_and(|at| at <= self.at);
        match sending.said.filter(|(_, at)| *at <= self.at) {
            Some((Said::Word(word), at)) => {
                is_open(word.code, word.base_offset)
                    || (has_left && !self.is_surely_heard(sending, at))
            }
            Some((Said::LeftOut, _)) => has_left,
            None if has_left => true,
            // It is being written. Who sends many at once is told of all when the last was accepted.
            None => {
                let judged = self.entry.told_late.unwrap_or(self.at);
                sending.ended.is_none_or(|ended| judged < ended + *late)
            }
        }
    }

    /// Whether what is said to be at the root of a verdict happened.
    fn check_cause(&self, cause: &Cause, told: &Told) -> Result<(), &'static str> {
        let Circumstances {
            closed_at,
            old_records,
            well_since,
            ..
        } = self.circumstances;
        let at = self.at;
        let happened = match cause {
            Cause::Broker { code, .. } => {
                let said = |s: &Sending| {
                    s.word()
                        .is_some_and(|(word, heard)| word.code == *code && heard <= at)
                };
                // Where nothing else ended the wait it is the last word.
                let is_last = *cause == told.cause && self.entry.told_late.is_none();
                match self.sendings().rfind(|s| s.said.is_some()) {
                    Some(last) if is_last => said(last),
                    _ => self.sendings().any(said),
                }
            }
            // The first time, it goes again.
            Cause::SiblingRefused => {
                let names = |s: &&Sending| s.word().is_some_and(|(word, _)| word.names_records);
                self.sendings().filter(names).count() > 1
            }
            Cause::Unreachable { error } => {
                self.was_unreachable(&error.address().host, error.kind())
            }
            // A request that had not begun leaves no trace but the end of its connection.
            Cause::Disconnected { .. } => {
                let mut courses = self.past.courses.values();
                self.sendings()
                    .any(|s| s.ended.is_some_and(|ended| ended <= at))
                    || courses
                        .any(|c| c.used_at.is_some() && c.ended.is_some_and(|ended| ended <= at))
            }
            Cause::Unanswered { .. } => self
                .sendings()
                .any(|s| matches!(s.said, Some((Said::LeftOut, heard)) if heard <= at)),
            Cause::DeliveryTimeout { .. } => {
                if well_since.is_some_and(|since| at > since) {
                    return Err("all had been well for long");
                }
                told.age >= self.entry.timeout && self.may_be_as_old(told.age)
            }
            Cause::PartitionGone => self.circumstances.remade.contains(&self.entry.place.0),
            Cause::Closed { .. } => closed_at.is_some_and(|closed| closed <= at),
            Cause::TooOldToRetry { .. } => *old_records,
            // Of a question that had not begun nothing is left but the end of its connection.
            Cause::NoIdentity { .. } => {
                let refused = self.past.refused_identity;
                let mut courses = self.past.courses.values();
                refused.is_some_and(|refused| refused <= at)
                    || self.past.awaits_identity()
                    || courses.any(|course| course.ended.is_some_and(|ended| ended <= at))
            }
            // Its leader said that something before it is missing.
            Cause::DataLost { .. } => {
                let gap = ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER;
                let mut sendings = self.sendings();
                sendings.any(|s| {
                    s.word()
                        .is_some_and(|(w, heard)| w.code == gap && heard <= at)
                })
            }
            Cause::EpochLost { .. } => true,
            Cause::InCallback | Cause::Internal { .. } => false,
            _ => return Err("its cause is not known here"),
        };
        if !happened {
            return Err("its cause never happened");
        }
        match cause {
            Cause::DeliveryTimeout {
                last: Some(last), ..
            }
            | Cause::EpochLost { last: Some(last) }
            | Cause::TooOldToRetry { last: Some(last) }
            | Cause::Closed { last: Some(last) } => self.check_cause(last, told),
            _ => Ok(()),
        }
    }

    /// Whether an attempt to reach a broker failed, or one took its time.
    fn was_unreachable(&self, host: &str, kind: ConnectErrorKind) -> bool {
        use ConnectErrorKind as K;
        let node = host.strip_prefix("broker-");
        let node = node.and_then(|rest| rest.strip_suffix(".fake"));
        let node = node.and_then(|node| node.parse().ok());
        let is_of_names = matches!(kind, K::Resolve | K::NoThread | K::TimedOut);
        // Who sends many at once is told of all when the last was accepted.
        let judged = self.entry.told_late.unwrap_or(self.at);
        let failed = |course: &Course| {
            let ended = course.ended.is_some_and(|ended| ended <= self.at);
            // One that takes its time says so while it does, and is heard a little later.
            let late = self.circumstances.late;
            let was_used = course.used_at.is_some_and(|used| used + late < judged);
            let is_pending = kind == K::TimedOut && !was_used;
            // Nobody's address stands for any name.
            (is_pending || (ended && course.used_at.is_none()))
                && (course.node == 0 || Some(course.node) == node)
        };
        let late = self.circumstances.late;
        let was_looked_up = kind == K::TimedOut && self.past.looked_up(self.at, late);
        (is_of_names && self.circumstances.names_fail)
            || was_looked_up
            || self.past.courses.values().any(failed)
    }

    /// A batch is as old as its first record, which was sent to the same partition.
    fn may_be_as_old(&self, age: Duration) -> bool {
        let born = self.at.checked_sub(age);
        let first = self.history.first_offer(self.entry.place);
        born.is_some_and(|born| first.is_some_and(|first| first <= born))
    }
}

/// Whether a code leaves open that the batch was appended; an offset beside an error says so.
fn is_open(code: ErrorCode, base_offset: i64) -> bool {
    let is_acknowledged = code.is_none() || code == ErrorCode::DUPLICATE_SEQUENCE_NUMBER;
    errors::produce(code).maybe_written || (!is_acknowledged && base_offset >= 0)
}

#[cfg(test)]
mod tests;
