//! What was accepted, what was said of it, and what is true: every record has one verdict, and its
//! partition's log agrees with it.

use std::collections::{BTreeMap, HashMap};

use downpour_core::outcome::Verdict;

use super::log::{Came, Log};

/// How a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    At(i64),
    Delivered,
    Sent,
    Failed,
    Unknown,
}

#[derive(Debug)]
struct Accepted {
    partition: usize,
    /// Records of other options may overtake it.
    options: u8,
    end: Option<End>,
    /// Something happened that leaves open whether it was written.
    may_be_unknown: bool,
}

/// What a log need not agree with, because brokers did what none should.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Excused {
    /// What was acknowledged may be gone.
    pub(crate) loss: bool,
    /// What follows a gap may be there.
    pub(crate) failed: bool,
    /// A record may be there again.
    pub(crate) copies: bool,
    /// Records may lie in another order.
    pub(crate) order: bool,
}

/// All records.
#[derive(Debug, Default)]
pub(crate) struct Book {
    records: Vec<Accepted>,
    /// By ticket: the records of each batch, in order.
    batches: Vec<Vec<u32>>,
    /// Whose a sequence is, by partition.
    spent: HashMap<(usize, (i64, i16, i32)), u32>,
    unresolved: usize,
}

impl Book {
    /// The number of the next record.
    pub(crate) fn next_record(&self) -> u32 {
        self.records.len() as u32
    }

    /// The ticket of the next batch that opens.
    pub(crate) fn next_ticket(&self) -> u32 {
        self.batches.len() as u32
    }

    /// Notes a record that was accepted as this one of this batch.
    pub(crate) fn accept(&mut self, partition: usize, options: u8, ticket: u32, index: u32) {
        let ticket = ticket as usize;
        if ticket == self.batches.len() {
            self.batches.push(Vec::new());
        }
        assert_eq!(
            self.batches[ticket].len() as u32,
            index,
            "places in batch {ticket}"
        );
        let record = self.next_record();
        self.batches[ticket].push(record);
        self.records.push(Accepted {
            partition,
            options,
            end: None,
            may_be_unknown: false,
        });
        self.unresolved += 1;
    }

    /// Records without a verdict.
    pub(crate) fn unresolved(&self) -> usize {
        self.unresolved
    }

    /// How a record ended.
    pub(crate) fn end(&self, record: u32) -> Option<End> {
        self.records[record as usize].end
    }

    /// Notes that nobody may know of these records whether they were written.
    pub(crate) fn note_doubt(&mut self, came: &Came) {
        for &record in &came.records {
            self.records[record as usize].may_be_unknown = true;
        }
    }

    /// Takes a verdict, which must be the first of each of its records.
    /// Whether a record is in a request without an answer, which may make it unknown, says the last.
    pub(crate) fn resolve(
        &mut self,
        ticket: u32,
        run: (u32, u32),
        total: u32,
        verdict: &Verdict,
        is_in_flight: impl Fn(u32) -> bool,
    ) {
        let (first, count) = run;
        let batch = &self.batches[ticket as usize];
        assert_eq!(batch.len() as u32, total, "records of batch {ticket}");
        let run = &batch[first as usize..(first + count) as usize];
        assert!(!run.is_empty(), "a verdict on nothing");
        for (place, &record) in (0..).zip(run) {
            let end = match verdict {
                Verdict::Delivered {
                    base_offset: Some(base),
                    ..
                } => End::At(base + place),
                Verdict::Delivered { .. } => End::Delivered,
                Verdict::Sent => End::Sent,
                Verdict::Failed(_) => End::Failed,
                Verdict::Unknown(_) => End::Unknown,
                other => panic!("a verdict that nobody knows: {other:?}"),
            };
            let known = &mut self.records[record as usize];
            assert!(
                known.end.is_none(),
                "record {record} ended as {:?} and again as {end:?}",
                known.end
            );
            assert!(
                end != End::Unknown || known.may_be_unknown || is_in_flight(record),
                "record {record} is unknown, but nothing left it open: {verdict:?}"
            );
            known.end = Some(end);
            self.unresolved -= 1;
        }
    }

    /// Notes that a broker may have seen a batch: its sequences are spent.
    pub(crate) fn note_spent(&mut self, partition: usize, came: &Came) {
        for (sequence, record) in came.sequences() {
            let owner = *self.spent.entry((partition, sequence)).or_insert(record);
            assert_eq!(
                owner, record,
                "sequence {sequence:?} was given to two records"
            );
        }
    }

    /// No sequence that is spent goes to another record.
    pub(crate) fn check_unspent(&self, partition: usize, came: &Came) {
        for (sequence, record) in came.sequences() {
            if let Some(&owner) = self.spent.get(&(partition, sequence)) {
                assert_eq!(
                    owner, record,
                    "sequence {sequence:?} was given to two records"
                );
            }
        }
    }

    /// Compares a partition's logs with what was said; it has several if its topic was made anew. Only
    /// the last one can be excused for nothing.
    pub(crate) fn check(
        &self,
        partition: usize,
        logs: &[&Log],
        excused: Excused,
        across_options: bool,
    ) {
        let mut places: BTreeMap<u32, Vec<(usize, i64)>> = BTreeMap::new();
        for (number, log) in logs.iter().enumerate() {
            for (offset, &record) in (0..).zip(log.records()) {
                places.entry(record).or_default().push((number, offset));
            }
            if !excused.order {
                self.check_order(log, across_options);
            }
        }
        for (record, known) in (0..).zip(&self.records) {
            if known.partition != partition {
                continue;
            }
            let there = places.get(&record).map_or(&[][..], Vec::as_slice);
            // In one log: a topic that is made anew is another one.
            let copies = (0..logs.len()).map(|log| there.iter().filter(|at| at.0 == log).count());
            let copies = copies.max().unwrap_or(0);
            let end = known
                .end
                .unwrap_or_else(|| panic!("record {record} has no verdict"));
            let is_at = |offset: i64| there.iter().any(|place| place.1 == offset);
            match end {
                End::Failed => assert!(
                    copies == 0 || excused.failed,
                    "record {record} failed, and lies at {there:?}"
                ),
                End::At(offset) => assert!(
                    is_at(offset) || excused.loss,
                    "record {record} is not at {offset}, but at {there:?}"
                ),
                End::Delivered => assert!(
                    copies > 0 || excused.loss,
                    "record {record} was delivered, and is not in the log"
                ),
                End::Sent | End::Unknown => {}
            }
            assert!(
                copies <= 1 || excused.copies,
                "record {record}, {end:?}, lies at {there:?}"
            );
        }
    }

    /// First copies lie in the order in which their records were accepted.
    fn check_order(&self, log: &Log, across_options: bool) {
        let mut last: BTreeMap<u8, u32> = BTreeMap::new();
        let mut seen = std::collections::BTreeSet::new();
        for &record in log.records() {
            if !seen.insert(record) {
                continue;
            }
            let options = match across_options {
                true => 0,
                false => self.records[record as usize].options,
            };
            let before = last.insert(options, record);
            assert!(
                before.is_none_or(|before| before < record),
                "record {record} lies behind {before:?}"
            );
        }
    }
}
