//! A batch's stations within its queue: open, closed and waiting, in flight.
//!
//! The types, and the verdict that a batch ends with, in [`resolve`]. Which station comes when is
//! decided in the files beside this one.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::batch::{BatchBuilder, Body};

use crate::config::BatchOptions;
use crate::identity::Identity;
use crate::outcome::{Cause, Verdict};
use crate::output::{Output, Outputs};

/// A batch's place: the number that it got when it was closed, and its first record in that.
pub(crate) type OrderKey = (u64, u32);

/// Whether a batch that has no acknowledgement may be in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doubt {
    /// It is not: it never left, or was refused before the append.
    None,
    /// It may be: the answer was lost. Ends with an acknowledgement, or with the proof that the
    /// batch is absent because one before it is.
    Lost,
    /// It may be: the broker said so, or left it open. Only an acknowledgement ends that.
    Said,
}

/// How much of a request had been handed to the transport when its connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "nothing, something or all of it")]
pub enum Left {
    /// Not a byte: no broker can have seen it.
    Nothing,
    /// Some of it. A broker does nothing with half a request, so that its batches are absent;
    /// their sequences are spent all the same, which costs an epoch and trusts nobody's count.
    Part,
    /// All of it: the broker may have done what it asks.
    Whole,
}

/// The batch that takes the next record.
#[derive(Debug)]
pub(crate) struct Open<T> {
    /// Counts the batches that were opened before it: the oldest leaves first.
    pub(super) number: u64,
    pub(super) ticket: T,
    pub(super) builder: BatchBuilder,
    /// Bytes that are lent to it: its chunks, or its records' shares where those are more.
    pub(super) credit: usize,
    /// A record that asks for others gets the next batch.
    pub(super) options: BatchOptions,
    /// When its first record came; linger and delivery timeout count from here.
    pub(super) created_at: Instant,
    /// Set by a flush and never cleared: it leaves without lingering. Without it a flush would
    /// take a linger longer than needed.
    pub(super) flush_requested: bool,
}

impl<T> Open<T> {
    /// From here on it is not sent any more.
    pub(super) fn deadline(&self) -> Instant {
        self.created_at + self.options.delivery_timeout
    }
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
    /// Whether the leader may have appended it. Without it a record that lies in the log would be
    /// called failed, be split, or be written again under a new epoch.
    pub(super) doubt: Doubt,
    /// Set once the first byte of a request with it was handed to the transport, never cleared:
    /// its sequences belong to its records. Without it they could be given to other records, and
    /// a broker that has them already would acknowledge those unseen.
    pub(super) spent: bool,
    /// Identity and first sequence, given when it is first sent and the same in each retry: a
    /// broker recognises a batch by nothing else. Cleared when the partition begins a new epoch.
    pub(super) stamp: Option<(Identity, i32)>,
    /// What went wrong last, for the verdict's text.
    pub(super) last: Option<Arc<Cause>>,
    /// Answers that explain nothing. In a box, because hardly any batch has one.
    pub(super) unexplained: Option<Box<Unexplained>>,
    /// The broker that was sent it last.
    pub(super) broker: Option<i32>,
    /// What was left of a batch of which a broker refused some records by name. It goes once.
    pub(super) is_rest: bool,
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
            doubt: Doubt::None,
            spent: false,
            stamp: None,
            last: None,
            unexplained: None,
            broker: None,
            is_rest: false,
            resolved: false,
        }
    }

    /// Batches leave in the order of this key, and one that comes back takes its old place.
    pub(crate) fn order_key(&self) -> OrderKey {
        (self.order, self.first)
    }

    pub(crate) fn count(&self) -> u32 {
        self.body.count()
    }

    pub(crate) fn maybe_written(&self) -> bool {
        self.doubt > Doubt::None
    }
}

/// UNKNOWN_SERVER_ERROR, as often as a batch had it for an answer.
#[derive(Debug)]
pub(crate) struct Unexplained {
    pub(super) answers: u32,
    pub(super) since: Instant,
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
    Sealing {
        order: u64,
        ticket: T,
        times: Times,
        records: u32,
    },
    /// It can be sent.
    Sealed(Batch<T>),
}

impl<T> Waiting<T> {
    pub(crate) fn order_key(&self) -> OrderKey {
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
    /// Its records were old when it was sent: it goes alone, and its acknowledgement proves
    /// nothing; see [`Queue::is_aged`](crate::queue::Queue).
    pub(super) is_aged: bool,
    /// Its acknowledgement proves what was so then: the process may stand still for days while the
    /// answer waits on the socket.
    pub(super) sent_at: Instant,
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
