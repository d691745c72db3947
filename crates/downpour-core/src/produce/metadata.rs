//! When the cluster is asked about itself, and by which connection.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{ApiKey, MetadataRequest, MetadataRequestTopic, MetadataResponse};

use crate::client::ending::{DisconnectReason, Ending};
use crate::client::plausible::implausible;
use crate::config::Address;
use crate::event::{Event, Question};
use crate::ids::ConnectionId;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::requests::Purpose;

impl<T: Clone> Engine<T> {
    /// Somebody wants to send to a topic. `topic` is the shell's dense number for it.
    pub fn handle_topic_wanted(&mut self, topic: u32, name: &Arc<str>, now: Instant) {
        self.cluster.add_topic(topic, name);
        self.cluster.note_used(topic, now);
        // A topic that is there is refreshed once; only a missing one is asked for again.
        if self.cluster.topic(topic).is_none_or(|t| !t.is_told()) {
            let until = now + self.config.topic_wanted_for;
            self.wanted.want(topic, until, now);
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
        // One request at a time. What is missing is asked for alone: naming all topics for each new
        // one would make the first sends to many of them quadratic.
        let is_whole = self.metadata.is_due(now) && !self.wanted.insists(now);
        if !is_whole && (self.metadata.asked().is_some() || !self.wanted.is_due(now)) {
            return;
        }
        let last = self.metadata.last();
        let asked = self.connections.whom_to_ask(ApiKey::Metadata, last, now);
        let Some((connection_id, version)) = asked else {
            // Where nobody waits for anything the question can wait for somebody who does: an
            // idle client whose brokers are gone would otherwise knock at their doors forever.
            if self.has_work() {
                self.ensure_any_connection(now);
            }
            return;
        };
        if is_whole {
            self.wanted.pass_over(now);
        }
        let numbers = match is_whole {
            true => {
                self.rest_idle(now);
                let topics = self.cluster.topics();
                let known = topics.filter(|(_, topic)| !topic.leaders().is_empty());
                known.map(|(number, _)| number).collect()
            }
            false => self.wanted.take_due(now),
        };
        let topics = numbers.iter().filter_map(|number| {
            let name = self.cluster.topic(*number)?.name().to_string();
            Some(MetadataRequestTopic {
                name: Some(name),
                ..MetadataRequestTopic::default()
            })
        });
        let request = MetadataRequest {
            topics: Some(topics.collect()),
            // Only what somebody waits for: a refresh would else bring back each topic that is deleted
            // (librdkafka#4823). Before version 4 a broker decides for itself.
            allow_auto_topic_creation: self.config.auto_create_topics && !is_whole || version < 4,
            ..MetadataRequest::default()
        };
        self.metadata.handle_asked(connection_id);
        self.ask(
            connection_id,
            &request,
            version,
            Purpose::Metadata { is_whole },
            now,
        );
    }

    pub(crate) fn handle_metadata(
        &mut self,
        connection_id: ConnectionId,
        response: &MetadataResponse,
        is_whole: bool,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.metadata.handle_answered();
        let backoff = self.config.retry_backoff;
        if let Some((reason, ending)) = useless(response) {
            // Whoever says so knows of no cluster: somebody else is asked.
            if response.error_code == ErrorCode::REBOOTSTRAP_REQUIRED {
                self.cluster.forget_brokers();
                self.event(Event::Rebootstrap);
            }
            let address = self
                .connections
                .get(connection_id)
                .map(|c| c.address().clone());
            if let Some(address) = address {
                let code = Some(response.error_code).filter(|code| !code.is_none());
                self.unanswered(Question::Metadata, &address, (code, reason), now);
            }
            self.disconnect(connection_id, ending, now, queues);
            self.wanted.handle_answered(backoff, &mut self.rng, now);
            self.metadata.retry(backoff, &mut self.rng, now);
            return;
        }
        if !self.check_cluster(connection_id, response, now, queues) {
            self.wanted.handle_answered(backoff, &mut self.rng, now);
            self.metadata.retry(backoff, &mut self.rng, now);
            return;
        }
        self.connections.handle_cluster_known();
        self.question_notices.end(&Question::Metadata, now);
        self.event(Event::MetadataUpdated {
            brokers: response.brokers.len(),
            topics: response.topics.len(),
        });
        self.end_topic_notices(response, now);
        let changes = self.cluster.merge(response);
        self.forget_brokers(now);
        self.connections.leave_moved(self.cluster.brokers());
        self.tell_nowhere(now);
        self.handle_changes(changes, now, queues);
        self.note_found(response);
        self.wanted.handle_answered(backoff, &mut self.rng, now);
        self.look_at_dirty(now, queues);
        self.answer_by_metadata(response, now);
        if !is_whole {
            self.metadata.renew_partly(backoff.0, now);
        } else if self.asking.asks_for_partitions() || self.lists.has_leaderless() {
            self.metadata.renew(now);
            self.metadata.retry(backoff, &mut self.rng, now);
        } else {
            self.metadata.renew(now);
            // A refresh on a stale leader needs no more than this backoff between two.
            self.metadata.settle(backoff.0, now);
        }
        self.close_bootstrap_connections();
    }

    /// Forgets brokers that are gone and of which nothing is under way.
    fn forget_brokers(&mut self, now: Instant) {
        let is_known = |id: i32| self.cluster.knows(id);
        self.connections.forget_others(is_known, now);
        self.statistics.forget_brokers(is_known);
        let (connections, lists) = (&self.connections, &self.lists);
        self.brokers.retain(|&id, broker| {
            let is_used = connections.to(id).is_some() || lists.len(id) > 0;
            is_known(id) || is_used || broker.owes_since.is_some() || broker.is_silent
        });
    }

    /// Whether this is a broker's address, or one of those to begin at.
    pub fn is_known(&self, address: &Address) -> bool {
        let mut known = self
            .cluster
            .brokers()
            .values()
            .chain(&self.config.bootstrap);
        known.any(|known| known == address)
    }

    /// Brokers that advertise what is no address: nobody will try to connect to them.
    fn tell_nowhere(&mut self, now: Instant) {
        let nowhere: Vec<_> = self.cluster.nowhere().collect();
        for (broker, error) in nowhere {
            let notice = self
                .connections
                .note_end(error.address(), &Err(error.clone()), now);
            self.connections.handle_unreachable(broker, error.clone());
            self.event(Event::ConnectFailed {
                error,
                broker: Some(broker),
                retry_after: self.config.metadata_max_age,
                has_worked: false,
                notice,
            });
        }
    }

    /// Ends the questions for topics that are there, also where nothing about them is new: one that was
    /// gone for a moment would be asked for until nobody can be waiting any more.
    fn note_found(&mut self, response: &MetadataResponse) {
        if self.wanted.is_empty() {
            return;
        }
        for topic in &response.topics {
            let is_there = topic.error_code.is_none() && !topic.partitions.is_empty();
            let name = topic.name.as_deref().unwrap_or_default();
            if let Some(number) = self.cluster.number_of(name).filter(|_| is_there) {
                self.wanted.handle_found(number);
            }
        }
    }

    /// Topics whose trouble was told and that are well again.
    fn end_topic_notices(&mut self, response: &MetadataResponse, now: Instant) {
        if self.topic_notices.is_empty() {
            return;
        }
        for topic in &response.topics {
            if !topic.error_code.is_none() || topic.partitions.is_empty() {
                continue;
            }
            let name = topic.name.as_deref().unwrap_or_default();
            let number = self.cluster.number_of(name);
            let ended = number.and_then(|number| self.topic_notices.end(&number, now));
            if let Some((lasted, _)) = ended {
                let topic = Arc::from(name);
                self.event(Event::TopicAvailable { topic, lasted });
            }
        }
    }
}

/// Why nothing can be made of an answer, in words that follow the broker's address, and what to end
/// its connection with.
fn useless(response: &MetadataResponse) -> Option<(Arc<str>, Ending)> {
    let nobody = || Ending::Ended(DisconnectReason::NoCluster);
    match response.error_code {
        ErrorCode::NONE if response.brokers.is_empty() => {
            let reason = DisconnectReason::NoCluster.to_string();
            Some((Arc::from(reason), nobody()))
        }
        ErrorCode::NONE => {
            let reason: Arc<str> = Arc::from(implausible(response)?);
            let ending = Ending::protocol(&reason);
            Some((reason, ending))
        }
        // REBOOTSTRAP_REQUIRED (KIP-1102), or what has no meaning here.
        code => Some((Arc::from(format!("it answered {code}")), nobody())),
    }
}
