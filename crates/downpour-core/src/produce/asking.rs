//! What callers ask though they send nothing: whether the cluster can be used, and who holds a
//! topic's partitions.
//!
//! Both are answered by the next Metadata, which is asked for at once; the first also by the producer
//! id, if there is to be one. When to ask is in `metadata` and `producer_id`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::MetadataResponse;

use crate::client::connection::Connection;
use crate::client::partition_info::partitions_of;
use crate::config::Address;
use crate::output::{ClusterUpdate, Output};
use crate::produce::engine::Engine;
use crate::produce::questions::ClusterWanted;

impl<T: Clone> Engine<T> {
    /// Somebody wants to know by then whether the cluster can be used. The answer is
    /// [`Output::Cluster`].
    pub fn handle_cluster_wanted(&mut self, until: Instant) {
        let wanted = self.asking.cluster.get_or_insert(ClusterWanted {
            until,
            has_metadata: false,
            unreachable: BTreeSet::new(),
        });
        wanted.until = wanted.until.max(until);
        self.metadata.want_at_once();
    }

    /// Somebody wants to know by then who holds a topic's partitions. The answer is
    /// [`Output::Partitions`]. `topic` is the shell's dense number for it.
    pub fn handle_partitions_wanted(&mut self, topic: u32, name: &Arc<str>, until: Instant) {
        self.note_partitions_wanted(topic, name, until);
        self.metadata.want_at_once();
    }

    /// The same for a record that names a partition which is not known. It waits for the backoff: a
    /// program that names wrong ones in a loop would ask as fast as it loops.
    pub fn handle_partition_missed(&mut self, topic: u32, name: &Arc<str>, until: Instant) {
        self.note_partitions_wanted(topic, name, until);
        self.metadata.want();
    }

    fn note_partitions_wanted(&mut self, topic: u32, name: &Arc<str>, until: Instant) {
        self.cluster.add_topic(topic, name);
        self.cluster.end_rest(topic);
        let known = self.asking.partitions.entry(topic).or_insert(until);
        *known = until.max(*known);
    }

    /// An answer came that can be used.
    pub(super) fn answer_by_metadata(&mut self, response: &MetadataResponse, now: Instant) {
        if let Some(wanted) = &mut self.asking.cluster {
            wanted.has_metadata = true;
        }
        self.judge_cluster();
        if !self.asking.asks_for_partitions() {
            return;
        }
        for topic in &response.topics {
            let name = topic.name.as_deref().unwrap_or_default();
            let Some(number) = self.cluster.number_of(name) else {
                continue;
            };
            let answer = match topic.error_code {
                ErrorCode::NONE => Ok(partitions_of(response, topic)),
                code if is_refusal(code) => Err(code),
                _ => continue,
            };
            if self.asking.partitions.remove(&number).is_some() {
                let topic = number;
                self.cluster.note_used(topic, now);
                self.out.push_back(Output::Partitions { topic, answer });
            }
        }
    }

    /// Says that the cluster can be used once everything was answered that has to be.
    pub(super) fn judge_cluster(&mut self) {
        let has_identity = !self.config.idempotence || self.identity.current().is_some();
        let is_usable = |wanted: &mut ClusterWanted| wanted.has_metadata && has_identity;
        if self.asking.cluster.take_if(is_usable).is_some() {
            self.out.push_back(Output::Cluster(ClusterUpdate::Usable));
        }
    }

    /// An address of the user's could not be reached. Once each was tried since somebody asked, and
    /// nobody else is there either, that is the answer.
    pub(super) fn note_unreachable(&mut self, address: &Address) {
        let Some(wanted) = &mut self.asking.cluster else {
            return;
        };
        wanted.unreachable.insert(address.clone());
        let mut addresses = self.config.bootstrap.iter();
        let is_all = addresses.all(|address| wanted.unreachable.contains(address));
        if is_all && !self.connections.iter().any(Connection::is_usable) {
            self.asking.cluster = None;
            self.out
                .push_back(Output::Cluster(ClusterUpdate::Unreachable));
        }
    }

    /// There will be no producer id.
    pub(super) fn note_no_identity(&mut self, code: Option<ErrorCode>, reason: &Arc<str>) {
        if self.asking.cluster.take().is_some() {
            let reason = reason.clone();
            let update = ClusterUpdate::NoIdentity { code, reason };
            self.out.push_back(Output::Cluster(update));
        }
    }
}

/// Whether asking again would bring the same answer: the name is invalid or access is denied.
fn is_refusal(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::INVALID_TOPIC_EXCEPTION | ErrorCode::TOPIC_AUTHORIZATION_FAILED
    )
}
