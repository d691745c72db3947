//! What became of the records, counted.

use downpour::{DeliveryError, ProduceError, Report, SendError, Written};

/// How many records had which end, and the first error of each kind in words.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    pub(super) acknowledged: u64,
    pub(super) not_written: u64,
    pub(super) unknown: u64,
    pub(super) refused: u64,
    /// Accepted, and the verdict was not asked for.
    pub(super) unread: u64,
    /// The first error of each kind.
    pub(super) troubles: Vec<String>,
    /// Round trips in microseconds, where each was awaited.
    pub(super) round_trips: Vec<u32>,
}

impl Outcomes {
    pub(super) fn end(&mut self, ended: &Result<Report, DeliveryError>) {
        match ended {
            Ok(_) => self.acknowledged += 1,
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: &DeliveryError) {
        let count = match error.written() {
            Written::No => &mut self.not_written,
            _ => &mut self.unknown,
        };
        *count += 1;
        if *count == 1 {
            self.troubles.push(error.to_string());
        }
    }

    pub(super) fn refuse(&mut self, error: &SendError) {
        self.refused += 1;
        if self.refused == 1 {
            self.troubles.push(error.to_string());
        }
    }

    pub(super) fn produced(&mut self, error: &ProduceError) {
        match (error.send_error(), error.delivery_error()) {
            (Some(error), _) => self.refuse(error),
            (_, Some(error)) => self.failed(error),
            _ => {}
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.not_written += other.not_written;
        self.unknown += other.unknown;
        self.refused += other.refused;
        self.unread += other.unread;
        self.troubles.extend(other.troubles);
        self.round_trips.extend(other.round_trips);
    }

    /// Whether every record was acknowledged, or accepted where verdicts are not asked for.
    pub(super) fn is_complete(&self, records: u64) -> bool {
        self.acknowledged + self.unread == records
    }
}
