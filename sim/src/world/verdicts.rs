//! What senders are told: verdicts, and whether they come once, in time and to whom they belong.

use std::time::Duration;

use downpour_core::outcome::Verdict;
use downpour_core::queue::Unsent;

use crate::history::{Fate, key_of, value_of};
use crate::world::state::{Ticket, World};

/// The waker of one who waits for a whole batch.
pub(crate) const WHOLE: u32 = u32::MAX;

impl World {
    pub(crate) fn resolve(
        &mut self,
        ticket: Ticket,
        (first, count): (u32, u32),
        total: u32,
        verdict: Verdict,
    ) {
        self.trace.note(self.now, || {
            format!("batch {ticket} [{first}..{}] {verdict:?}", first + count)
        });
        let batch = &mut self.batches[ticket];
        let records = batch.records.len();
        let mut woken = Vec::new();
        let resolved = batch
            .completion
            .resolve(first, count, total, verdict, &mut woken);
        if records != total as usize {
            self.fail(format!(
                "batch {ticket} was resolved with {total} records of {records}"
            ));
            return;
        }
        if let Err(twice) = resolved {
            self.fail(format!("batch {ticket}: {twice:?}"));
            return;
        }
        let late = self
            .now
            .saturating_sub(batch.opened_at + batch.delivery_timeout);
        let tolerance = self.tolerance();
        let batch = &self.batches[ticket];
        let mut broken = None;
        if late > tolerance {
            broken = Some(format!(
                "batch {ticket} of {:?} got its verdict {late:?} after its deadline",
                batch.partition
            ));
        }
        for index in first..first + count {
            let id = batch.records.get(index as usize);
            let entry = id.and_then(|id| self.history.entries.get_mut(id));
            let (Some(entry), Some(verdict)) = (entry, batch.completion.verdict(index)) else {
                broken = Some(format!("batch {ticket} has no record {index}"));
                break;
            };
            let (fate, word) = fate_of(&verdict);
            self.tally.count(word);
            if let (Some(id), Fate::Failed { .. }) = (id, &fate) {
                self.ledger.handle_failed(*id);
            }
            if let (Some(id), Fate::Unknown { why }) = (id, &fate) {
                let is_sure = self.plan.expect.is_strict() && !self.said.contains(&batch.partition);
                if is_sure && self.ledger.is_absent(*id) {
                    broken = Some(format!(
                        "record {id} is called unknown ({why}) behind one that is absent"
                    ));
                }
            }
            if entry.fate.replace(fate).is_some() {
                broken = Some(format!("record {id:?} got a second verdict"));
            }
            self.open -= 1;
        }
        let mut whole = false;
        for waker in woken {
            let entry = self.history.entries.get_mut(&waker);
            match entry.filter(|entry| entry.fate.is_some()) {
                Some(entry) => entry.woken = true,
                None if waker == WHOLE && batch.completion.is_complete() => whole = true,
                None => broken = Some(format!("batch {ticket}: {waker} was woken too early")),
            }
        }
        self.batches[ticket].owes_wake &= !whole;
        if let Some(broken) = broken {
            self.fail(broken);
        }
    }

    /// How much later than its deadline a verdict may come: the sweep's pace, and what keeps a
    /// batch away from the sweep. One that is being compressed misses a sweep.
    pub(crate) fn tolerance(&self) -> Duration {
        let sweep = (self.plan.config.delivery_timeout / 20)
            .clamp(Duration::from_millis(5), Duration::from_secs(1));
        2 * sweep + self.plan.net.sealing + 2 * self.plan.net.jitter + Duration::from_millis(5)
    }

    pub(crate) fn take_back(&mut self, unsent: &Unsent<Ticket>) {
        let records = match unsent.body.records() {
            Ok(records) => records,
            Err(error) => {
                self.fail(format!(
                    "a batch that was handed back cannot be read: {error}"
                ));
                return;
            }
        };
        let batch = &self.batches[unsent.ticket];
        let mut broken = None;
        for (index, record) in (unsent.first as usize..).zip(&records) {
            let id = batch.records.get(index).copied();
            let entry = id.and_then(|id| Some((id, self.history.entries.get_mut(&id)?)));
            let Some((id, entry)) = entry else {
                broken = Some(format!("batch {} has no record {index}", unsent.ticket));
                break;
            };
            let key = entry.keyed.then(|| key_of(id).to_vec());
            if record.key != key || record.value != Some(value_of(id, entry.len)) {
                broken = Some(format!("record {id} was handed back as another"));
            }
            entry.returned = true;
            self.tally.count("records: handed back");
        }
        if let Some(broken) = broken {
            self.fail(broken);
        }
    }
}

fn fate_of(verdict: &Verdict) -> (Fate, &'static str) {
    match verdict {
        Verdict::Delivered {
            base_offset: None, ..
        } => (
            Fate::Delivered { offset: None },
            "records: delivered, offset unknown",
        ),
        Verdict::Delivered { base_offset, .. } => (
            Fate::Delivered {
                offset: *base_offset,
            },
            "records: delivered",
        ),
        Verdict::Sent => (Fate::Sent, "records: sent"),
        Verdict::Failed(failure) => (
            Fate::Failed {
                why: failure.to_string(),
            },
            "records: failed",
        ),
        Verdict::Unknown(failure) => (
            Fate::Unknown {
                why: failure.to_string(),
            },
            "records: unknown",
        ),
        _ => (
            Fate::Unknown {
                why: "internal error: a verdict that is not known here".to_owned(),
            },
            "records: unknown",
        ),
    }
}
