//! A partition's sequence: under which identity its batches count, and how far it can be trusted.
//!
//! One state machine, whose states say what may leave:
//!
//! | state | what may be in flight |
//! |---|---|
//! | unidentified | nothing: there is no producer id yet |
//! | unproven | one batch |
//! | proven | as many as the settings allow |
//! | broken | nothing new; what is in flight is waited for, then a new epoch begins at 0 |
//!
//! *Invariant:* no sequence twice. A sequence is spent once the first byte of its request was
//! handed to the transport; from then on it belongs to the same records: their retry, or the
//! parts of their split. Which batches there are is the queue's matter, as is their order.

use std::time::{Duration, Instant};

use crate::identity::{Grant, Identity, advance};
use crate::mutants;
use crate::queue::batch::OrderKey;

/// A proof is worth nothing once brokers may have forgotten this producer, which they do after a
/// day without a batch (`producer.id.expiration.ms`) or after what their operator thinks enough:
/// a lull of so long ends it.
pub(super) const PROOF_LASTS: Duration = Duration::from_secs(60);

/// The sequence of one partition under one producer.
#[derive(Debug)]
pub(super) struct Sequence {
    state: State,
    /// What the next batch begins with.
    next: i32,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Unidentified,
    /// Nothing was acknowledged under this identity since the last trouble. One batch is in
    /// flight, not five, because a broker that has no state for a producer accepts any first
    /// sequence:
    ///
    /// Batches 1 and 2 are sent to a leader that has just taken over and knows nothing of this
    /// producer. 1 is refused (NOT_ENOUGH_REPLICAS). 2 has sequence 10, and is appended, since
    /// there is nothing to compare it with. 1 is sent again with sequence 0, which is lower than
    /// what was appended: it can never be written again, or it is written behind 2.
    Unproven(Grant),
    /// A batch was acknowledged: the broker knows what comes next and refuses anything else.
    Proven {
        grant: Grant,
        /// When the youngest of the acknowledged batches was sent.
        at: Instant,
    },
    /// A stamped batch ended without an acknowledgement, or the broker does not know the
    /// sequence any more: whatever follows is refused (OUT_OF_ORDER_SEQUENCE_NUMBER) for good.
    Broken {
        grant: Grant,
        /// The first batch that is certainly absent: those behind it are absent, too.
        absent: Option<OrderKey>,
    },
}

/// What a partition needs before its next batch may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: it goes on.
    Nothing,
    /// The answers to what is in flight.
    Answers,
    /// An identity, which the producer does not have.
    Identity,
    /// A newer identity than this one.
    NewerThan(Identity),
    /// To begin at 0 under this one; nothing is in flight.
    Begin(Grant),
}

impl Sequence {
    pub(super) fn new() -> Self {
        Self {
            state: State::Unidentified,
            next: 0,
        }
    }

    fn grant(&self) -> Option<Grant> {
        match self.state {
            State::Unidentified => None,
            State::Unproven(grant) | State::Proven { grant, .. } | State::Broken { grant, .. } => {
                Some(grant)
            }
        }
    }

    pub(super) fn is_proven(&self) -> bool {
        matches!(self.state, State::Proven { .. })
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken { .. })
    }

    /// Whether nothing at all must happen first: [`need`](Self::need) told in short.
    #[inline]
    pub(super) fn goes_on(&self, newest: Option<Grant>) -> bool {
        match self.state {
            State::Unproven(grant) | State::Proven { grant, .. } => {
                newest.is_none_or(|newest| newest.generation == grant.generation)
            }
            State::Unidentified | State::Broken { .. } => false,
        }
    }

    /// What must happen before the next batch may leave. `newest` is the producer's identity.
    ///
    /// A new generation of it (the next transaction) is adopted as soon as nothing is in flight.
    /// A newer epoch of the same generation is not: it came from another partition's trouble,
    /// and this one's sequence is sound.
    pub(super) fn need(&self, newest: Option<Grant>, is_in_flight: bool) -> Need {
        let (current, is_broken) = match self.state {
            State::Unidentified => return newest.map_or(Need::Identity, Need::Begin),
            State::Unproven(grant) | State::Proven { grant, .. } => (grant, false),
            State::Broken { grant, .. } => (grant, true),
        };
        let is_over = newest.is_some_and(|newest| newest.generation != current.generation);
        if !is_broken && !is_over {
            return Need::Nothing;
        }
        if is_in_flight && !mutants::is(29) {
            return Need::Answers;
        }
        match newest {
            None => Need::Identity,
            Some(newest) if newest == current => Need::NewerThan(current.identity),
            Some(newest) => Need::Begin(newest),
        }
    }

    /// Begins at 0 under an identity. Nothing is in flight, and no stamp of the old one is used
    /// any more.
    pub(super) fn begin(&mut self, grant: Grant) {
        self.state = State::Unproven(grant);
        self.next = 0;
    }

    /// Takes the next `count` sequences for a batch: its identity and first sequence.
    pub(super) fn take(&mut self, count: u32) -> Option<(Identity, i32)> {
        let identity = self.grant()?.identity;
        let first = self.next;
        self.next = advance(first, count);
        Some((identity, first))
    }

    /// A batch was acknowledged that had been sent then. `is_next` tells that no stamped batch is
    /// before it: otherwise nothing new may follow yet, since that one is on its way or still to be
    /// sent again.
    pub(super) fn handle_acknowledged(&mut self, is_next: bool, sent_at: Instant) {
        match &mut self.state {
            State::Proven { at, .. } => *at = sent_at.max(*at),
            State::Unproven(grant) if is_next => {
                self.state = State::Proven {
                    grant: *grant,
                    at: sent_at,
                };
            }
            State::Unproven(_) | State::Broken { .. } | State::Unidentified => {}
        }
    }

    /// A batch is to be sent again, or its acknowledgement proves nothing: the next one goes
    /// alone until it is through.
    pub(super) fn unprove(&mut self) {
        if let State::Proven { grant, .. } = self.state {
            self.state = State::Unproven(grant);
        }
    }

    /// Nothing is in flight: a proof that is too old ends.
    pub(super) fn handle_lull(&mut self, now: Instant) {
        if let State::Proven { at, .. } = self.state {
            if now.saturating_duration_since(at) >= PROOF_LASTS && !mutants::is(15) {
                self.unprove();
            }
        }
    }

    /// A stamped batch ended without an acknowledgement though its sequence was spent, or a
    /// broker does not know the sequence any more. `absent` is its place if the batch is
    /// certainly not in the log.
    pub(super) fn handle_broken(&mut self, absent: Option<OrderKey>) {
        let Some(grant) = self.grant() else { return };
        let before = match self.state {
            State::Broken { absent, .. } => absent,
            _ => None,
        };
        let absent = match (before, absent) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.state = State::Broken { grant, absent };
    }

    /// Whether a stamped batch at this place is certainly absent, because one before it is.
    ///
    /// Two batches are in flight only on a proven partition, whose leader knows what comes next.
    /// It does not have the first one, so that it must have refused whatever followed
    /// (OUT_OF_ORDER_SEQUENCE_NUMBER), also where that answer was lost.
    pub(super) fn is_absent(&self, place: OrderKey) -> bool {
        matches!(self.state, State::Broken { absent: Some(first), .. } if place > first)
    }

    /// Gives the sequences of the batch that was stamped last back. No byte of any of its
    /// requests was handed over, so that no broker can have seen them.
    pub(super) fn give_back(&mut self, (identity, first): (Identity, i32), count: u32) -> bool {
        let is_current = self.grant().is_some_and(|grant| grant.identity == identity);
        let is_last = is_current && advance(first, count) == self.next;
        if is_last {
            self.next = first;
        }
        is_last
    }

    #[cfg(test)]
    pub(super) fn continue_at(&mut self, next: i32) {
        self.next = next;
    }

    /// Whether a stamp is of the identity in use.
    pub(super) fn is_current(&self, identity: Identity) -> bool {
        self.grant().is_some_and(|grant| grant.identity == identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Grant = Grant {
        identity: Identity { id: 7, epoch: 0 },
        generation: 0,
    };
    const BUMPED: Grant = Grant {
        identity: Identity { id: 7, epoch: 1 },
        generation: 0,
    };

    fn begun() -> Sequence {
        let mut sequence = Sequence::new();
        sequence.begin(FIRST);
        sequence
    }

    #[test]
    fn one_partition_s_new_epoch_does_not_restart_another_whose_sequence_is_sound() {
        let sequence = begun();
        assert_eq!(sequence.need(Some(BUMPED), false), Need::Nothing);
        assert_eq!(sequence.need(None, false), Need::Nothing);
    }

    #[test]
    fn a_broken_one_drains_then_asks_for_a_newer_epoch_then_begins_at_zero_unproven() {
        let mut sequence = begun();
        sequence.take(10);
        sequence.handle_acknowledged(true, Instant::now());
        sequence.handle_broken(None);
        assert_eq!(sequence.need(Some(FIRST), true), Need::Answers);
        assert_eq!(
            sequence.need(Some(FIRST), false),
            Need::NewerThan(FIRST.identity)
        );
        assert_eq!(sequence.need(Some(BUMPED), false), Need::Begin(BUMPED));
        sequence.begin(BUMPED);
        assert!(!sequence.is_proven() && !sequence.is_broken());
        assert_eq!(sequence.take(1), Some((BUMPED.identity, 0)));
    }

    #[test]
    fn an_acknowledgement_does_not_mend_what_is_broken() {
        let mut sequence = begun();
        sequence.handle_broken(None);
        sequence.handle_acknowledged(true, Instant::now());
        assert!(sequence.is_broken());
    }

    #[test]
    fn the_next_transaction_begins_anew_also_where_nothing_broke() {
        let mut sequence = begun();
        sequence.take(3);
        let next = Grant {
            generation: 1,
            ..BUMPED
        };
        assert_eq!(sequence.need(Some(next), true), Need::Answers);
        assert_eq!(sequence.need(Some(next), false), Need::Begin(next));
        let same_epoch = Grant {
            generation: 1,
            ..FIRST
        };
        assert_eq!(
            sequence.need(Some(same_epoch), false),
            Need::Begin(same_epoch)
        );
    }

    #[test]
    fn only_the_last_sequences_that_nobody_saw_come_back() {
        let mut sequence = begun();
        let first = sequence.take(2).unwrap();
        let second = sequence.take(3).unwrap();
        assert!(!sequence.give_back(first, 2));
        assert!(sequence.give_back(second, 3));
        assert!(sequence.give_back(first, 2));
        assert_eq!(sequence.take(1), Some((FIRST.identity, 0)));
    }

    #[test]
    fn what_follows_the_first_absent_batch_is_absent() {
        let mut sequence = begun();
        assert!(!sequence.is_absent((5, 0)));
        sequence.handle_broken(Some((4, 0)));
        sequence.handle_broken(None);
        assert!(sequence.is_absent((4, 1)) && sequence.is_absent((5, 0)));
        assert!(!sequence.is_absent((4, 0)) && !sequence.is_absent((3, 9)));
        sequence.handle_broken(Some((2, 0)));
        assert!(sequence.is_absent((3, 0)));
    }
}
