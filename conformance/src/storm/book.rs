//! What a writer was told about each of its records. Whether that is true is judged by `judge`.

use std::collections::BTreeMap;

use downpour::{DeliveryError, Report, Written};

/// So many different causes are counted by name; further ones are counted together.
const CAUSES_MAX: usize = 30;

/// What the producer said about one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was accepted and has no verdict, which must not stay so.
    Unresolved,
    /// It is in the log, at this offset.
    Delivered(i64),
    /// It was sent; with acks=0 nobody says more.
    Sent,
    /// It was accepted, or was not even, and is not in the log.
    Failed,
    /// Nobody knows whether it is in the log.
    Unknown,
}

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What was said about it.
    pub fate: Fate,
    /// The partition that the producer named; -1 if it named none.
    pub partition: i32,
    /// How many partitions the producer knew before and after it took the record.
    pub counts: (u16, u16),
    /// How many times the topic had been made anew, or lost its in-sync leader, when it was sent.
    pub era: u16,
}

/// The records of one writer, by their numbers.
#[derive(Debug, Default)]
pub struct Book {
    /// Its records.
    pub entries: Vec<Entry>,
    /// Why records failed or are unknown.
    pub causes: BTreeMap<String, u64>,
    /// Records whose report named another partition than their handle.
    pub moved: u64,
}

impl Book {
    /// Adds a record that is about to be sent and returns its number.
    pub fn begin(&mut self, era: u16, count: u32) -> u32 {
        self.entries.push(Entry {
            fate: Fate::Unresolved,
            partition: -1,
            counts: (count as u16, count as u16),
            era,
        });
        self.entries.len() as u32 - 1
    }

    /// Notes where an accepted record went, and how many partitions there are now.
    pub fn accept(&mut self, number: u32, partition: i32, count: u32) {
        let entry = &mut self.entries[number as usize];
        entry.partition = partition;
        entry.counts.1 = count as u16;
    }

    /// Notes a verdict.
    pub fn resolve(&mut self, number: u32, end: &Result<Report, DeliveryError>) {
        let (fate, partition) = match end {
            Ok(report) => (
                report.offset().map_or(Fate::Sent, Fate::Delivered),
                report.partition(),
            ),
            Err(error) => {
                self.cause(format!("{:?}: {}", error.written(), error.kind()));
                (fate(error.written()), error.partition())
            }
        };
        let entry = &mut self.entries[number as usize];
        if entry.partition >= 0 && entry.partition != partition {
            self.moved += 1;
        }
        entry.fate = fate;
        entry.partition = partition;
    }

    /// Notes that a record was refused, or failed where nobody named its partition.
    pub fn refuse(&mut self, number: u32, written: Written, why: String) {
        self.entries[number as usize].fate = fate(written);
        self.cause(format!("{written:?}: {why}"));
    }

    fn cause(&mut self, cause: String) {
        let is_room = self.causes.len() < CAUSES_MAX || self.causes.contains_key(&cause);
        let name = if is_room {
            cause
        } else {
            "other causes".to_owned()
        };
        *self.causes.entry(name).or_default() += 1;
    }

    /// How many records have a fate that `wanted` accepts.
    pub fn count(&self, wanted: impl Fn(Fate) -> bool) -> u64 {
        let entries = self.entries.iter();
        entries.filter(|entry| wanted(entry.fate)).count() as u64
    }
}

fn fate(written: Written) -> Fate {
    match written {
        Written::No => Fate::Failed,
        _ => Fate::Unknown,
    }
}
