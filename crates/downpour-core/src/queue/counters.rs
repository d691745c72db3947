//! What one partition's queue has done so far, in plain numbers that only grow.
//!
//! They move once per batch, never per record. Verdicts are the shell's to count: it gives them.

/// Sums since the queue was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Batches that were closed; an open one is not among them yet.
    pub batches: u64,
    /// Records in those.
    pub records: u64,
    /// Bytes of those records as they are encoded, before compression.
    pub bytes: u64,
    /// Batches that left in a request; one that is sent again counts again.
    pub sendings: u64,
    /// Bytes of those as they left: compressed, with their headers.
    pub sent_bytes: u64,
    /// Batches that were put back to be sent again.
    pub retries: u64,
}

impl Counters {
    pub(super) fn handle_closed(&mut self, records: u32, bytes: usize) {
        self.batches += 1;
        self.records += u64::from(records);
        self.bytes += bytes as u64;
    }

    pub(super) fn handle_sending(&mut self, bytes: usize) {
        self.sendings += 1;
        self.sent_bytes += bytes as u64;
    }
}
