//! What is late: connections that got no further, records past their delivery timeout.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::connection::Connection;
use crate::ids::PartitionId;
use crate::outcome::{Cause, WaitingFor};
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;

impl<T: Clone> Engine<T> {
    /// Ends connections that got no further in time, and those that carry nothing any more.
    pub(crate) fn expire_connections(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        // Ends, because each one that is found is taken out.
        while let Some((connection_id, ending)) = self.connections.first_late(&self.config, now) {
            self.disconnect(connection_id, ending, now, queues);
        }
    }

    /// Ends what is past its delivery timeout.
    ///
    /// One sweep over all that waits instead of one timer per batch: verdicts may come late by a
    /// twentieth of the timeout, a second at most.
    pub(crate) fn sweep(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        if self.sweep_at.is_none_or(|at| at > now) {
            return;
        }
        self.wanted.expire(now);
        self.asking.expire(now);
        let mut waiting: Vec<PartitionId> = self.lists.enlisted().collect();
        waiting.extend(self.partitions_in_flight());
        waiting.sort_unstable();
        waiting.dedup();
        let unreachable = self.connections.unreachable().map(|(broker, error)| {
            let error = Arc::new(error.clone());
            (broker, Arc::new(Cause::Unreachable { error }))
        });
        let unreachable: BTreeMap<i32, Arc<Cause>> = unreachable.collect();
        let no_identity = self.why_no_identity();
        for partition in waiting {
            if self.is_gone(partition) {
                self.end_gone(partition, now, queues);
            }
            let leader = self.cluster.leader(partition).broker();
            let connection = leader.and_then(|id| self.connections.to(id));
            let reachable = connection.is_some_and(Connection::is_usable);
            let mut is_still_trying = false;
            let known = leader.and_then(|id| unreachable.get(&id)).cloned();
            let (waiting_for, why) = match leader {
                _ if known.is_some() => (WaitingFor::Leader, known),
                _ if no_identity.is_some() => (WaitingFor::Identity, no_identity.clone()),
                _ if reachable => (WaitingFor::Turn, None),
                Some(id) => {
                    is_still_trying = true;
                    (WaitingFor::Leader, self.so_far(id, now))
                }
                None => (WaitingFor::Leader, None),
            };
            let why = (why.as_ref(), is_still_trying);
            let out = &mut self.out;
            queues.with(partition, |queue| queue.expire(now, waiting_for, why, out));
            self.lists.mark_dirty(partition);
        }
        self.look_at_dirty(now, queues);
        self.sweep_at = self.has_work().then(|| now + self.sweep_every());
    }

    /// There is something to sweep from now on, if there is and was not.
    pub(crate) fn plan_sweep(&mut self, now: Instant) {
        if self.sweep_at.is_none() && self.has_work() {
            self.sweep_at = Some(now + self.sweep_every());
        }
    }

    /// How far the attempt to reach a broker has come that has not failed.
    fn so_far(&self, broker: i32, now: Instant) -> Option<Arc<Cause>> {
        let error = Arc::new(self.connections.to(broker)?.so_far(now));
        Some(Arc::new(Cause::Unreachable { error }))
    }

    /// What keeps the producer id away, if records wait for it.
    fn why_no_identity(&self) -> Option<Arc<Cause>> {
        if !self.config.idempotence || self.identity.current().is_some() {
            return None;
        }
        if self.no_identity.is_some() {
            return self.no_identity.clone();
        }
        let connection = self.connections.get(self.init.asked()?)?;
        let reason = format!("{} was asked, and has not answered", connection.address());
        let reason = Arc::from(reason);
        Some(Arc::new(Cause::NoIdentity { code: None, reason }))
    }

    fn sweep_every(&self) -> Duration {
        (self.config.delivery_timeout / 20).clamp(Duration::from_millis(5), Duration::from_secs(1))
    }
}
