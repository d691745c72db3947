//! A batch's stations within its queue: open, closed and waiting, in flight.
//!
//! The types, and how a batch ends: its verdict and its memory go out with [`resolve`] and
//! [`free`]. Which station comes when is decided in the files beside this one.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::batch::{BatchBuilder, Body};

use crate::config::BatchOptions;
use crate::identity::Identity;
use crate::outcome::{Cause, Verdict};
use crate::output::{Output, Outputs};

/// The batch that takes the next record.
#[derive(Debug)]
pub(crate) struct Open<T> {
    pub(super) ticket: T,
    pub(super) builder: BatchBuilder,
    /// A record that asks for others gets the next batch.
    pub(super) options: BatchOptions,
    /// When its first record came; linger and delivery timeout count from here.
    pub(super) created_at: Instant,
    /// Set by a flush and never cleared: it leaves without lingering. Without it a flush would
    /// take a linger longer than needed.
    pub(super) flush_requested: bool,
}

/// A closed batch or a part of a split one. Its body never changes again, so that an older
/// request may still be reading it while a newer one is written.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    /// Place among the closed batches; parts of a split one share it.
    pub(super) order: u64,
    pub(super) ticket: T,
    /// Index of its first record among the ticket's.
    pub(super) first: u32,
    /// How many records the ticket has, all parts together.
    pub(super) total: u32,
    pub(super) body: Arc<Body>,
    /// Credit that comes back with it.
    pub(super) memory: usize,
    pub(super) created_at: Instant,
    /// From here on it is not sent any more.
    pub(super) deadline: Instant,
    /// Requests that carried it, but for those that could not have succeeded: behind a missing
    /// predecessor a broker refuses whatever comes.
    pub(super) attempts: u32,
    /// Set by a failure that may be temporary; a new leader clears it, and so does the sending.
    pub(super) retry_at: Option<Instant>,
    /// Set when an answer was lost or left open whether the leader appended the batch. Nothing
    /// clears it: an acknowledgement ends the batch. Without it a record that lies in the log
    /// would be called failed, be split, or be written again under a new epoch.
    pub(super) maybe_written: bool,
    /// Identity and first sequence, given when it is first sent and the same in each retry: a
    /// broker knows a batch again by nothing else. Cleared when the partition begins a new epoch.
    pub(super) stamp: Option<(Identity, i32)>,
    /// What went wrong last, for the verdict's text.
    pub(super) last: Option<Arc<Cause>>,
    /// The broker that was sent it last.
    pub(super) broker: Option<i32>,
    /// Set when the delivery timeout ended it in flight: its handles have their verdict, and only
    /// its buffer and its sequence still wait for the answer. Without it records would get a
    /// second verdict with the answer.
    pub(super) resolved: bool,
}

impl<T> Batch<T> {
    /// A batch that was never sent.
    pub(crate) fn new(order: u64, ticket: T, body: Body, memory: usize, times: Times) -> Self {
        Self {
            order,
            ticket,
            first: 0,
            total: body.count(),
            body: Arc::new(body),
            memory,
            created_at: times.created_at,
            deadline: times.deadline,
            attempts: 0,
            retry_at: None,
            maybe_written: false,
            stamp: None,
            last: None,
            broker: None,
            resolved: false,
        }
    }

    /// Batches leave in the order of this key, and one that comes back takes its old place.
    pub(crate) fn order_key(&self) -> (u64, u32) {
        (self.order, self.first)
    }

    pub(crate) fn count(&self) -> u32 {
        self.body.count()
    }
}

/// When a batch was opened and until when it may be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(super) created_at: Instant,
    pub(super) deadline: Instant,
}

/// A closed batch on its way out.
#[derive(Debug)]
pub(crate) enum Waiting<T> {
    /// Somebody compresses it without the queue's lock; its place is kept, and nothing behind it
    /// leaves before it.
    Sealing { order: u64, ticket: T, times: Times },
    /// It can be sent.
    Sealed(Batch<T>),
}

impl<T> Waiting<T> {
    pub(crate) fn order_key(&self) -> (u64, u32) {
        match self {
            Self::Sealing { order, .. } => (*order, 0),
            Self::Sealed(batch) => batch.order_key(),
        }
    }

    pub(crate) fn is_stamped(&self) -> bool {
        matches!(self, Self::Sealed(Batch { stamp: Some(_), .. }))
    }
}

/// A batch in a request that has no answer yet.
#[derive(Debug)]
pub(crate) struct InFlight<T> {
    /// Names this sending of the batch; the answer to an earlier one means nothing any more.
    pub(super) send_id: u64,
    pub(super) broker: i32,
    pub(super) batch: Batch<T>,
}

/// Gives all records of a batch one verdict.
pub(crate) fn resolve<T: Clone>(batch: &Batch<T>, verdict: Verdict, out: &mut Outputs<T>) {
    out.push_back(Output::Resolve {
        ticket: batch.ticket.clone(),
        first: batch.first,
        count: batch.count(),
        total: batch.total,
        verdict,
    });
}

/// Gives a batch's memory back; nobody sends it any more.
pub(crate) fn free<T>(batch: Batch<T>, out: &mut Outputs<T>) {
    out.push_back(Output::Free {
        bytes: batch.memory,
        body: Some(batch.body),
    });
}
