//! When the cluster is asked about itself, and by which connection.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{MetadataRequest, MetadataRequestTopic, MetadataResponse};

use crate::event::Event;
use crate::ids::ConnectionId;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::requests::Purpose;
use crate::produce::topic_state::TopicState;

impl<T: Clone> Engine<T> {
    /// Somebody wants to send to a topic. `topic` is the shell's dense number for it.
    pub fn handle_topic_wanted(&mut self, topic: u32, name: &Arc<str>, now: Instant) {
        self.cluster.add_topic(topic, name);
        let at = topic as usize;
        if self.topics.len() <= at {
            self.topics.resize(at + 1, TopicState::default());
        }
        self.metadata.wanted = true;
        // A topic that is there is refreshed once; only a missing one is asked for again.
        if self.topics[at].partitions.is_empty() {
            self.topics[at].wanted_until = Some(now + self.config.topic_wanted_for);
            if self.metadata.attempts == 0 {
                self.metadata.retry_at = None;
            }
        }
    }

    /// Asks for metadata if it is due.
    pub(crate) fn ask_metadata(&mut self, now: Instant) {
        let age = self.config.metadata_max_age;
        let any_topic = self.cluster.topics().next().is_some();
        if any_topic && self.metadata.answered_at.is_some_and(|at| at + age <= now) {
            self.metadata.wanted = true;
        }
        if !self.metadata.is_due(now) {
            return;
        }
        let Some(connection_id) = self.least_loaded(now) else {
            self.ensure_any_connection(now);
            return;
        };
        let Some(connection) = self.connections.get(&connection_id) else {
            return;
        };
        let version = connection.versions.metadata;
        let wanted = |number: u32, known: bool| {
            let until = self
                .topics
                .get(number as usize)
                .and_then(|t| t.wanted_until);
            known || until.is_some_and(|until| until > now)
        };
        let topics = self
            .cluster
            .topics()
            .filter(|(number, topic)| wanted(*number, !topic.leaders.is_empty()))
            .map(|(_, topic)| MetadataRequestTopic {
                name: Some(topic.name.to_string()),
                ..MetadataRequestTopic::default()
            });
        let request = MetadataRequest {
            topics: Some(topics.collect()),
            // Before version 4 a broker decides for itself.
            allow_auto_topic_creation: self.config.auto_create_topics || version < 4,
            ..MetadataRequest::default()
        };
        self.metadata.asked = Some(connection_id);
        self.ask(connection_id, &request, version, Purpose::Metadata, now);
    }

    /// The ready connection with the fewest requests on it.
    pub(crate) fn least_loaded(&self, now: Instant) -> Option<ConnectionId> {
        self.connections
            .values()
            .filter(|c| c.is_ready() && c.throttled_until.is_none_or(|at| at <= now))
            .min_by_key(|c| (c.pending.len(), c.broker.is_none()))
            .map(|c| c.id)
    }

    pub(crate) fn handle_metadata(
        &mut self,
        connection_id: ConnectionId,
        response: &MetadataResponse,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.metadata.asked = None;
        if !response.error_code.is_none() || response.brokers.is_empty() {
            // REBOOTSTRAP_REQUIRED (KIP-1102), or a broker that knows of nobody: ask elsewhere.
            if response.error_code == ErrorCode::REBOOTSTRAP_REQUIRED {
                self.cluster.forget_brokers();
                self.event(Event::Rebootstrap);
            }
            self.disconnect(connection_id, "it knows of no cluster", now, queues);
            self.metadata_again(now);
            return;
        }
        self.metadata.answered_at = Some(now);
        self.metadata.wanted = false;
        self.bootstrap.again = false;
        self.event(Event::MetadataUpdated {
            brokers: response.brokers.len(),
            topics: response.topics.len(),
        });
        let changes = self.cluster.merge(response);
        self.handle_changes(changes, queues);
        self.look_at_dirty(now, queues);
        let missing = self
            .topics
            .iter()
            .any(|t| t.wanted_until.is_some_and(|until| until > now));
        if missing || !self.leaderless.is_empty() {
            self.metadata_again(now);
        } else {
            self.metadata.attempts = 0;
            // A refresh on a stale leader needs no more than this pause between two.
            self.metadata.retry_at = Some(now + self.config.retry_backoff.0);
        }
        self.close_bootstrap_connections();
    }

    fn metadata_again(&mut self, now: Instant) {
        let backoff = self.config.retry_backoff;
        self.metadata.retry(backoff, &mut self.rng, now);
    }
}
