//! What happens when another cluster answers than the one that this producer has been writing to.
//!
//! A name may lead elsewhere one day, an address may be given to somebody else. The addresses that the
//! user gave say which cluster is meant; what a broker advertised only says where that broker was.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::messages::MetadataResponse;

use crate::client::connect_error::{ConnectError, ConnectErrorKind, ConnectFailure};
use crate::client::ending::{DisconnectReason, Ending};
use crate::config::Address;
use crate::event::{Event, Question};
use crate::ids::{ConnectionId, PartitionId};
use crate::outcome::Cause;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::queue::Queue;

impl<T: Clone> Engine<T> {
    /// Whether an answer comes from the cluster that is written to, or from one that is followed now.
    /// Otherwise nothing in it is to be believed, and its connection has ended.
    pub(super) fn check_cluster(
        &mut self,
        connection_id: ConnectionId,
        response: &MetadataResponse,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) -> bool {
        let told = response.cluster_id.as_deref().unwrap_or_default();
        // Brokers before 0.10.1 tell none.
        if told.is_empty() || self.cluster.id().is_some_and(|known| &**known == told) {
            return true;
        }
        let Some(known) = self.cluster.id().cloned() else {
            self.cluster.handle_id(told);
            return true;
        };
        let Some(connection) = self.connections.get(connection_id) else {
            return false;
        };
        let (address, broker) = (connection.address().clone(), connection.broker());
        if broker.is_none() && !self.config.fail_on_cluster_change {
            self.follow(connection_id, (address, known, told), now, queues);
            return true;
        }
        let reason: Arc<str> = Arc::from(format!(
            "cluster {told} answers there, and this producer writes to cluster {known}"
        ));
        let failure = ConnectFailure::new(ConnectErrorKind::OtherCluster, reason.clone());
        self.unanswered(Question::Metadata, &address, (None, reason), now);
        self.connections.handle_stray(connection_id);
        let ending = Ending::Failed(failure.clone());
        self.disconnect(connection_id, ending, now, queues);
        match broker {
            // The others may know where it is now, and if there are none the user's addresses do.
            Some(broker) => self.cluster.forget_broker(broker),
            None => self.fail_elsewhere(address, failure, now, queues),
        }
        false
    }

    /// No retry mends it: what waits fails with the reason instead of timing out later.
    fn fail_elsewhere(
        &mut self,
        address: Address,
        failure: ConnectFailure,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let error = Arc::new(ConnectError::new(address, failure));
        let cause = Cause::OtherCluster { error };
        for partition in self.lists.enlisted().collect::<Vec<_>>() {
            let out = &mut self.out;
            queues.with(partition, |queue| queue.fail_unsent(&cause, now, out));
            self.lists.mark_dirty(partition);
        }
    }

    /// Leaves the former cluster behind: its brokers and topics, and the producer id that it granted,
    /// which may be somebody else's in the new one.
    fn follow(
        &mut self,
        connection_id: ConnectionId,
        (address, before, after): (Address, Arc<str>, &str),
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.event(Event::ClusterChanged {
            address,
            before,
            after: Arc::from(after),
        });
        let others = self.connections.iter().map(|connection| connection.id());
        let others: Vec<ConnectionId> = others.filter(|&id| id != connection_id).collect();
        for other in others {
            let ending = Ending::Ended(DisconnectReason::ClusterChanged);
            self.disconnect(other, ending, now, queues);
        }
        self.connections.forget_peers();
        let numbers: Vec<u32> = self.cluster.topics().map(|(number, _)| number).collect();
        for topic in numbers {
            let count = i32::try_from(self.lists.count(topic)).unwrap_or(i32::MAX);
            for index in 0..count {
                let partition = PartitionId { topic, index };
                queues.with(partition, Queue::handle_other_cluster);
                self.lists.mark_dirty(partition);
            }
        }
        if self.config.idempotence {
            self.identity.forget();
            self.init.want();
            self.no_identity = None;
        }
        let changes = self.cluster.change_to(after);
        self.handle_changes(changes, now, queues);
        self.metadata.want();
    }
}
