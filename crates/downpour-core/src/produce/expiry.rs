//! What is late: connections that got no further, records past their delivery timeout.

use std::time::{Duration, Instant};

use crate::client::connection::Stage;
use crate::ids::ConnectionId;
use crate::outcome::WaitingFor;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::topic_state::ReadyList;

impl<T: Clone> Engine<T> {
    /// Ends connections that got no further in time, and those that carry nothing any more.
    pub(crate) fn expire_connections(&mut self, now: Instant, queues: &mut impl Queues<T>) {
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
    /// One sweep over all that waits instead of one timer per batch: verdicts may come late by a
    /// twentieth of the timeout, a second at most.
    pub(crate) fn sweep(&mut self, now: Instant, queues: &mut impl Queues<T>) {
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
                WaitingFor::Turn
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
