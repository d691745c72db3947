//! Compares what the producer said with what a consumer read: nothing that was delivered is lost,
//! nothing is there twice, nothing that failed is there, and each partition keeps its order.
//! Records come one at a time, so that a million of them need no memory of their own.

use std::fmt;

use kafka_harness::Record;

use crate::identity::Identity;
use crate::ledger::{Fate, Ledger};

/// So many violations are told in words; all are counted.
const TOLD_MAX: usize = 20;

/// A checker of one topic.
#[derive(Debug)]
pub struct Check<'a> {
    ledger: &'a Ledger,
    partitions: Vec<Seen>,
    found: Findings,
    scratch: Vec<u8>,
}

/// What was read of one partition.
#[derive(Debug, Default, Clone)]
struct Seen {
    numbers: Vec<bool>,
    last_offset: Option<i64>,
    last_number: Option<u64>,
}

/// What a checker found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Records that were read.
    pub read: u64,
    /// Delivered and not there.
    pub lost: u64,
    /// There more than once.
    pub duplicated: u64,
    /// There after one that was sent later.
    pub disordered: u64,
    /// There at another offset than the producer was told.
    pub misplaced: u64,
    /// There although the producer said that they are not.
    pub unexpected: u64,
    /// Not a record of this load, or with a byte changed.
    pub foreign: u64,
    /// Accepted and without a verdict.
    pub unresolved: u64,
    /// Unknown to the producer and there, which is no violation.
    pub unknown_there: u64,
    /// The first violations in words.
    pub told: Vec<String>,
}

impl Findings {
    /// Whether the producer told the truth and kept its promises.
    pub fn is_good(&self) -> bool {
        let Self {
            lost,
            duplicated,
            disordered,
            misplaced,
            ..
        } = self;
        let broken = lost + duplicated + disordered + misplaced;
        broken + self.unexpected + self.foreign + self.unresolved == 0
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.told.len() < TOLD_MAX {
            self.told.push(what());
        }
    }
}

impl<'a> Check<'a> {
    /// Begins to compare with what the producer said.
    pub fn new(ledger: &'a Ledger) -> Self {
        let partitions = (0..ledger.partitions()).map(|partition| Seen {
            numbers: vec![false; ledger.partition(partition).len()],
            ..Seen::default()
        });
        Self {
            ledger,
            partitions: partitions.collect(),
            found: Findings::default(),
            scratch: Vec::new(),
        }
    }

    /// Takes the next record; those of one partition come in the order of their offsets.
    pub fn record(&mut self, record: &Record) {
        self.found.read += 1;
        let place = (record.partition, record.offset);
        let identity = Identity::of(record, &mut self.scratch);
        let Some((identity, fate)) = identity.and_then(|identity| {
            let fates = self.ledger.partition(identity.partition);
            Some((identity, *fates.get(identity.number as usize)?))
        }) else {
            self.found.foreign += 1;
            self.found
                .tell(|| format!("what lies at {place:?} was never sent"));
            return;
        };
        let seen = &mut self.partitions[identity.partition as usize];
        if seen.last_offset.is_some_and(|last| last >= record.offset) {
            self.found.disordered += 1;
            self.found
                .tell(|| format!("the consumer read {place:?} after {:?}", seen.last_offset));
        }
        seen.last_offset = Some(record.offset);
        if std::mem::replace(&mut seen.numbers[identity.number as usize], true) {
            self.found.duplicated += 1;
            self.found
                .tell(|| format!("{identity:?} is at {place:?} and was before"));
            return;
        }
        if seen.last_number.is_some_and(|last| last > identity.number) {
            self.found.disordered += 1;
            self.found
                .tell(|| format!("{identity:?} at {place:?} follows {:?}", seen.last_number));
        }
        seen.last_number = seen.last_number.max(Some(identity.number));
        match fate {
            Fate::Delivered(offset) if offset != record.offset => {
                self.found.misplaced += 1;
                self.found
                    .tell(|| format!("{identity:?} is at {place:?}, reported {offset}"));
            }
            Fate::Failed | Fate::Refused => {
                self.found.unexpected += 1;
                self.found
                    .tell(|| format!("{identity:?} is at {place:?}, reported {fate:?}"));
            }
            Fate::Unknown => self.found.unknown_there += 1,
            Fate::Delivered(_) | Fate::DeliveredSomewhere | Fate::Unresolved => {}
        }
    }

    /// Ends: what was not read is not there.
    pub fn finish(mut self) -> Findings {
        for (partition, seen) in (0..).zip(&self.partitions) {
            let fates = self.ledger.partition(partition);
            for (number, (fate, is_there)) in fates.iter().zip(&seen.numbers).enumerate() {
                match fate {
                    Fate::Delivered(_) | Fate::DeliveredSomewhere if !is_there => {
                        self.found.lost += 1;
                        self.found
                            .tell(|| format!("{partition}-{number} is lost, reported {fate:?}"));
                    }
                    Fate::Unresolved => {
                        self.found.unresolved += 1;
                        self.found
                            .tell(|| format!("{partition}-{number} has no verdict"));
                    }
                    _ => {}
                }
            }
        }
        self.found
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "read {}: lost {}, duplicated {}, out of order {}, at another offset {}, \
             there although failed {}, foreign or damaged {}, without verdict {}; \
             unknown and there {}",
            self.read,
            self.lost,
            self.duplicated,
            self.disordered,
            self.misplaced,
            self.unexpected,
            self.foreign,
            self.unresolved,
            self.unknown_there,
        )?;
        for what in &self.told {
            write!(f, "\n  {what}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::as_read;

    /// One partition whose records had these fates; those at `read` lie in the log in this order.
    fn found(fates: &[Fate], read: &[u64]) -> Findings {
        let mut ledger = Ledger::new(1);
        for fate in fates {
            let number = ledger.begin(0);
            ledger.set(0, number, *fate);
        }
        let mut check = Check::new(&ledger);
        for (offset, number) in (0..).zip(read) {
            check.record(&as_read(
                Identity {
                    partition: 0,
                    number: *number,
                },
                offset,
            ));
        }
        check.finish()
    }

    const GOOD: [Fate; 3] = [
        Fate::Delivered(0),
        Fate::DeliveredSomewhere,
        Fate::Delivered(2),
    ];

    #[test]
    fn a_log_as_it_was_told_is_good() {
        let found = found(&GOOD, &[0, 1, 2]);
        assert!(found.is_good(), "{found}");
        assert_eq!(found.read, 3);
    }

    #[test]
    fn a_missing_record_is_lost() {
        let found = found(&GOOD, &[0, 1]);
        assert_eq!((found.lost, found.is_good()), (1, false));
    }

    #[test]
    fn a_second_copy_is_a_duplicate() {
        let found = found(&GOOD, &[0, 1, 2, 1]);
        assert_eq!((found.duplicated, found.is_good()), (1, false));
    }

    #[test]
    fn a_record_before_its_elder_is_out_of_order() {
        let fates = [Fate::DeliveredSomewhere; 2];
        let found = found(&fates, &[1, 0]);
        assert_eq!((found.disordered, found.is_good()), (1, false));
    }

    #[test]
    fn an_offset_that_was_not_reported_is_found() {
        let found = found(&[Fate::Unknown, Fate::Delivered(0)], &[0, 1]);
        assert_eq!(
            (found.misplaced, found.unknown_there, found.is_good()),
            (1, 1, false)
        );
    }

    #[test]
    fn a_failed_record_must_be_absent_and_an_unknown_one_may_be() {
        for fate in [Fate::Failed, Fate::Refused] {
            assert_eq!(found(&[fate], &[0]).unexpected, 1);
            assert!(found(&[fate], &[]).is_good());
        }
        assert!(found(&[Fate::Unknown], &[]).is_good());
        assert!(found(&[Fate::Unknown], &[0]).is_good());
        assert!(!found(&[Fate::Unknown], &[0, 0]).is_good());
    }

    #[test]
    fn a_record_without_verdict_or_origin_is_a_violation() {
        assert_eq!(found(&[Fate::Unresolved], &[0]).unresolved, 1);
        assert_eq!(found(&[], &[0]).foreign, 1);
    }
}
