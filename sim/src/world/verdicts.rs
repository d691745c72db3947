//! What callers were told, and whether it came in time and to whom it belongs.

use std::time::Duration;

use downpour::{Record, Unfinished};

use crate::history::{Fate, key_of, value_of};
use crate::judge::Circumstances;
use crate::trouble::Trouble;
use crate::world::state::World;

impl World {
    /// A record's verdict reached whoever waited for it.
    pub(crate) fn judge(&mut self, id: u32) {
        let entry = self.history().entries.get(&id).cloned();
        let Some((entry, (fate, at))) = entry.and_then(|e| Some((e.clone(), e.fate?))) else {
            return;
        };
        self.trace
            .note(self.now, || format!("record {id} is {fate:?}"));
        self.tally.count(match fate {
            Fate::Delivered { offset: None } => "records: delivered, offset unknown",
            Fate::Delivered { .. } => "records: delivered",
            Fate::Sent => "records: sent",
            Fate::Failed { .. } => "records: failed",
            Fate::Unknown { .. } => "records: unknown",
        });
        let due = entry.accepted_at + entry.timeout + self.tolerance();
        if at > due && at > self.suspended_until + self.tolerance() {
            let late = at - due;
            self.fail(format!(
                "record {id} got its verdict {late:?} after its deadline"
            ));
        }
        if matches!(fate, Fate::Failed { .. }) {
            self.ledger.handle_failed(id, self.now);
        }
        if let Fate::Unknown { why } = &fate {
            // A caller is told a moment after the verdict, each in its own time.
            let late = self.plan.net.jitter + Duration::from_millis(1);
            let is_sure = self.plan.expect.is_strict()
                && !self.said.contains(&entry.place)
                && self.suspended_until + late < self.now;
            let told_by = self.now.saturating_sub(late);
            if is_sure && self.ledger.is_absent(id, told_by) {
                self.fail(format!(
                    "record {id} is called unknown ({why}) behind one that is absent"
                ));
            }
        }
    }

    /// How much later than its deadline a verdict may come: the sweep's pace, and what keeps a
    /// batch away from the sweep. One that is being compressed misses a sweep.
    pub(crate) fn tolerance(&self) -> Duration {
        let sweep = (self.plan.config.delivery_timeout / 20)
            .clamp(Duration::from_millis(5), Duration::from_secs(1));
        2 * sweep + self.plan.net.sealing + 4 * self.plan.net.jitter + Duration::from_millis(5)
    }

    /// What verdicts are judged by, beside what was sent.
    pub(crate) fn circumstances(&self) -> Circumstances {
        let plan = &self.plan;
        let trouble = || plan.phases.iter().flat_map(|phase| &phase.trouble);
        let stood_still: Duration = trouble()
            .filter_map(|(_, trouble)| match trouble {
                Trouble::Suspend(time) => Some(*time),
                _ => None,
            })
            .sum();
        let late = 6 * plan.net.jitter + Duration::from_millis(50);
        // A name that was being looked up while the process stood still comes too late.
        let hard_names =
            |trouble: &Trouble| matches!(trouble, Trouble::Names(_) | Trouble::Suspend(_));
        let jumps = |trouble: &Trouble| matches!(trouble, Trouble::WallClock(_));
        Circumstances {
            late: late + stood_still + plan.config.linger.duration(),
            closed_at: self.closed_at,
            names_fail: !plan.net.finds_names()
                || plan.net.lookup >= plan.config.connect_timeout
                || trouble().any(|(_, trouble)| hard_names(trouble)),
            old_records: plan.old_records > 0 || trouble().any(|(_, trouble)| jumps(trouble)),
            remade: self.remade.clone(),
            well_since: self.well_since(),
        }
    }

    /// When the last trouble was over and what it left behind is mended; `None` if it goes on, or
    /// if records may time out without any.
    fn well_since(&self) -> Option<Duration> {
        let config = &self.plan.config;
        let timeouts = self.plan.options.iter().map(|o| o.delivery_timeout);
        let is_patient = timeouts.min() > Some(Duration::from_secs(60));
        if !(is_patient && self.plan.heals && self.plan.net.is_fast_enough(config)) {
            return None;
        }
        // What has gone silent is noticed, given up, and reached anew, possibly twice.
        let once = config.request_timeout + config.connect_timeout;
        let once = once + config.reconnect_backoff.1 + config.retry_backoff.1;
        let took = self.plan.turns_take(self.next_id as usize, 0);
        Some(self.healed_at?.max(self.suspended_until) + 3 * once + took)
    }

    /// What a producer that was closed in a hurry handed back.
    pub(crate) fn take_back(&mut self, unfinished: &Unfinished) {
        for record in unfinished.unsent() {
            if let Err(broken) = self.take_back_one(record) {
                self.fail(broken);
            }
        }
        let unknown: u64 = unfinished.unknown().iter().map(|u| u.count()).sum();
        self.tally.add("records: unknown at a close", unknown);
    }

    fn take_back_one(&mut self, record: &Record<'_>) -> Result<(), String> {
        let value = record.get_value().unwrap_or_default();
        let id = value.first_chunk::<4>().map(|id| u32::from_be_bytes(*id));
        let id = id.ok_or("something was handed back that nobody sent")?;
        let has_own_headers = self.has_own_headers(id, record);
        let topics = &self.plan.topics;
        let mut desk = self.desk.borrow_mut();
        let Some(entry) = desk.history.entries.get_mut(&id) else {
            return Err(format!("record {id} was handed back and never accepted"));
        };
        let key = entry.keyed.then(|| key_of(id).to_vec());
        let is_same = record.get_key() == key.as_deref()
            && value == value_of(id, entry.len)
            && record.get_topic() == topics[entry.place.0 as usize].name
            && record.get_partition() == Some(entry.place.1);
        if !is_same || !has_own_headers {
            return Err(format!("record {id} was handed back as another"));
        }
        if std::mem::replace(&mut entry.returned, true) {
            return Err(format!("record {id} was handed back twice"));
        }
        desk.count("records: handed back");
        Ok(())
    }
}
