//! What the producer said about each record, by partition and number. Whether that is true is judged
//! by `check`.

use std::collections::BTreeMap;
use std::fmt;

use downpour::{DeliveryError, Report, SendError, Written};

/// So many different causes are counted by name; further ones are counted together.
const CAUSES_MAX: usize = 20;

/// What the producer said about one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in the log, at this offset.
    Delivered(i64),
    /// It is in the log, at an offset that the broker did not report.
    DeliveredSomewhere,
    /// It was accepted and is not in the log.
    Failed,
    /// It was accepted; nobody knows whether it is in the log.
    Unknown,
    /// It was not accepted, so it is not in the log.
    Refused,
    /// It was accepted and has no verdict, which must not stay so.
    Unresolved,
}

/// The fates of all records of a load.
#[derive(Debug, Default)]
pub struct Ledger {
    partitions: Vec<Vec<Fate>>,
    causes: BTreeMap<String, u64>,
    /// How many bytes of keys, values and headers were handed to the producer.
    pub bytes: u64,
}

impl Ledger {
    /// A ledger of that many partitions, without records.
    pub fn new(partitions: i32) -> Self {
        Self {
            partitions: (0..partitions).map(|_| Vec::new()).collect(),
            ..Self::default()
        }
    }

    /// Adds a record, unresolved so far, and returns its number.
    pub fn begin(&mut self, partition: i32) -> u64 {
        let fates = &mut self.partitions[partition as usize];
        fates.push(Fate::Unresolved);
        fates.len() as u64 - 1
    }

    /// Sets the fate of a record.
    pub fn set(&mut self, partition: i32, number: u64, fate: Fate) {
        self.partitions[partition as usize][number as usize] = fate;
    }

    /// Sets the fate of a record that was accepted.
    pub fn resolve(&mut self, partition: i32, number: u64, end: &Result<Report, DeliveryError>) {
        let fate = match end {
            Ok(report) => report
                .offset()
                .map_or(Fate::DeliveredSomewhere, Fate::Delivered),
            Err(error) => {
                self.cause(&format!("{}: {}", error.written(), error.kind()));
                match error.written() {
                    Written::No => Fate::Failed,
                    _ => Fate::Unknown,
                }
            }
        };
        self.set(partition, number, fate);
    }

    /// Sets the fate of a record that was not accepted.
    pub fn refuse(&mut self, partition: i32, number: u64, why: &SendError) {
        self.cause(&format!("refused: {why}"));
        self.set(partition, number, Fate::Refused);
    }

    fn cause(&mut self, cause: &str) {
        if let Some(count) = self.causes.get_mut(cause) {
            *count += 1;
            return;
        }
        let name = if self.causes.len() < CAUSES_MAX {
            cause
        } else {
            "other causes"
        };
        *self.causes.entry(name.to_owned()).or_default() += 1;
    }

    /// How many records were added, accepted or not.
    pub fn len(&self) -> u64 {
        self.partitions.iter().map(|fates| fates.len() as u64).sum()
    }

    /// Whether no record was added.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The fates of one partition's records, in the order in which they were sent.
    pub fn partition(&self, partition: i32) -> &[Fate] {
        usize::try_from(partition)
            .ok()
            .and_then(|at| self.partitions.get(at))
            .map_or(&[], Vec::as_slice)
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> i32 {
        self.partitions.len() as i32
    }

    /// How many records have a fate that `wanted` accepts.
    pub fn count(&self, wanted: impl Fn(Fate) -> bool) -> u64 {
        let fates = self.partitions.iter().flatten();
        fates.filter(|fate| wanted(**fate)).count() as u64
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let somewhere = self.count(|fate| fate == Fate::DeliveredSomewhere);
        let delivered = self.count(|fate| matches!(fate, Fate::Delivered(_))) + somewhere;
        write!(
            f,
            "delivered {delivered} ({somewhere} without offset), failed {}, unknown {}, \
             refused {}, unresolved {}",
            self.count(|fate| fate == Fate::Failed),
            self.count(|fate| fate == Fate::Unknown),
            self.count(|fate| fate == Fate::Refused),
            self.count(|fate| fate == Fate::Unresolved),
        )?;
        for (cause, count) in &self.causes {
            write!(f, "\n  {count} x {cause}")?;
        }
        Ok(())
    }
}
