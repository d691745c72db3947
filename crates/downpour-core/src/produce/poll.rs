//! The engine's turn: what is due now in its order, and when to look again.

use std::time::Instant;

use crate::produce::engine::{Engine, earlier};
use crate::produce::queues::Queues;
use crate::produce::topic_state::TopicState;

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

    /// Whether every record that the engine was told of has its verdict.
    pub fn is_idle(&self) -> bool {
        !self.has_records()
    }

    /// Whether any record waits for its verdict.
    fn has_records(&self) -> bool {
        let is_in_flight = |topic: &TopicState| topic.partitions.iter().any(|p| p.in_flight > 0);
        !self.dirty.is_empty()
            || !self.leaderless.is_empty()
            || self
                .brokers
                .values()
                .any(|broker| !broker.active.is_empty())
            || self.topics.iter().any(is_in_flight)
    }

    /// Whether there is anything to do that needs a broker: records, or topics that are asked for.
    pub(crate) fn has_work(&self) -> bool {
        self.has_records() || self.topics.iter().any(|topic| topic.wanted_until.is_some())
    }
}
