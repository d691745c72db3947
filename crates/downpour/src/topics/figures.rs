//! A queue's counters where anybody can read them without its lock.

use downpour_core::queue::Counters;

use crate::sys::sync::atomic::{AtomicU64, Ordering};

/// Published copies of [`Counters`], each by itself: a reader may see one of them a moment
/// before another.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    batches: AtomicU64,
    records: AtomicU64,
    bytes: AtomicU64,
    sendings: AtomicU64,
    sent_bytes: AtomicU64,
    retries: AtomicU64,
}

impl Figures {
    fn all(&self) -> [&AtomicU64; 6] {
        [
            &self.batches,
            &self.records,
            &self.bytes,
            &self.sendings,
            &self.sent_bytes,
            &self.retries,
        ]
    }

    /// Shows what the counters say. Called by whoever runs a round, so by one at a time.
    pub(crate) fn publish(&self, counters: &Counters) {
        let new = [
            counters.batches,
            counters.records,
            counters.bytes,
            counters.sendings,
            counters.sent_bytes,
            counters.retries,
        ];
        for (shown, new) in self.all().into_iter().zip(new) {
            shown.store(new, Ordering::Relaxed);
        }
    }

    /// What was published last.
    pub(crate) fn read(&self) -> Counters {
        let [batches, records, bytes, sendings, sent_bytes, retries] =
            self.all().map(|shown| shown.load(Ordering::Relaxed));
        let mut counters = Counters::default();
        counters.batches = batches;
        counters.records = records;
        counters.bytes = bytes;
        counters.sendings = sendings;
        counters.sent_bytes = sent_bytes;
        counters.retries = retries;
        counters
    }
}
