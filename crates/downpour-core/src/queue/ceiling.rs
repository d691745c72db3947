//! What a partition learns from MESSAGE_TOO_LARGE: its topic takes less than a batch may have.
//!
//! Without it every batch under load would be refused, split and sent again, one at a time:
//! open batches grow past their target, and `max.message.bytes` of a topic is told nowhere but in
//! its refusals.

use std::time::{Duration, Instant};

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

/// The bytes that a batch has and may grow to, as they are used now.
type Sizes<'a> = (&'a mut usize, &'a mut usize);

impl Ceiling {
    /// Batches have no more than so many bytes from now on, before compression.
    pub(super) fn lower(
        this: &mut Option<Box<Self>>,
        (size, max): Sizes<'_>,
        bytes: usize,
        now: Instant,
    ) {
        let ceiling = this.get_or_insert_with(|| {
            Box::new(Self {
                batch_size: *size,
                batch_max: *max,
                since: now,
            })
        });
        ceiling.since = now;
        *size = (*size).min(bytes);
        *max = (*max).min(bytes);
    }

    /// To be asked whenever a batch opens, because that is when the time is known.
    pub(super) fn raise(this: &mut Option<Box<Self>>, (size, max): Sizes<'_>, now: Instant) {
        let is_due =
            |ceiling: &&mut Box<Self>| now.saturating_duration_since(ceiling.since) >= RAISED_AFTER;
        let Some(ceiling) = this.as_mut().filter(is_due) else {
            return;
        };
        ceiling.since = now;
        let twice = max.saturating_mul(2);
        *size = ceiling.batch_size.min(twice);
        *max = ceiling.batch_max.min(twice);
        if *max == ceiling.batch_max {
            *this = None;
        }
    }

    /// The topic is another one: what was learnt was about the former.
    pub(super) fn forget(this: &mut Option<Box<Self>>, (size, max): Sizes<'_>) {
        if let Some(ceiling) = this.take() {
            *size = ceiling.batch_size;
            *max = ceiling.batch_max;
        }
    }
}
