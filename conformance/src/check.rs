//! Compares what the producer said with what a consumer read: nothing that was delivered is lost,
//! nothing is there twice, nothing that failed is there, and each partition keeps its order.
//! Records come one at a time, so that a million of them need no memory of their own.

use std::fmt;

use kafka_harness::Record;

use crate::ledger::{Fate, Ledger};
use crate::record_tag::RecordTag;

/// So many violations are told in words; all are counted.
const TOLD_MAX: usize = 20;

/// Compares the records of one topic with a ledger.
#[derive(Debug)]
pub struct Check<'a> {
    ledger: &'a Ledger,
    partitions: Vec<Seen>,
    found: Findings,
    scratch: Vec<u8>,
}

/// What was read of one partition so far.
#[derive(Debug, Default, Clone)]
struct Seen {
    numbers: Vec<bool>,
    last_offset: Option<i64>,
    last_number: Option<u64>,
}

/// What a checker found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Findings {
    /// How many records were read.
    pub read: u64,
    /// Records that were delivered and are not in the log.
    pub lost: u64,
    /// Records that are in the log more than once.
    pub duplicated: u64,
    /// Records that come after one that was sent later.
    pub disordered: u64,
    /// Records at another offset than the producer reported.
    pub misplaced: u64,
    /// Records in the log that the producer called failed or refused.
    pub unexpected: u64,
    /// What was read and is no record of this load, or has a changed byte.
    pub foreign: u64,
    /// Records that were accepted and got no verdict.
    pub unresolved: u64,
    /// Records that the producer called unknown and that are in the log, which is no violation.
    pub unknown_there: u64,
    /// The first violations, as sentences.
    pub told: Vec<String>,
}

impl Findings {
    /// Whether there is no violation: the producer told the truth and kept the order.
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
    /// A check that has read nothing yet.
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

    /// Checks the next record. Those of one partition must come in the order of their offsets.
    pub fn record(&mut self, record: &Record) {
        self.found.read += 1;
        let place = (record.partition, record.offset);
        let tag = RecordTag::of(record, &mut self.scratch);
        let Some((tag, fate)) = tag.and_then(|tag| {
            let fates = self.ledger.partition(tag.partition);
            Some((tag, *fates.get(tag.number as usize)?))
        }) else {
            self.found.foreign += 1;
            self.found
                .tell(|| format!("what lies at {place:?} was never sent"));
            return;
        };
        let seen = &mut self.partitions[tag.partition as usize];
        if seen.last_offset.is_some_and(|last| last >= record.offset) {
            self.found.disordered += 1;
            self.found
                .tell(|| format!("the consumer read {place:?} after {:?}", seen.last_offset));
        }
        seen.last_offset = Some(record.offset);
        if std::mem::replace(&mut seen.numbers[tag.number as usize], true) {
            self.found.duplicated += 1;
            self.found
                .tell(|| format!("{tag:?} is at {place:?} and was before"));
            return;
        }
        if seen.last_number.is_some_and(|last| last > tag.number) {
            self.found.disordered += 1;
            self.found
                .tell(|| format!("{tag:?} at {place:?} follows {:?}", seen.last_number));
        }
        seen.last_number = seen.last_number.max(Some(tag.number));
        match fate {
            Fate::Delivered(offset) if offset != record.offset => {
                self.found.misplaced += 1;
                self.found
                    .tell(|| format!("{tag:?} is at {place:?}, reported {offset}"));
            }
            Fate::Failed | Fate::Refused => {
                self.found.unexpected += 1;
                self.found
                    .tell(|| format!("{tag:?} is at {place:?}, reported {fate:?}"));
            }
            Fate::Unknown => self.found.unknown_there += 1,
            Fate::Delivered(_) | Fate::DeliveredSomewhere | Fate::Unresolved => {}
        }
    }

    /// Ends the check: what was not read by now is not in the log.
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
    use crate::record_tag::as_read;

    /// What is found in a partition whose records had these fates, when the log holds those with the
    /// numbers `read` in this order.
    fn found(fates: &[Fate], read: &[u64]) -> Findings {
        let mut ledger = Ledger::new(1);
        for fate in fates {
            let number = ledger.begin(0);
            ledger.set(0, number, *fate);
        }
        let mut check = Check::new(&ledger);
        for (offset, number) in (0..).zip(read) {
            check.record(&as_read(
                RecordTag {
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
    fn a_log_as_the_producer_reported_it_is_good() {
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
    fn a_record_before_an_earlier_one_is_out_of_order() {
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
