//! The counts of a run: in all and by partition. How they are shown is `human` and `json`.

use std::collections::BTreeMap;

use downpour::{Report, Written};

/// Acknowledged records of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartitionTally {
    pub(super) records: u64,
    /// Lowest and highest offset, if any was told.
    pub(super) offsets: Option<(i64, i64)>,
}

/// How many records had which end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) acknowledged: u64,
    /// Accepted and not in the log.
    pub(super) not_written: u64,
    /// Accepted; whether they are in the log is unknown.
    pub(super) unknown: u64,
    /// Broken lines, and records that were not accepted.
    pub(super) refused: u64,
    pub(super) partitions: BTreeMap<i32, PartitionTally>,
}

impl Tally {
    pub(super) fn acknowledge(&mut self, report: &Report) {
        self.acknowledged += 1;
        let partition = self
            .partitions
            .entry(report.partition())
            .or_insert(PartitionTally {
                records: 0,
                offsets: None,
            });
        partition.records += 1;
        if let Some(offset) = report.offset() {
            partition.offsets = Some(match partition.offsets {
                Some((low, high)) => (low.min(offset), high.max(offset)),
                None => (offset, offset),
            });
        }
    }

    pub(super) fn fail(&mut self, written: Written) {
        match written {
            Written::No => self.not_written += 1,
            _ => self.unknown += 1,
        }
    }

    /// Every record that was read and is not acknowledged.
    pub(super) fn failed(&self) -> u64 {
        self.not_written + self.unknown + self.refused
    }
}
