//! Time: what is due now, and when to look again.

use std::time::{Duration, Instant};

use crate::client::connection::Stage;
use crate::ids::ConnectionId;
use crate::ids::PartitionId;
use crate::outcome::WaitingFor;
use crate::produce::engine::{Engine, earlier};
use crate::produce::queues::Queues;
use crate::produce::topic_state::{PartitionState, ReadyList};

impl<T: Clone> Engine<T> {
    /// Runs what is due. Call it after every `handle_*` and when [`next_wake`](Self::next_wake)
    /// has come.
    pub fn poll(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        self.note_answers(now);
        self.expire_connections(now, queues);
        self.look_at_dirty(now, queues);
        self.sweep(now, queues);
        self.ask_metadata(now);
        self.ask_identity(now, queues);
        self.dispatch(now, queues);
    }

    /// When [`poll`](Self::poll) has something to do again though nothing happens; `None` while
    /// there is nothing to wait for.
    ///
    /// Ask right after a poll at the same `now`: what was due then and was not done waits for
    /// something else to happen, and is left out, so that nobody spins on it.
    pub fn next_wake(&self, now: Instant) -> Option<Instant> {
        let mut wake = None;
        let mut consider = |at: Option<Instant>| wake = earlier(wake, at.filter(|&at| at > now));
        consider(self.sweep_at);
        for connection in self.connections.values() {
            let (connect, request) = (self.config.connect_timeout, self.config.request_timeout);
            consider(connection.deadline(connect, request));
            consider(connection.idle_at(self.config.idle_timeout));
            consider(connection.throttled_until);
        }
        for broker in self.brokers.values().filter(|b| !b.active.is_empty()) {
            consider(broker.next_at);
            let pause = broker.pause.filter(|_| broker.is_pausing(now));
            consider(pause.map(|pause| pause.until));
            consider(broker.retry_at);
        }
        for question in [&self.metadata, &self.init] {
            if question.wanted && question.asked.is_none() {
                consider(question.retry_at);
            }
        }
        if self.connections.is_empty() && (self.metadata.wanted || self.has_work()) {
            consider(self.bootstrap.retry_at);
            self.brokers
                .values()
                .for_each(|broker| consider(broker.retry_at));
        }
        consider(
            self.metadata
                .answered_at
                .map(|at| at + self.config.metadata_max_age),
        );
        wake
    }

    /// Whether a Produce request waits for its answer.
    pub fn is_in_flight(&self) -> bool {
        self.brokers.values().any(|broker| broker.in_flight > 0)
    }

    /// Whether any record waits for its verdict.
    pub(crate) fn has_work(&self) -> bool {
        !self.dirty.is_empty()
            || !self.leaderless.is_empty()
            || self
                .brokers
                .values()
                .any(|b| !b.active.is_empty() || b.in_flight > 0)
            || self
                .topics
                .iter()
                .any(|t| t.wanted_until.is_some() || t.partitions.iter().any(|p| p.in_flight > 0))
    }

    pub(crate) fn partitions_where(
        &self,
        wanted: impl Fn(&PartitionState) -> bool,
    ) -> Vec<PartitionId> {
        let mut found = Vec::new();
        for (topic, state) in (0..).zip(&self.topics) {
            for (index, state) in (0..).zip(&state.partitions) {
                if wanted(state) {
                    found.push(PartitionId { topic, index });
                }
            }
        }
        found
    }

    fn expire_connections(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        let (connect, request) = (self.config.connect_timeout, self.config.request_timeout);
        let idle = self.config.idle_timeout;
        let mut late: Vec<(ConnectionId, String)> = Vec::new();
        for connection in self.connections.values() {
            if connection
                .deadline(connect, request)
                .is_some_and(|at| at <= now)
            {
                late.push((
                    connection.id,
                    match connection.stage {
                        Stage::Connecting => format!("no connection within {connect:?}"),
                        Stage::Negotiating => {
                            format!("connected, but no answer to ApiVersions within {connect:?}")
                        }
                        Stage::Ready => format!("no answer within {request:?}"),
                    },
                ));
            } else if connection.idle_at(idle).is_some_and(|at| at <= now) {
                late.push((connection.id, format!("idle for {idle:?}")));
            }
        }
        for (connection_id, reason) in late {
            self.disconnect(connection_id, &reason, now, queues);
        }
    }

    /// Ends what is past its delivery timeout.
    ///
    /// One sweep over all that waits instead of a timer a batch: verdicts may come late by a
    /// twentieth of the timeout, a second at most.
    fn sweep(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        match self.sweep_at {
            None if self.has_work() => {
                self.sweep_at = Some(now + self.sweep_every());
                return;
            }
            Some(at) if at <= now => {}
            _ => return,
        }
        for topic in &mut self.topics {
            topic.wanted_until = topic.wanted_until.filter(|&until| until > now);
        }
        let waiting = self.partitions_where(|p| p.list != ReadyList::None || p.in_flight > 0);
        for partition in waiting {
            let place = self.partition(partition).map(|state| state.list);
            let broker = match place {
                Some(ReadyList::Broker(id)) => self.brokers.get(&id),
                _ => None,
            };
            let connection_id = broker
                .and_then(|b| b.connection_id)
                .and_then(|connection_id| self.connections.get(&connection_id));
            let reachable = connection_id.is_some_and(|c| c.is_ready());
            let waiting_for = if reachable {
                WaitingFor::DrainContext
            } else {
                WaitingFor::Leader
            };
            let out = &mut self.out;
            queues.with(partition, |queue| queue.expire(now, waiting_for, out));
            self.dirty.push(partition);
        }
        self.look_at_dirty(now, queues);
        self.sweep_at = self.has_work().then(|| now + self.sweep_every());
    }

    fn sweep_every(&self) -> Duration {
        (self.config.delivery_timeout / 20).clamp(Duration::from_millis(5), Duration::from_secs(1))
    }
}
