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
}

/// Per producer id its epoch and the sequence that comes next.
#[derive(Debug, Default)]
pub(crate) struct Sequences {
    producers: HashMap<i64, (i16, i32)>,
}

/// Sequences count to 2^31 - 1 and begin again at 0.
const fn advance(sequence: i32, records: u32) -> i32 {
    ((sequence as u32).wrapping_add(records) & 0x7fff_ffff) as i32
}

impl Sequences {
    pub(crate) fn judge(&mut self, claim: Claim, records: u32) -> Verdict {
        let next = (claim.epoch, advance(claim.sequence, records));
        let Some(known) = self.producers.get_mut(&claim.producer_id) else {
            // A broker without state for a producer accepts any first sequence.
            self.producers.insert(claim.producer_id, next);
            return Verdict::InOrder;
        };
        let (epoch, expected) = *known;
        if claim.epoch < epoch {
            return Verdict::Stale;
        }
        let expected = if claim.epoch > epoch { 0 } else { expected };
        if claim.sequence == expected {
            *known = next;
            return Verdict::InOrder;
        }
        let behind = (expected as u32).wrapping_sub(claim.sequence as u32) & 0x7fff_ffff;
        if claim.epoch == epoch && behind < 1 << 30 {
            Verdict::Duplicate
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
        assert_eq!(sequences.judge(claim(0, 40), 10), Verdict::InOrder);
        assert_eq!(sequences.judge(claim(0, 51), 1), Verdict::Gap);
        assert_eq!(sequences.judge(claim(0, 50), 1), Verdict::InOrder);
        assert_eq!(sequences.judge(claim(0, 50), 1), Verdict::Duplicate);
    }

    #[test]
    fn a_new_epoch_begins_at_zero_and_ends_the_old() {
        let mut sequences = Sequences::default();
        sequences.judge(claim(3, 0), 5);
        assert_eq!(sequences.judge(claim(4, 5), 5), Verdict::Gap);
        assert_eq!(sequences.judge(claim(4, 0), 5), Verdict::InOrder);
        assert_eq!(sequences.judge(claim(3, 5), 5), Verdict::Stale);
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let mut sequences = Sequences::default();
        sequences.judge(claim(0, i32::MAX - 1), 4);
        assert_eq!(sequences.judge(claim(0, 2), 1), Verdict::InOrder);
    }
}
