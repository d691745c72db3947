//! The sequence rule of one partition, as a real broker has it, less what runs never need.

use std::collections::HashMap;

use crate::batch::Claim;

/// What comes of a batch that claims a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The next one.
    InOrder,
    /// Seen before; also counted as a break, for nothing is lost here that would be sent again.
    Duplicate,
    /// Not the next one.
    Gap,
    /// An epoch that is over.
    Stale,
    /// The next one, but refused: nothing was written, and it stays the next one.
    Refused,
    /// A gap, because one before it was refused: it was under way already.
    Follower,
}

/// What is known of a producer.
#[derive(Debug)]
struct Known {
    epoch: i16,
    next: i32,
    /// The epoch in which a batch was refused; what follows in it is a gap through no fault of
    /// the client's.
    refused: Option<i16>,
}

/// Per producer id its epoch and the sequence that comes next.
#[derive(Debug, Default)]
pub(crate) struct Sequences {
    producers: HashMap<i64, Known>,
}

/// Sequences count to 2^31 - 1 and begin again at 0.
const fn advance(sequence: i32, records: u32) -> i32 {
    ((sequence as u32).wrapping_add(records) & 0x7fff_ffff) as i32
}

impl Sequences {
    /// `refuses`: a batch in order is refused.
    pub(crate) fn judge(&mut self, claim: Claim, records: u32, refuses: bool) -> Verdict {
        let next = Known {
            epoch: claim.epoch,
            next: advance(claim.sequence, records),
            refused: None,
        };
        let Some(known) = self.producers.get_mut(&claim.producer_id) else {
            // A broker without state for a producer accepts any first sequence, and a refused
            // batch leaves no state.
            if refuses {
                return Verdict::Refused;
            }
            self.producers.insert(claim.producer_id, next);
            return Verdict::InOrder;
        };
        if claim.epoch < known.epoch {
            return Verdict::Stale;
        }
        let is_new = claim.epoch > known.epoch;
        let expected = if is_new { 0 } else { known.next };
        if claim.sequence == expected {
            if refuses {
                known.refused = Some(claim.epoch);
                return Verdict::Refused;
            }
            *known = next;
            return Verdict::InOrder;
        }
        let behind = (expected as u32).wrapping_sub(claim.sequence as u32) & 0x7fff_ffff;
        if !is_new && behind < 1 << 30 {
            Verdict::Duplicate
        } else if known.refused == Some(claim.epoch) {
            Verdict::Follower
        } else {
            Verdict::Gap
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn claim(epoch: i16, sequence: i32) -> Claim {
        Claim {
            producer_id: 1,
            epoch,
            sequence,
        }
    }

    #[test]
    fn any_first_sequence_is_taken_and_then_only_the_next() {
        let mut sequences = Sequences::default();
        assert_eq!(sequences.judge(claim(0, 40), 10, false), Verdict::InOrder);
        assert_eq!(sequences.judge(claim(0, 51), 1, false), Verdict::Gap);
        assert_eq!(sequences.judge(claim(0, 50), 1, false), Verdict::InOrder);
        assert_eq!(sequences.judge(claim(0, 50), 1, false), Verdict::Duplicate);
    }

    #[test]
    fn a_new_epoch_begins_at_zero_and_ends_the_old() {
        let mut sequences = Sequences::default();
        sequences.judge(claim(3, 0), 5, false);
        assert_eq!(sequences.judge(claim(4, 5), 5, false), Verdict::Gap);
        assert_eq!(sequences.judge(claim(4, 0), 5, false), Verdict::InOrder);
        assert_eq!(sequences.judge(claim(3, 5), 5, false), Verdict::Stale);
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let mut sequences = Sequences::default();
        sequences.judge(claim(0, i32::MAX - 1), 4, false);
        assert_eq!(sequences.judge(claim(0, 2), 1, false), Verdict::InOrder);
    }

    #[test]
    fn behind_a_refused_batch_its_epoch_is_over_and_only_its_followers_are_excused() {
        let mut sequences = Sequences::default();
        sequences.judge(claim(0, 0), 5, false);
        assert_eq!(sequences.judge(claim(0, 5), 5, true), Verdict::Refused);
        assert_eq!(sequences.judge(claim(0, 10), 5, false), Verdict::Follower);
        assert_eq!(sequences.judge(claim(1, 10), 5, false), Verdict::Gap);
        // Refused again, at the beginning of its epoch.
        assert_eq!(sequences.judge(claim(1, 0), 5, true), Verdict::Refused);
        assert_eq!(sequences.judge(claim(1, 5), 5, false), Verdict::Follower);
        assert_eq!(sequences.judge(claim(2, 0), 5, false), Verdict::InOrder);
        assert_eq!(sequences.judge(claim(2, 10), 5, false), Verdict::Gap);
        assert_eq!(sequences.judge(claim(1, 0), 5, false), Verdict::Stale);
    }
}
