//! Whether a producer still works after all that happened: once nothing is wrong any more, a record
//! to each partition arrives.
//!
//! Records of the run itself may have ended otherwise, rightly. What must not be is that something
//! is stuck for good: a leader that is never asked for again, a connection that is never opened.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

use downpour_core::config::Acks;

use crate::history::Place;
use crate::plan::{End, RecordPlan};
use crate::world::state::{Event, Link, World};

/// A sender may give up, or its record be refused for something that was so a moment ago.
const EVERY: Duration = Duration::from_secs(1);

/// Bytes of a probe's value.
const LEN: usize = 8;

impl World {
    /// Sends to every partition until something has arrived in each.
    pub(crate) fn probe(&mut self) {
        let (net, config) = (&self.plan.net, &self.plan.config);
        let can_work = self.plan.heals && net.is_fast_enough(config) && net.finds_names();
        let is_closing = matches!(self.plan.end, End::Drain | End::Abort(..));
        if !can_work || is_closing || self.phase + 1 < self.plan.phases.len() {
            return;
        }
        let once = config.request_timeout + config.connect_timeout;
        let once = once + config.reconnect_backoff.1 + config.retry_backoff.1;
        let longest = self.plan.options.iter().map(|o| o.delivery_timeout).max();
        let patience = longest.unwrap_or_default() + self.tolerance();
        let took = self.plan.turns_take(self.next_id as usize, 0);
        let within = 4 * once + took;
        self.go_for(patience, |world| world.healed);
        // Where nobody answers, who takes bytes for ever does so unnoticed.
        let is_deaf = |link: &Link| link.client_open && (link.hung || link.deaf);
        let is_unnoticed = self.links.values().any(is_deaf);
        if !self.healed || is_unnoticed && self.plan.config.acks == Acks::None {
            return;
        }
        self.tally.count("runs: probed at the end");
        // Each goes where it is said to go.
        (self.plan.extras.free, self.plan.extras.impossible) = (0, 0);
        self.plan.hurried = 0;
        let before = self.ends();
        let due = self.now + within;
        loop {
            let missing = self.not_reached(&before);
            if missing.is_empty() || self.violation.is_some() {
                break;
            }
            if self.now > due.max(self.suspended_until + within) {
                self.fail(format!(
                    "all is well, and nothing arrives in {missing:?} within {within:?}"
                ));
                break;
            }
            self.senders.clear();
            for (topic, partition) in missing {
                let record = RecordPlan {
                    topic,
                    partition,
                    keyed: true,
                    len: LEN,
                    options: 0,
                    pause: Duration::ZERO,
                };
                let id = self.next_id;
                self.next_id += 1;
                self.add_sender(0, id, vec![record]);
            }
            for time in [EVERY / 10, EVERY] {
                // Something happens then, if nothing else does.
                let later = time + Duration::from_millis(1);
                self.after(later, Event::Slept(Waker::noop().clone()));
                self.go_for(time, |world| world.not_reached(&before).is_empty());
                self.flush();
            }
        }
        self.go_for(patience, |world| {
            world.all_ended() && world.senders_are_done()
        });
    }

    /// Where each partition's log ends.
    fn ends(&self) -> BTreeMap<Place, i64> {
        let mut ends = BTreeMap::new();
        for (number, topic) in (0..).zip(&self.plan.topics) {
            let partitions = self.cluster.partition_count(&topic.name).unwrap_or(0);
            for partition in 0..partitions {
                let end = self.cluster.end_offset(&topic.name, partition);
                ends.insert((number, partition), end);
            }
        }
        ends
    }

    /// Partitions whose log ends where it did.
    fn not_reached(&self, before: &BTreeMap<Place, i64>) -> Vec<Place> {
        let ends = self.ends().into_iter();
        let missing = ends.filter(|(place, end)| before.get(place) == Some(end));
        missing.map(|(place, _)| place).collect()
    }
}
