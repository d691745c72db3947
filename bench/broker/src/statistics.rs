//! What was counted since the last reset.

use serde_json::{Value, json};

use crate::refusal::Refusal;

/// More sizes than this are not kept for the median; the largest and smallest are.
const SIZES_MAX: usize = 1 << 21;

/// Counters of one run.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    /// Records in batches that were taken.
    pub(crate) records: u64,
    /// Bytes of those batches.
    pub(crate) bytes: u64,
    /// Produce requests.
    pub(crate) requests: u64,
    /// Batches that were taken.
    pub(crate) batches: u64,
    /// Batches that were not what they must be.
    pub(crate) bad_batches: u64,
    /// Batches out of turn.
    pub(crate) sequence_breaks: u64,
    /// Requests that could not be read, or that nobody serves here.
    pub(crate) bad_requests: u64,
    /// Records in batches that were refused as asked, and not written.
    pub(crate) refused_records: u64,
    /// Those batches.
    refused_batches: u64,
    /// Batches that were under way behind a refused one, and so out of turn.
    pub(crate) followers: u64,
    /// Producer ids that were given out.
    pub(crate) producer_ids: u64,
    /// The most batches of one partition that had arrived and were not answered.
    pub(crate) in_flight_max: u32,
    /// What was wrong first.
    first_trouble: Option<&'static str>,
    smallest: Option<u32>,
    largest: u32,
    sizes: Vec<u32>,
}

impl Statistics {
    pub(crate) fn taken(&mut self, records: u32, bytes: usize) {
        self.batches += 1;
        self.records += u64::from(records);
        self.bytes += bytes as u64;
        let size = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.smallest = Some(self.smallest.map_or(size, |smallest| smallest.min(size)));
        self.largest = self.largest.max(size);
        if self.sizes.len() < SIZES_MAX {
            self.sizes.push(size);
        }
    }

    pub(crate) fn refused(&mut self, records: u32) {
        self.refused_batches += 1;
        self.refused_records += u64::from(records);
    }

    pub(crate) fn bad_batch(&mut self, refusal: Refusal) {
        self.bad_batches += 1;
        self.first_trouble.get_or_insert(refusal.0);
    }

    pub(crate) fn sequence_break(&mut self, what: &'static str) {
        self.sequence_breaks += 1;
        self.first_trouble.get_or_insert(what);
    }

    pub(crate) fn bad_request(&mut self, refusal: Refusal) {
        self.bad_requests += 1;
        self.first_trouble.get_or_insert(refusal.0);
    }

    pub(crate) fn json(&self, open_connections: usize) -> Value {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        json!({
            "records": self.records,
            "bytes": self.bytes,
            "requests": self.requests,
            "batches": self.batches,
            "bad_batches": self.bad_batches,
            "sequence_breaks": self.sequence_breaks,
            "bad_requests": self.bad_requests,
            "refused_records": self.refused_records,
            "refused_batches": self.refused_batches,
            "followers": self.followers,
            "producer_ids": self.producer_ids,
            "first_trouble": self.first_trouble,
            "in_flight_max": self.in_flight_max,
            "batch_bytes": {
                "min": self.smallest.unwrap_or(0),
                "median": sizes.get(sizes.len() / 2).copied().unwrap_or(0),
                "max": self.largest,
            },
            "open_connections": open_connections,
        })
    }
}
