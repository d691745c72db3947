//! Under load an idle broker waits a moment for its next request: what leaves at once is small.
//!
//! With adaptive lingering anything leaves while nothing is in flight. Against a broker that
//! answers within 100 us a flood would then go out in requests of a few records, each of which
//! costs as much as one of a thousand. So after the answer to a large request the engine pauses,
//! and it goes on pausing as long as open batches grow. A single caller that waits for each
//! record never meets a pause: its requests are small. Reasons and figures are in
//! `docs/adr/0007-pacing.md`.

use std::time::{Duration, Instant};

use crate::produce::broker::{OpenSample, Pause};
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;

/// About what a request and its answer take on a local network.
const PAUSE: Duration = Duration::from_micros(100);

/// No record waits longer than this for others that may follow it.
const PAUSE_MAX: Duration = Duration::from_millis(1);

/// Partitions that are looked at to see whether batches grow; those that are visited next stand for all.
const SAMPLE: usize = 8;

impl<T: Clone> Engine<T> {
    /// How long nothing but growing batches is to be expected; `None` while nobody pauses.
    ///
    /// It is too short for a poll of sockets, whose timeouts are milliseconds: the shell sleeps
    /// through it and looks at no socket.
    pub fn pause_left(&self, now: Instant) -> Option<Duration> {
        let pausing = self.lists.brokers().filter(|id| self.is_pausing(*id, now));
        let ends = pausing.filter_map(|id| Some(self.brokers.get(&id)?.pause?.until));
        ends.min().map(|at| at - now)
    }

    /// Whether a broker's next request waits. With one in flight there is an answer to wait for.
    pub(super) fn is_pausing(&self, id: i32, now: Instant) -> bool {
        let broker = self.brokers.get(&id);
        broker.is_some_and(|broker| broker.pauses_at(now)) && self.in_flight(id) == 0
    }

    /// Notes when answers came: they arrive without the time, which a poll has.
    pub(crate) fn note_answers(&mut self, now: Instant) {
        for broker in self.brokers.values_mut() {
            if std::mem::take(&mut broker.is_answered) {
                broker.answered_at = Some(now);
                broker.owes_since = None;
            }
        }
    }

    /// Begins a pause, prolongs one or ends it.
    pub(crate) fn pace(&mut self, id: i32, now: Instant, queues: &mut impl Queues<T>) {
        if !self.is_adaptive() {
            return;
        }
        if self.is_pausing(id, now) {
            return;
        }
        let (busy_from, in_flight) = (self.config.busy_from, self.in_flight(id));
        let Some(broker) = self.brokers.get_mut(&id) else {
            return;
        };
        let before = broker.pause.take();
        if in_flight > 0 {
            // A full batch left meanwhile; its answer is waited for instead.
            return;
        }
        let is_busy = broker.last_records >= busy_from;
        // Callers that waited for that answer send again soon after it.
        let begins = broker.answered_at.take_if(|_| is_busy);
        let begins = begins.is_some_and(|at| now.saturating_duration_since(at) < PAUSE_MAX);
        if !begins && before.is_none() {
            return;
        }
        let sample = self.lists.first(id, SAMPLE);
        let bytes =
            sample.filter_map(|partition| queues.with(partition, |queue| queue.open_bytes()));
        let seen = OpenSample {
            bytes: bytes.sum(),
            partitions: self.lists.len(id),
        };
        let grows = before.is_none_or(|pause| pause.seen != seen && pause.end > now);
        broker.pause = grows.then(|| Pause {
            until: now + PAUSE,
            end: before.map_or(now + PAUSE_MAX, |pause| pause.end),
            seen,
        });
    }
}
