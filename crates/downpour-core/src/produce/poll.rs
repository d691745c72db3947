//! The engine's turn: what is due now in its order, and when to look again.

use std::time::Instant;

use crate::client::connection::Connection;
use crate::ids::PartitionId;
use crate::mutants;
use crate::produce::engine::{Engine, earlier};
use crate::produce::queues::Queues;
use crate::produce::requests::{Purpose, in_flight};

impl<T: Clone> Engine<T> {
    /// Runs what is due. Call it after every `handle_*` and when [`next_wake`](Self::next_wake)
    /// has come.
    pub fn poll(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        self.note_answers(now);
        self.expire_connections(now, queues);
        self.look_at_dirty(now, queues);
        self.sweep(now, queues);
        self.go_on(now, queues);
    }

    /// The same by somebody who has not read the sockets: nobody is found to be late.
    ///
    /// The process stands still for a while, and answers come meanwhile. A caller that goes on before
    /// the I/O thread does would otherwise give up connections on which all was answered in time.
    pub fn poll_unread(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        self.note_answers(now);
        self.look_at_dirty(now, queues);
        self.go_on(now, queues);
    }

    /// Whether another poll at the time of the last one would find nothing to do; what was told since
    /// is that requests were written, if anything.
    ///
    /// Most rounds end so: the request is written and nothing else waits. A caller who awaits each
    /// record would pay for a poll that decides nothing twice per round trip.
    pub fn is_at_rest(&self, now: Instant) -> bool {
        let is_asked =
            self.wanted.is_due(now) || self.metadata.is_due(now) || self.init.is_due(now);
        self.out.is_empty() && self.lists.is_empty() && !is_asked
    }

    fn go_on(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        self.plan_sweep(now);
        self.ask_metadata(now);
        self.ask_identity(now, queues);
        self.dispatch(now, queues);
        self.watch_silence(now);
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
        let connections = &self.connections;
        consider(connections.next_wake(&self.config, now, || self.has_work()));
        for id in self.lists.brokers() {
            let Some(broker) = self.brokers.get(&id) else {
                continue;
            };
            consider(broker.next_at.filter(|_| !mutants::is(22)));
            let pause = broker.pause.filter(|_| self.is_pausing(id, now));
            consider(pause.map(|pause| pause.until));
            consider(self.connections.retry_at(id));
        }
        if self.metadata.asked().is_none() {
            consider(self.wanted.next_wake(now));
        }
        for inquiry in [&self.metadata, &self.init] {
            consider(inquiry.next_wake());
        }
        consider(self.metadata.ages_at(self.config.metadata_max_age));
        self.silence_at().for_each(|at| consider(Some(at)));
        wake
    }

    /// Whether a Produce request waits for its answer.
    pub fn is_in_flight(&self) -> bool {
        self.connections
            .iter()
            .any(|connection| in_flight(connection) > 0)
    }

    /// Produce requests to a broker that have no answer yet.
    pub(super) fn in_flight(&self, broker: i32) -> usize {
        self.connections.to(broker).map_or(0, in_flight)
    }

    /// The partitions with a batch in a request that has no answer yet; one may come twice.
    pub(super) fn partitions_in_flight(&self) -> impl Iterator<Item = PartitionId> {
        let requests = self.connections.iter().flat_map(Connection::requests);
        let sent = requests.filter_map(|request| match request.purpose() {
            Purpose::Produce(carried) => Some(&carried.batches),
            _ => None,
        });
        sent.flatten().map(|batch| batch.partition)
    }

    /// Whether no record waits and no request that carries records is under way; one may be though all
    /// records have their verdict, see [`Queue::is_settled`](crate::queue::Queue::is_settled).
    pub fn is_idle(&self) -> bool {
        !self.has_records()
    }

    /// Whether any record waits, or a request that carries some is under way.
    fn has_records(&self) -> bool {
        !self.lists.is_empty() || self.is_in_flight()
    }

    /// Whether there is anything to do that needs a broker: records, topics that are asked for, or
    /// questions.
    pub(super) fn has_work(&self) -> bool {
        self.has_records() || !self.wanted.is_empty() || self.asking.is_open()
    }
}
