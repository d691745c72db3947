//! When the cluster is asked about itself, and by which connection.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{ApiKey, MetadataRequest, MetadataRequestTopic, MetadataResponse};

use crate::client::ending::{DisconnectReason, Ending};
use crate::event::Event;
use crate::ids::ConnectionId;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::requests::Purpose;

impl<T: Clone> Engine<T> {
    /// Somebody wants to send to a topic. `topic` is the shell's dense number for it.
    pub fn handle_topic_wanted(&mut self, topic: u32, name: &Arc<str>, now: Instant) {
        let is_new = self.cluster.add_topic(topic, name);
        // A topic that is there is refreshed once; only a missing one is asked for again.
        if self.lists.count(topic) == 0 {
            let until = now + self.config.topic_wanted_for;
            self.wanted.insert(topic, until);
        }
        // One that was refused is wanted by each record that is sent to it.
        if is_new {
            self.metadata.want_at_once();
        } else {
            self.metadata.want();
        }
    }

    /// Asks for metadata if it is due.
    pub(crate) fn ask_metadata(&mut self, now: Instant) {
        let age = self.config.metadata_max_age;
        let any_topic = self.cluster.topics().next().is_some();
        if any_topic && self.metadata.ages_at(age).is_some_and(|at| at <= now) {
            self.metadata.want();
        }
        if !self.metadata.is_due(now) {
            return;
        }
        let Some(connection) = self.connections.least_loaded(now) else {
            // Where nobody waits for anything the question can wait for somebody who does: an
            // idle client whose brokers are gone would otherwise knock at their doors forever.
            if self.has_work() {
                self.ensure_any_connection(now);
            }
            return;
        };
        let connection_id = connection.id();
        let version = connection
            .version_of(ApiKey::Metadata)
            .expect("a connection without it cannot be used");
        let wanted = |number: u32, known: bool| {
            known || self.wanted.get(&number).is_some_and(|until| *until > now)
        };
        let topics = self
            .cluster
            .topics()
            .filter(|(number, topic)| wanted(*number, !topic.leaders().is_empty()))
            .map(|(_, topic)| MetadataRequestTopic {
                name: Some(topic.name().to_string()),
                ..MetadataRequestTopic::default()
            });
        let request = MetadataRequest {
            topics: Some(topics.collect()),
            // Before version 4 a broker decides for itself.
            allow_auto_topic_creation: self.config.auto_create_topics || version < 4,
            ..MetadataRequest::default()
        };
        self.metadata.handle_asked(connection_id);
        self.ask(connection_id, &request, version, Purpose::Metadata, now);
    }

    pub(crate) fn handle_metadata(
        &mut self,
        connection_id: ConnectionId,
        response: &MetadataResponse,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.metadata.handle_answered();
        if !response.error_code.is_none() || response.brokers.is_empty() {
            // REBOOTSTRAP_REQUIRED (KIP-1102), or a broker that knows of nobody: ask elsewhere.
            if response.error_code == ErrorCode::REBOOTSTRAP_REQUIRED {
                self.cluster.forget_brokers();
                self.event(Event::Rebootstrap);
            }
            let ending = Ending::Ended(DisconnectReason::NoCluster);
            self.disconnect(connection_id, ending, now, queues);
            self.metadata_again(now);
            return;
        }
        self.metadata.renew(now);
        self.connections.handle_cluster_known();
        self.event(Event::MetadataUpdated {
            brokers: response.brokers.len(),
            topics: response.topics.len(),
        });
        let changes = self.cluster.merge(response);
        self.handle_changes(changes, queues);
        self.look_at_dirty(now, queues);
        self.answer_by_metadata(response);
        let missing = self.wanted.values().any(|until| *until > now);
        let is_asked = self.asking.asks_for_partitions();
        if missing || is_asked || self.lists.has_leaderless() {
            self.metadata_again(now);
        } else {
            // A refresh on a stale leader needs no more than this backoff between two.
            self.metadata.settle(self.config.retry_backoff.0, now);
        }
        self.close_bootstrap_connections();
    }

    fn metadata_again(&mut self, now: Instant) {
        let backoff = self.config.retry_backoff;
        self.metadata.retry(backoff, &mut self.rng, now);
    }
}
