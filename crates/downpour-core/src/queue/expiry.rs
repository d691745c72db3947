//! The delivery timeout: nothing accepted waits forever, and its verdict says what it waited for.

use std::sync::Arc;
use std::time::Instant;

use crate::mutants;
use crate::outcome::{Cause, WaitingFor};
use crate::output::Outputs;
use crate::queue::batch::{Batch, Waiting};
use crate::queue::state::Queue;

impl<T: Clone> Queue<T> {
    /// Ends what has been here longer than its delivery timeout.
    ///
    /// `waiting_for` says what keeps the partition from sending, and `why` what went wrong there; it
    /// gives way to what the batch itself met if it `is_still_trying`, and nothing went wrong yet.
    pub fn expire(
        &mut self,
        now: Instant,
        waiting_for: WaitingFor,
        (why, is_still_trying): (Option<&Arc<Cause>>, bool),
        out: &mut Outputs<T>,
    ) {
        // What is in flight behind a batch that ends now and is certainly absent is absent, too.
        self.break_behind_absent(|batch| now >= batch.deadline);
        for at in 0..self.in_flight.len() {
            let batch = &self.in_flight[at].batch;
            if now < batch.deadline || batch.resolved {
                continue;
            }
            let cause = Cause::DeliveryTimeout {
                last: batch.last.clone(),
                waiting_for: WaitingFor::Answer,
            };
            self.give_up_in_flight(batch, cause, now, out);
            // Buffer and sequence stay with the request until its answer (KAFKA-19012).
            self.in_flight[at].batch.resolved = !mutants::is(5);
        }
        self.close_unsent(|open| now >= open.deadline() && !mutants::is(20));
        self.expire_sealing(now, out);
        self.expire_waiting(now, waiting_for, (why, is_still_trying), out);
    }

    /// Ends batches that somebody has been compressing for too long. What comes back of them later
    /// finds no place, and only gives its memory back.
    fn expire_sealing(&mut self, now: Instant, out: &mut Outputs<T>) {
        let is_late = |waiting: &Waiting<T>| matches!(waiting, Waiting::Sealing { times, .. } if now >= times.deadline);
        if !self.waiting.iter().any(is_late) {
            return;
        }
        for waiting in std::mem::take(&mut self.waiting) {
            if is_late(&waiting) {
                self.give_up_sealing(&waiting, now, out);
            } else {
                self.waiting.push_back(waiting);
            }
        }
    }

    fn expire_waiting(
        &mut self,
        now: Instant,
        waiting_for: WaitingFor,
        (why, is_still_trying): (Option<&Arc<Cause>>, bool),
        out: &mut Outputs<T>,
    ) {
        let is_late = |batch: &Batch<T>| {
            let half = (batch.deadline - batch.created_at) / 2;
            now >= mutants::pick(37, batch.created_at + half, batch.deadline)
        };
        // Nearly always nothing is: then nothing is moved.
        let any = self
            .waiting
            .iter()
            .any(|w| matches!(w, Waiting::Sealed(batch) if is_late(batch)));
        if any {
            let cause = |batch: &Batch<T>| {
                let own = batch.last.as_ref();
                let last = if is_still_trying {
                    own.or(why)
                } else {
                    why.or(own)
                };
                Cause::DeliveryTimeout {
                    last: last.cloned(),
                    waiting_for,
                }
            };
            self.end_waiting(is_late, cause, now, out);
        }
    }

    /// Gives everything that was not sent yet a verdict because of a cause that no retry mends.
    pub fn fail_unsent(&mut self, cause: &Cause, now: Instant, out: &mut Outputs<T>) {
        self.close_unsent(|_| true);
        self.end_waiting(|_| true, |_| cause.clone(), now, out);
    }
}
