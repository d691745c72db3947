//! The end of a producer: no more records, the last verdicts, what is handed back.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use downpour_core::ids::PartitionId;
use downpour_core::outcome::{Cause, Failure, Verdict};
use downpour_core::queue::Unsent;
use downpour_wire::batch::OwnedRecord;

use crate::delivery::batch_state::BatchState;
use crate::io::after::After;
use crate::observe::log::Line;
use crate::record::record::Record;
use crate::record::unfinished::Unfinished;
use crate::shared::shared::Shared;

/// How far the end is.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// Set by the first wish to close, never cleared: no record gets in, and the producer ends
    /// once it is empty.
    pub(super) begun: bool,
    /// Set by a `close`; if the last handle was only dropped, nobody hears what was left, and it
    /// goes into the log.
    pub(super) awaited: bool,
    deadline: Option<Instant>,
    /// Set at the deadline, never cleared: everything was given up. What is still being
    /// compressed is waited for a little longer; without the mark, verdicts that come after the
    /// deadline would not be handed back as unknown.
    pub(super) aborted: bool,
    pub(super) left: Unfinished,
    /// Records without an acknowledgement since it began.
    pub(super) undelivered: u64,
}

/// A caller that compresses a batch brings it back within this, or its records are given up.
const GRACE: Duration = Duration::from_secs(10);

impl Closing {
    /// Takes a wish to close; the earliest deadline counts.
    pub(super) fn wish(&mut self, deadline: Option<Instant>, awaited: bool) {
        self.begun = true;
        self.awaited |= awaited;
        self.deadline = match (self.deadline, deadline) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    /// Whether it is time to give everything up.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.begun && self.deadline.is_some_and(|at| at <= now)
    }

    /// Whether even those who still compress had their time.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.aborted && self.grace_ends_at().is_some_and(|at| at <= now)
    }

    /// When to look again though nothing happens.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        if self.aborted {
            self.grace_ends_at()
        } else {
            self.deadline
        }
    }

    fn grace_ends_at(&self) -> Option<Instant> {
        self.deadline?.checked_add(GRACE)
    }

    /// Counts the verdict of so many records from the first on.
    pub(super) fn note(
        &mut self,
        ticket: &BatchState,
        (first, count): (u32, u32),
        verdict: &Verdict,
    ) {
        match verdict {
            Verdict::Unknown(_) if self.aborted => {
                self.undelivered += u64::from(count);
                let labels = ticket.labels(first, count);
                self.left
                    .add_unknown(ticket.topic(), ticket.partition(), count, labels);
            }
            Verdict::Failed(_) | Verdict::Unknown(_) => self.undelivered += u64::from(count),
            _ => {}
        }
    }

    /// Keeps what never left, decoded.
    pub(super) fn keep(&mut self, unsent: &Unsent<Arc<BatchState>>, after: &mut After) {
        let ticket = &unsent.ticket;
        match unsent.body.records() {
            Ok(records) => {
                for (index, record) in (unsent.first..).zip(records) {
                    self.left.unsent.push(restore(ticket, index, record));
                }
            }
            Err(error) => after.line(Line::Unreadable {
                topic: ticket.topic().clone(),
                partition: ticket.partition(),
                records: unsent.body.count(),
                error: error.to_string(),
            }),
        }
    }

    /// What is to be said if the last handle was only dropped.
    pub(super) fn report(&self) -> Option<Line> {
        let undelivered = self.undelivered;
        (!self.awaited).then_some(Line::Dropped { undelivered })
    }
}

fn restore(ticket: &BatchState, index: u32, record: OwnedRecord) -> Record<'static> {
    let mut restored = Record::to(ticket.topic().to_string())
        .partition(ticket.partition())
        .timestamp_ms(record.timestamp)
        .headers(record.headers)
        .key(record.key)
        .value(record.value);
    restored.message.label = ticket.label(index);
    restored
}

/// Lets no record in any more; what got in before is told to `each`.
pub(super) fn shut(shared: &Shared, woken: &mut Vec<Waker>, mut each: impl FnMut(PartitionId)) {
    shared.refuse_all(woken);
    shared.each_partition(|partition, inner| {
        inner.closed = true;
        if !inner.queue.is_empty() {
            each(partition);
        }
    });
}

/// Whether every record has its verdict.
pub(super) fn is_settled(shared: &Shared) -> bool {
    let mut settled = true;
    shared.each_partition(|_, inner| settled &= inner.queue.is_settled());
    settled
}

/// Gives everything that has no verdict one: nobody is left to find a better one.
pub(super) fn abandon_all(shared: &Shared, reason: &str, woken: &mut Vec<Waker>) {
    let mut tickets = Vec::new();
    shut(shared, woken, |_| {});
    shared.each_partition(|_, inner| inner.queue.tickets(&mut tickets));
    for ticket in tickets {
        let cause = Cause::Internal {
            reason: Arc::from(reason),
        };
        let failure = Failure::new(cause, ticket.topic().clone(), ticket.partition());
        ticket.abandon(Verdict::Unknown(Arc::new(failure)), woken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::append::{AcceptProgress, Obstacle, accept};
    use crate::config::partial::PartialConfig;
    use crate::config::resolve;
    use crate::error::kind::ErrorKind;
    use crate::sys::clock::Clock;

    #[test]
    fn without_its_thread_every_record_ends_and_no_other_gets_in() {
        let partial = PartialConfig::of("one:1");
        let settings = resolve::settings(partial).unwrap();
        let shared = Shared::new(
            settings,
            Clock::default(),
            Box::new(|_| Err(std::io::Error::other("none in this test"))),
        );
        let topic = shared.topics.add("t").unwrap();
        let leaders = Arc::from([Some(1), Some(2)]);
        shared.update_topic(&topic, &leaders, false, &mut Vec::new());
        let send = |partition| {
            let record = Record::to("t").value("v").partition(partition);
            accept(
                &shared,
                record.addressed(),
                &mut AcceptProgress::new(&shared),
            )
        };
        let handles: Vec<_> = [0, 1, 0]
            .map(|partition| match send(partition) {
                Ok(delivery) => delivery,
                Err(_) => panic!("not accepted"),
            })
            .into();
        assert!(handles.iter().all(|h| h.is_pending()));
        abandon_all(&shared, "the thread is gone", &mut Vec::new());
        for handle in handles {
            let error = handle.wait().unwrap_err();
            assert!(error.to_string().contains("the thread is gone"), "{error}");
        }
        let Err(Obstacle::Refused(refused)) = send(0) else {
            panic!("nobody is there to send it");
        };
        assert_eq!(refused.kind(), ErrorKind::Closed);
    }
}
