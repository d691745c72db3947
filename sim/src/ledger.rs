//! Which sequence belongs to which record, as the bytes of requests tell it.
//!
//! Two rules hang on it that no log can show: a sequence belongs to one record for good, and no
//! record is called unknown behind one that is certainly absent. A sequence is spent with the first
//! byte of its request.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use crate::history::Place;
use crate::request::Carried;

/// Producer id and epoch on one partition.
type Under = (Place, i64, i16);

/// A batch by what its header says of its sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamped {
    under: Under,
    base_sequence: i32,
}

impl Stamped {
    pub(crate) fn place(&self) -> Place {
        self.under.0
    }
}

impl fmt::Display for Stamped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            under,
            base_sequence,
        } = self;
        write!(f, "the batch {base_sequence} {under:?}")
    }
}

/// What requests have carried so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    records: HashMap<(Under, i32), u32>,
    /// The last identity and sequence of each record.
    last: HashMap<u32, (Under, i32)>,
    /// Sequences whose records failed after they were sent, and when their senders were told.
    absent: BTreeMap<Under, Vec<(i32, Duration)>>,
}

impl Ledger {
    /// Notes the batches of a request, of which the first byte was handed over: those that have
    /// sequences. The error names a sequence that was given to two records.
    pub(crate) fn note(&mut self, batches: &[Carried]) -> Result<Vec<Stamped>, String> {
        let mut stamped = Vec::new();
        for batch in batches {
            let Some((producer, epoch, base_sequence)) = batch.stamp else {
                continue;
            };
            let under = (batch.place, producer, epoch);
            for (sequence, &id) in (base_sequence..).zip(&batch.ids) {
                let first = *self.records.entry((under, sequence)).or_insert(id);
                if first != id {
                    return Err(format!(
                        "sequence {sequence} of {under:?} was given to record {first} and to \
                         record {id}"
                    ));
                }
                self.last.insert(id, (under, sequence));
            }
            stamped.push(Stamped {
                under,
                base_sequence,
            });
        }
        Ok(stamped)
    }

    /// A record failed: if it was sent, those behind it under the same identity are absent.
    pub(crate) fn handle_failed(&mut self, id: u32, now: Duration) {
        if let Some(&(under, sequence)) = self.last.get(&id) {
            self.absent.entry(under).or_default().push((sequence, now));
        }
    }

    /// Whether a record was sent behind one whose sender was told by then that it is absent, and
    /// never otherwise since.
    pub(crate) fn is_absent(&self, id: u32, by: Duration) -> bool {
        self.last.get(&id).is_some_and(|(under, sequence)| {
            let absent = self.absent.get(under).into_iter().flatten();
            absent
                .into_iter()
                .any(|(first, at)| first < sequence && *at <= by)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, batch};

    #[test]
    fn a_sequence_belongs_to_one_record_for_good() {
        let mut ledger = Ledger::default();
        let sent = ledger.note(&[batch(0, &[1, 2])]).unwrap();
        assert_eq!(sent.len(), 1);
        assert_eq!(ledger.note(&[batch(0, &[1, 2])]).unwrap(), sent);
        // A part of it, and what follows.
        assert!(ledger.note(&[batch(1, &[2, 3])]).is_ok());
        let said = ledger.note(&[batch(2, &[4])]).unwrap_err();
        assert!(
            said.contains("was given to record 3 and to record 4"),
            "{said}"
        );
    }

    #[test]
    fn what_has_no_sequence_is_left_alone() {
        let mut ledger = Ledger::default();
        for id in [1, 2] {
            assert_eq!(ledger.note(&[batch(None, &[id])]), Ok(Vec::new()));
        }
    }

    #[test]
    fn behind_a_record_that_failed_in_time_all_are_absent_and_before_it_none() {
        let mut ledger = Ledger::default();
        ledger.note(&[batch(0, &[1, 2, 3])]).unwrap();
        assert!(!ledger.is_absent(3, at(100)));
        ledger.handle_failed(2, at(50));
        assert!(ledger.is_absent(3, at(100)) && !ledger.is_absent(1, at(100)));
        assert!(!ledger.is_absent(3, at(49)));
        // Never sent, and sent under an identity of its own.
        assert!(!ledger.is_absent(9, at(100)));
        let mut other = batch(7, &[5]);
        other.stamp = Some((1000, 1, 7));
        ledger.note(&[other]).unwrap();
        assert!(!ledger.is_absent(5, at(100)));
    }
}
