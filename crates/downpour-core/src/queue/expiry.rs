//! The delivery timeout: nothing accepted waits for ever, and says what it waited for.

use std::time::Instant;

use crate::outcome::{Cause, Verdict, WaitingFor};
use crate::output::Outputs;
use crate::queue::state::{Queue, Waiting, free, resolve};

impl<T: Clone> Queue<T> {
    /// Ends what has been here longer than its delivery timeout.
    ///
    /// `waiting_for` says what keeps the partition from sending.
    pub fn expire(&mut self, now: Instant, waiting_for: WaitingFor, out: &mut Outputs<T>) {
        for at in 0..self.in_flight.len() {
            let batch = &self.in_flight[at].batch;
            if now < batch.deadline || batch.resolved {
                continue;
            }
            let cause = Cause::DeliveryTimeout {
                last: batch.last.clone(),
                waiting_for: WaitingFor::Answer,
            };
            let failure = self.failure(batch, cause, now);
            resolve(batch, Verdict::Unknown(failure), out);
            // Buffer and sequence stay with the request until its answer (KAFKA-19012).
            self.in_flight[at].batch.resolved = true;
        }
        if self
            .waiting
            .iter()
            .any(|w| matches!(w, Waiting::Sealed(b) if now >= b.deadline))
        {
            self.expire_waiting(now, waiting_for, out);
        }
        let open_since = self
            .open
            .as_ref()
            .map(|o| o.created_at + o.options.delivery_timeout);
        if open_since.is_some_and(|deadline| now >= deadline) {
            self.close_unsent();
            self.expire_waiting(now, waiting_for, out);
        }
    }

    fn expire_waiting(&mut self, now: Instant, waiting_for: WaitingFor, out: &mut Outputs<T>) {
        let mut expired = Vec::new();
        let waiting = std::mem::take(&mut self.waiting);
        for waiting in waiting {
            match waiting {
                Waiting::Sealed(batch) if now >= batch.deadline => expired.push(batch),
                kept => self.waiting.push_back(kept),
            }
        }
        // From the last: each may then give its sequence back to the one before it.
        for batch in expired.iter().rev() {
            self.handle_gap(batch);
        }
        for batch in expired {
            let cause = Cause::DeliveryTimeout {
                last: batch.last.clone(),
                waiting_for,
            };
            self.give_up(&batch, cause, now, out);
            free(batch, out);
        }
    }

    /// Gives everything that was not sent yet a verdict because of a cause that no retry mends.
    pub fn fail_unsent(&mut self, cause: &Cause, now: Instant, out: &mut Outputs<T>) {
        self.close_unsent();
        let waiting = std::mem::take(&mut self.waiting);
        let mut failed = Vec::new();
        for waiting in waiting {
            match waiting {
                Waiting::Sealed(batch) => failed.push(batch),
                sealing @ Waiting::Sealing { .. } => self.waiting.push_back(sealing),
            }
        }
        for batch in failed.iter().rev() {
            self.handle_gap(batch);
        }
        for batch in failed {
            self.give_up(&batch, cause.clone(), now, out);
            free(batch, out);
        }
    }
}
