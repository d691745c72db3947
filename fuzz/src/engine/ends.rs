//! How a sequence of operations ends: all goes well from then on, and everything must arrive.

use std::time::Duration;

use downpour_core::queue::Queue;

use super::cluster::PARTITIONS;
use super::{Run, SOON};
use crate::model::book::End;
use crate::trace::tell;

impl Run {
    /// Everything that waits for somebody gets it, and nothing goes wrong.
    pub(super) fn go_well(&mut self) {
        for _ in 0..4 {
            let mut is_done = self.wanted.is_empty() && self.jobs.is_empty();
            while !self.wanted.is_empty() {
                self.open();
            }
            while !self.jobs.is_empty() {
                self.seal(0);
            }
            while self.serve(0, (0, 0)) {
                is_done = false;
            }
            if is_done {
                return;
            }
            self.step();
        }
    }

    pub(super) fn abort(&mut self) {
        for asked in self.connections.values().flat_map(|c| &c.asked) {
            for carried in &asked.carried {
                self.book.note_doubt(&carried.came);
            }
        }
        drop(self.engine.abort(self.now, &mut self.held));
        self.is_over = true;
    }

    pub(super) fn finish(&mut self) {
        tell!("all is well");
        self.cluster.mend();
        self.is_kernel_full = false;
        if self.is_over {
            self.step();
            while !self.jobs.is_empty() {
                self.seal(0);
            }
            self.abort();
            self.step();
        } else {
            self.step();
            let patience = self.config.delivery_timeout + SOON;
            self.settle(patience, false);
            (0..2).for_each(|number| self.want(number));
            self.step();
            self.settle(SOON, true);
            // One that may not wait for long, nor be sent often, may fail while leaders are looked for.
            let is_patient = self.config.delivery_timeout >= SOON && self.config.retries > 2;
            let tries = if is_patient { 1 } else { 8 };
            assert!(
                (0..tries).any(|_| self.probe()),
                "a record to a cluster that is well does not arrive"
            );
        }
        while !self.afloat.is_empty() {
            self.surface(0);
        }
        assert_eq!(self.lent, 0, "memory that did not come back");
        for number in 0..2 {
            for index in 0..PARTITIONS {
                let partition = number * PARTITIONS + index;
                let logs = self.cluster.logs(number, index);
                let excused = self.cluster.excused[partition];
                self.book
                    .check(partition, &logs, excused, self.config.order_across_options);
            }
        }
    }

    /// Sends a record to every partition, and says whether all arrive.
    pub(super) fn probe(&mut self) -> bool {
        let mut probes = Vec::new();
        for number in 0..2 {
            let (there, known) = (
                self.cluster.topics[number].partitions.len(),
                self.known[number],
            );
            assert!(known > 0, "topic {number} is there, and nobody is told");
            for index in 0..there.min(known) {
                probes.push(self.book.next_record());
                self.append_one((number, index), 0, 0);
            }
        }
        self.step();
        self.settle(SOON, true);
        probes.into_iter().all(|probe| {
            let end = self.book.end(probe);
            tell!("{probe}: {end:?}");
            matches!(end, Some(End::At(_) | End::Delivered | End::Sent))
        })
    }

    /// Runs until no record is left, and callers know both topics if they want to.
    pub(super) fn settle(&mut self, within: Duration, both_topics: bool) {
        let until = self.now + within;
        loop {
            self.go_well();
            self.step();
            let is_waiting = !self.wanted.is_empty() || !self.jobs.is_empty();
            let has_asked = self.connections.values().any(|c| !c.asked.is_empty());
            if is_waiting || has_asked {
                continue;
            }
            let is_empty = self.held.queues.values().all(Queue::is_empty);
            if is_empty && (!both_topics || self.known.iter().all(|known| *known > 0)) {
                return;
            }
            assert!(
                self.now < until,
                "{} records have no verdict after {within:?} though the cluster is well",
                self.book.unresolved()
            );
            let before = self.now;
            self.sleep_until_due();
            assert!(self.now > before, "nothing will ever happen any more");
            self.step();
        }
    }
}
