//! Connections: bytes that are taken in pieces, arrive late or not at all, and are served in turn.
//!
//! A request that had left its client may be served after the client gave the connection up: that
//! is what makes a lost answer dangerous.

use std::collections::VecDeque;
use std::time::Duration;

use downpour_core::client::connect_error::{ConnectErrorKind, ConnectFailure};
use downpour_core::client::ending::DisconnectReason;
use downpour_core::config::Address;
use downpour_core::ids::ConnectionId;
use downpour_fake::logic::{Reaction, Then};
use downpour_wire::frame::Frame;

use crate::world::state::{Connection, Event, World};

impl World {
    pub(crate) fn connect(&mut self, connection: ConnectionId, address: &Address) {
        let brokers = self.cluster.brokers();
        let host = address.host.as_ref();
        let node = brokers
            .into_iter()
            .find(|&id| self.cluster.address(id).0 == host);
        self.connections.insert(
            connection,
            Connection {
                node: node.unwrap_or(-1),
                connected: false,
                client_open: true,
                server_open: true,
                deaf: false,
                mute: false,
                outgoing: VecDeque::new(),
                taken: 0,
                written: 0,
                accepting: false,
                last_there: Duration::ZERO,
                last_back: Duration::ZERO,
                inbox: VecDeque::new(),
                busy: false,
                hung: false,
            },
        );
        let pause = self.latency();
        self.after(pause, Event::Connect(connection));
    }

    pub(crate) fn connected(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id).filter(|l| l.client_open) else {
            return;
        };
        let now = self.base + self.now;
        if self.cluster.is_alive(connection.node) {
            connection.connected = true;
            self.trace.note(self.now, || format!("{id:?} is open"));
            self.engine.handle_connected(id, now);
        } else if !connection.deaf {
            connection.client_open = false;
            self.tally.count("faults: connection refused");
            self.trace.note(self.now, || format!("{id:?} is refused"));
            let refused = ConnectFailure::new(ConnectErrorKind::Refused, "refused");
            let queues = &mut self.partitions;
            self.engine.handle_connect_failed(id, refused, now, queues);
        } else {
            return;
        }
        self.turn();
    }

    fn latency(&mut self) -> Duration {
        let (low, high) = self.plan.net.latency;
        self.rng.time(low, high)
    }

    pub(crate) fn write(&mut self, id: ConnectionId, frame: &Frame) {
        let Some(connection) = self.connections.get_mut(&id).filter(|l| l.client_open) else {
            self.fail(format!("a write on {id:?}, which is not open"));
            return;
        };
        connection.outgoing.push_back(frame.to_vec());
        if !std::mem::replace(&mut connection.accepting, true) {
            self.after(Duration::ZERO, Event::Accept(id));
        }
    }

    /// The client's socket takes what it has room for.
    pub(crate) fn accept(&mut self, id: ConnectionId) {
        let pieces = self.rng.percent(self.plan.net.piecemeal);
        let Some(connection) = self.connections.get_mut(&id).filter(|l| l.client_open) else {
            return;
        };
        let waiting: usize =
            connection.outgoing.iter().map(Vec::len).sum::<usize>() - connection.taken;
        let mut room = if pieces {
            self.rng.size(1, waiting)
        } else {
            waiting
        };
        connection.written += room as u64;
        let mut left = Vec::new();
        while room > 0 {
            let Some(first) = connection.outgoing.front() else {
                break;
            };
            let rest = first.len() - connection.taken;
            if room < rest {
                connection.taken += room;
                break;
            }
            room -= rest;
            connection.taken = 0;
            left.extend(connection.outgoing.pop_front());
        }
        connection.accepting = !connection.outgoing.is_empty();
        if self.plan.config.idempotence {
            let begun = connection.outgoing.front().filter(|_| connection.taken > 0);
            let noted = (left.iter().chain(begun))
                .try_for_each(|frame| self.ledger.note(frame, &self.history));
            if let Err(broken) = noted {
                self.fail(broken);
                return;
            }
        }
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let (written, more) = (connection.written, connection.accepting);
        for frame in left {
            let pause = self.latency();
            let now = self.now;
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.last_there = connection.last_there.max(now + pause);
                let at = connection.last_there;
                self.at(at, Event::Arrive(id, frame));
            }
        }
        if more {
            self.tally.count("faults: write in pieces");
            let pause = self.rng.millis(0, 20);
            self.after(pause, Event::Accept(id));
        }
        self.engine
            .handle_written(id, written, 0, &mut self.partitions);
        self.turn();
    }

    pub(crate) fn arrive(&mut self, id: ConnectionId, frame: Vec<u8>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if !connection.server_open || connection.deaf {
            return;
        }
        if !connection.client_open {
            self.tally.count("faults: request outlived its connection");
        }
        connection.inbox.push_back(frame);
        if !std::mem::replace(&mut connection.busy, true) {
            let (low, high) = self.plan.net.service;
            let pause = self.rng.time(low, high);
            self.after(pause, Event::Serve(id));
        }
    }

    /// Serves a connection's next request; the one after it comes when this one is answered.
    pub(crate) fn serve(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let node = connection.node;
        if !connection.server_open || connection.hung {
            return;
        }
        let Some(frame) = connection.inbox.pop_front() else {
            connection.busy = false;
            return;
        };
        let was_alive = self.cluster.is_alive(node);
        let body = frame.get(4..).unwrap_or_default();
        let reaction = self.cluster.handle(self.now, node, id.0, body);
        self.note_served(id);
        if let Some(until) = reaction.parked_until {
            self.tally.count("faults: request held");
            self.at(until, Event::Resume(id, frame, until));
        } else {
            self.react(id, reaction, was_alive);
        }
    }

    /// Serves a request that a fault had held, also if its connection is gone.
    pub(crate) fn resume(&mut self, id: ConnectionId, frame: &[u8], until: Duration) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let node = connection.node;
        let was_alive = self.cluster.is_alive(node);
        let body = frame.get(4..).unwrap_or_default();
        let reaction = self.cluster.resume(self.now, node, id.0, until, body);
        self.trace
            .note(self.now, || format!("broker {node} resumes on {id:?}"));
        self.react(id, reaction, was_alive);
    }

    fn react(&mut self, id: ConnectionId, reaction: Reaction, was_alive: bool) {
        let ready = self.now + reaction.service_delay;
        let travels = reaction.network_delay + self.latency();
        let (low, high) = self.plan.net.service;
        let next = ready + reaction.mute + self.rng.time(low, high);
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.last_back = connection.last_back.max(ready + travels);
        let (back, mute, node) = (connection.last_back, connection.mute, connection.node);
        let closes = match reaction.then {
            Then::Hang => {
                connection.hung = true;
                false
            }
            Then::Close | Then::CloseAfter(_) => {
                connection.server_open = false;
                true
            }
            _ => false,
        };
        if !matches!(reaction.then, Then::CloseAfter(_)) && !mute {
            if let Some(answer) = reaction.answer {
                self.at(back, Event::Answer(id, answer));
            }
        }
        if closes {
            self.at(back, Event::Closed(id, "the broker closed it"));
        }
        if was_alive && !self.cluster.is_alive(node) {
            self.node_went_down(node, false);
            let pause = self.rng.millis(10, 1500);
            self.after(pause, Event::Restart(node));
        }
        self.at(next, Event::Serve(id));
    }

    fn note_served(&mut self, id: ConnectionId) {
        let Some(request) = self.cluster.requests().last() else {
            return;
        };
        if request.fault.is_some() {
            self.tally.count("brokers: requests that met a fault");
        }
        for batch in &request.batches {
            let verdict = match &batch.verdict {
                downpour_fake::Verdict::Appended { .. } => "appended".to_owned(),
                downpour_fake::Verdict::AppendedWithError { error, .. } => {
                    format!("appended, answered {error}")
                }
                downpour_fake::Verdict::Duplicate { .. } => "recognised as duplicate".to_owned(),
                downpour_fake::Verdict::Refused { error, .. } => format!("refused {error}"),
                _ => "not served".to_owned(),
            };
            self.tally.count(&format!("brokers: {verdict}"));
        }
        self.trace.note(self.now, || {
            let batches: Vec<String> = request
                .batches
                .iter()
                .map(|b| {
                    format!(
                        "{}-{} ({}, {}, {}) {} records {:?}",
                        b.topic,
                        b.partition,
                        b.producer_id,
                        b.producer_epoch,
                        b.base_sequence,
                        b.records,
                        b.verdict
                    )
                })
                .collect();
            format!(
                "broker {} got {:?} on {id:?}{} {}",
                request.broker,
                request.api,
                request
                    .fault
                    .as_ref()
                    .map(|f| format!(", met {f}"))
                    .unwrap_or_default(),
                batches.join("; ")
            )
        });
    }

    pub(crate) fn answered(&mut self, id: ConnectionId, answer: &[u8]) {
        let open = self.connections.get(&id).is_some_and(|l| l.client_open);
        // A poll round may hold an answer of a connection that the engine has just given up.
        if !open && !self.rng.percent(20) {
            return;
        }
        let now = self.instant();
        let frame = answer.get(4..).unwrap_or_default();
        self.engine
            .handle_received(id, frame, now, &mut self.partitions);
        self.turn();
    }

    pub(crate) fn closed(&mut self, id: ConnectionId, why: &'static str) {
        let Some(connection) = self.connections.get_mut(&id).filter(|l| l.client_open) else {
            return;
        };
        connection.client_open = false;
        if connection.taken > 0 {
            self.tally.count("faults: connection lost within a request");
        }
        self.trace.note(self.now, || format!("{id:?} ends: {why}"));
        let now = self.instant();
        let queues = &mut self.partitions;
        self.engine
            .handle_disconnected(id, DisconnectReason::Closed, now, queues);
        self.turn();
    }

    /// The client gives a connection up. What had left it may still arrive.
    pub(crate) fn disconnect(&mut self, id: ConnectionId) {
        let reset = self.rng.percent(self.plan.net.reset);
        self.trace
            .note(self.now, || format!("client closes {id:?}"));
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.client_open = false;
            connection.outgoing.clear();
            connection.server_open &= !reset;
        }
    }

    /// All connections of a broker end.
    pub(crate) fn node_went_down(&mut self, node: i32, silent: bool) {
        let ids: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for id in ids {
            let Some(connection) = self.connections.get_mut(&id).filter(|l| l.node == node) else {
                continue;
            };
            connection.server_open = false;
            if silent {
                (connection.deaf, connection.mute) = (true, true);
            } else if connection.client_open && connection.connected {
                let pause = self.rng.millis(0, 50);
                self.after(pause, Event::Closed(id, "its broker went down"));
            }
        }
    }
}
