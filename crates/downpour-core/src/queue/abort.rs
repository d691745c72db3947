//! The end of a producer that will not wait any longer: what is not in the log is handed back.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::batch::Body;

use crate::mutants;
use crate::outcome::Cause;
use crate::output::Outputs;
use crate::queue::batch::{Batch, Waiting};
use crate::queue::state::Queue;

/// A batch, or a part of one, that is certainly not in the log.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unsent<T> {
    /// Its handles.
    pub ticket: T,
    /// Index of its first record among them.
    pub first: u32,
    /// The records.
    pub body: Arc<Body>,
}

impl<T: Clone> Queue<T> {
    /// Ends everything now. What waits and is certainly not in the log failed and lands in
    /// `unsent`; what may have been written is unknown.
    pub fn abort(&mut self, now: Instant, unsent: &mut Vec<Unsent<T>>, out: &mut Outputs<T>) {
        self.close_unsent(|_| true);
        // Those in flight may be behind one that waits and is known to be absent.
        self.break_behind_absent(|_| true);
        let give_up = if mutants::is(23) {
            Self::give_up
        } else {
            Self::give_up_in_flight
        };
        for in_flight in std::mem::take(&mut self.in_flight) {
            let batch = in_flight.batch;
            if !batch.resolved {
                give_up(self, &batch, closed(&batch), now, out);
            }
            self.free(batch, out);
        }
        for waiting in &self.waiting {
            match waiting {
                Waiting::Sealed(batch) if !batch.maybe_written() => unsent.push(Unsent {
                    ticket: batch.ticket.clone(),
                    first: batch.first,
                    body: batch.body.clone(),
                }),
                _ => {}
            }
        }
        self.end_waiting(|_| true, closed, now, out);
        self.free_excess(out);
    }
}

fn closed<T>(batch: &Batch<T>) -> Cause {
    Cause::Closed {
        last: batch.last.clone(),
    }
}
