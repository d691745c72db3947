//! What a partition learns from MESSAGE_TOO_LARGE: its topic takes less than a batch may have.
//!
//! Without it every batch under load would be refused, split and sent again, one at a time:
//! open batches grow past their target, and `max.message.bytes` of a topic is told nowhere but in
//! its refusals.

use std::time::{Duration, Instant};

use crate::queue::state::{CHUNK_MIN, Queue};

/// A topic's limit may be raised, and one large record says little about others: after so long
/// without a refusal, batches may be twice as large again.
const RAISED_AFTER: Duration = Duration::from_secs(60);

/// What the settings say, while less is used.
#[derive(Debug)]
pub(super) struct Ceiling {
    batch_size: usize,
    batch_max: usize,
    /// The last refusal, or the last time that it was raised.
    since: Instant,
}

impl<T: Clone> Queue<T> {
    /// Batches have no more than so many bytes from now on, before compression.
    pub(super) fn lower_ceiling(&mut self, bytes: usize, now: Instant) {
        let settings = &mut self.settings;
        let ceiling = self.ceiling.get_or_insert_with(|| {
            Box::new(Ceiling {
                batch_size: settings.batch_size,
                batch_max: settings.batch_max,
                since: now,
            })
        });
        ceiling.since = now;
        let bytes = bytes.max(CHUNK_MIN);
        settings.batch_size = settings.batch_size.min(bytes);
        settings.batch_max = settings.batch_max.min(bytes);
    }

    /// Asked whenever a batch opens, because that is when the time is known.
    pub(super) fn raise_ceiling(&mut self, now: Instant) {
        let settings = &mut self.settings;
        let Some(ceiling) = &mut self.ceiling else {
            return;
        };
        if now.saturating_duration_since(ceiling.since) < RAISED_AFTER {
            return;
        }
        ceiling.since = now;
        let twice = settings.batch_max.saturating_mul(2);
        settings.batch_size = ceiling.batch_size.min(twice);
        settings.batch_max = ceiling.batch_max.min(twice);
        if settings.batch_max == ceiling.batch_max {
            self.ceiling = None;
        }
    }

    /// The topic is another one: what was learnt was about the former.
    pub(super) fn forget_ceiling(&mut self) {
        if let Some(ceiling) = self.ceiling.take() {
            self.settings.batch_size = ceiling.batch_size;
            self.settings.batch_max = ceiling.batch_max;
        }
    }
}
