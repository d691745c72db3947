//! Topics that nobody sends to: when they leave the picture of the cluster, and how they come back.
//!
//! Without it a program that turns to ever new topics would refresh all of them for good, and bring
//! back those that are deleted where brokers decide what to create. Their queues stay: identity and
//! sequence go on where they stopped. As Java's, topics leave with a refresh, not by a timer.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::client::topic::Topic;
use crate::output::{Output, TopicUpdate};
use crate::produce::engine::Engine;

impl<T: Clone> Engine<T> {
    /// Before a refresh: topics that nobody uses are not in it. One with anything that waits, is in
    /// flight or is asked for is in use, however long that takes.
    pub(super) fn rest_idle(&mut self, now: Instant) {
        let time = self.config.metadata_max_idle;
        let is_idle = |(_, topic): &(u32, &Topic)| topic.is_idle(time, now);
        let idle = self.cluster.topics().filter(is_idle);
        let mut idle: BTreeSet<u32> = idle.map(|(number, _)| number).collect();
        if idle.is_empty() {
            return;
        }
        let waiting = self.lists.enlisted().chain(self.lists.dirty());
        for partition in waiting.chain(self.partitions_in_flight()) {
            idle.remove(&partition.topic);
        }
        let asked = self.asking.partitions.keys().copied();
        for topic in asked.chain(self.wanted.topics()) {
            idle.remove(&topic);
        }
        for topic in idle {
            self.cluster.rest(topic);
            let update = TopicUpdate::Idle;
            self.out.push_back(Output::Topic { topic, update });
        }
    }

    /// Records came to a topic that rested: to a partition that they name, or at the moment when it
    /// was laid to rest. They wait for its leaders for as long as they may.
    #[cold]
    pub(super) fn ask_again(&mut self, topic: u32, now: Instant) {
        let time = self.config.topic_wanted_for;
        let until = now + time.max(self.config.delivery_timeout);
        self.wanted.want(topic, until, now);
    }
}
