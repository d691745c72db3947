//! Connections: bytes that arrive late, in pieces or not at all, and are served in turn.
//!
//! A request that had left its client may be served after the client gave the connection up: that
//! is what makes a lost answer dangerous.

use std::net::SocketAddr;
use std::time::Duration;

use downpour_core::errors;
use downpour_fake::Verdict;
use downpour_fake::logic::{Reaction, Then};
use downpour_wire::error_code::ErrorCode;

use crate::history::Place;
use crate::request::Question;
use crate::world::names::{net_of, node_of};
use crate::world::state::{Event, Heard, Link, World};
use crate::world::wire::LinkId;

/// Within this time the client does something about what it hears.
const HEARD_WITHIN: Duration = Duration::from_millis(20);

impl World {
    pub(crate) fn connect(&mut self, id: LinkId, address: SocketAddr) {
        let node = node_of(address);
        self.past.connect(id, node);
        if let Err(broken) = self.load.connect((node, net_of(address)), self.now) {
            self.fail(broken);
        }
        let link = Link {
            node,
            client_open: true,
            server_open: true,
            ..Link::default()
        };
        self.links.insert(id, link);
        let pause = self.latency();
        self.after(pause, Event::Connect(id));
    }

    pub(crate) fn connected(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.client_open) else {
            return;
        };
        if self.cluster.is_alive(link.node) {
            link.connected = true;
            self.trace.note(self.now, || format!("link {id} is open"));
            self.wires.answer(id, true);
            self.expect(id, Heard::Open);
        } else if !link.deaf && !self.rng.percent(self.plan.net.black_hole) {
            self.tally.count("faults: connection refused");
            self.trace
                .note(self.now, || format!("link {id} is refused"));
            self.wires.answer(id, false);
        }
    }

    fn latency(&mut self) -> Duration {
        let (low, high) = self.plan.net.latency;
        self.rng.time(low, high)
    }

    /// A request's first byte was handed over.
    pub(crate) fn begun(&mut self, id: LinkId, request: &[u8]) {
        if let Err(broken) = self.note_begun(id, request) {
            self.fail(broken);
        }
    }

    fn note_begun(&mut self, id: LinkId, request: &[u8]) -> Result<(), String> {
        let question = Question::read(request, &self.history())?;
        let batches = self.ledger.note(&question.batches)?;
        if self.plan.config.idempotence && self.plan.expect.is_strict() {
            for batch in batches {
                self.company.begin(batch, id, self.now)?;
            }
        }
        self.load.misplaced = self.desk.borrow().misplaced;
        self.load.questions = self.desk.borrow().questions;
        self.load.ask(&question, self.now)?;
        let (cluster, topics, remade) = (&self.cluster, &self.plan.topics, &self.remade);
        let leader_epoch = |(topic, partition): Place| {
            let name = &topics[topic as usize].name;
            match cluster.partition_count(name) {
                // Its leader is another one's, whoever that is.
                _ if remade.contains(&topic) => 1,
                Some(count) if partition < count => cluster.leader_epoch(name, partition),
                _ => 0,
            }
        };
        self.past.begin(id, &question, self.now, leader_epoch)
    }

    /// A link ends for the client.
    pub(crate) fn note_end(&mut self, id: LinkId) {
        let lost = self.past.end(id, self.now);
        self.load.end(&lost);
    }

    /// The client's socket took bytes.
    pub(crate) fn written(&mut self, id: LinkId, bytes: Vec<u8>) {
        self.past.take(id, bytes.len(), self.now);
        let pause = self.latency();
        let at = self.now + pause;
        if let Some(link) = self.links.get_mut(&id) {
            link.is_used = true;
            link.last_there = link.last_there.max(at);
            let at = link.last_there;
            self.at(at, Event::Arrive(id, bytes));
        }
    }

    /// The client's socket takes nothing for a while.
    pub(crate) fn full(&mut self, id: LinkId) {
        self.tally.count("faults: write in pieces");
        let pause = self.rng.millis(0, 20);
        self.after(pause, Event::Room(id));
    }

    pub(crate) fn arrive(&mut self, id: LinkId, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if !link.server_open || link.deaf {
            return;
        }
        link.arrived.extend_from_slice(bytes);
        while let Some(head) = link.arrived.first_chunk::<4>() {
            let len = u32::from_be_bytes(*head) as usize + 4;
            if link.arrived.len() < len {
                break;
            }
            let rest = link.arrived.split_off(len);
            let request = std::mem::replace(&mut link.arrived, rest);
            link.inbox.push_back(request);
            if !link.client_open {
                self.tally.count("faults: request outlived its connection");
            }
        }
        if !link.inbox.is_empty() && !std::mem::replace(&mut link.busy, true) {
            let (low, high) = self.plan.net.service;
            let pause = self.rng.time(low, high);
            self.after(pause, Event::Serve(id));
        }
    }

    /// Serves a connection's next request; the one after it comes when this one is answered.
    pub(crate) fn serve(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let node = link.node;
        if !link.server_open || link.hung {
            return;
        }
        let Some(frame) = link.inbox.pop_front() else {
            link.busy = false;
            return;
        };
        let was_alive = self.cluster.is_alive(node);
        let body = frame.get(4..).unwrap_or_default();
        let reaction = self.cluster.handle(self.now, node, id, body);
        let acknowledged = self.note_served(id);
        if let Some(until) = reaction.parked_until {
            self.tally.count("faults: request held");
            self.at(until, Event::Resume(id, frame, until));
        } else {
            self.react(id, reaction, was_alive);
            let there = self.heard_at(id);
            for place in acknowledged {
                self.company.acknowledge(place, there);
            }
        }
    }

    /// Serves a request that a fault had held, also if its connection is gone.
    pub(crate) fn resume(&mut self, id: LinkId, frame: &[u8], until: Duration) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let node = link.node;
        let was_alive = self.cluster.is_alive(node);
        let body = frame.get(4..).unwrap_or_default();
        let reaction = self.cluster.resume(self.now, node, id, until, body);
        self.trace
            .note(self.now, || format!("broker {node} resumes on link {id}"));
        self.react(id, reaction, was_alive);
        self.company.acknowledge_any(self.heard_at(id));
    }

    /// When the client has surely heard what a broker said last on a connection.
    fn heard_at(&self, id: LinkId) -> Duration {
        let back = self.links.get(&id).map_or(self.now, |link| link.last_back);
        back.max(self.suspended_until) + 2 * self.plan.net.jitter + HEARD_WITHIN
    }

    /// The client was told something of a connection, about which it has to do something.
    fn expect(&mut self, id: LinkId, heard: Heard) {
        let at = self.now.max(self.suspended_until).max(self.pauses_until);
        let pause = at - self.now + 4 * self.plan.net.jitter + HEARD_WITHIN;
        self.after(pause, Event::Heard(id, heard));
    }

    /// Whether it has done that by now.
    pub(crate) fn check_heard(&mut self, id: LinkId, heard: Heard) {
        if !self.wires.is_held(id) || self.io_ended {
            return;
        }
        if self.now < self.suspended_until.max(self.pauses_until) + HEARD_WITHIN {
            return self.expect(id, heard);
        }
        let link = self.links.get(&id);
        match heard {
            Heard::Open if link.is_some_and(|link| link.is_used || !link.client_open) => {}
            Heard::Open => self.fail(format!("link {id} is open and nobody wants it")),
            Heard::End => self.fail(format!("link {id} has ended and is not closed")),
        }
    }

    fn react(&mut self, id: LinkId, reaction: Reaction, was_alive: bool) {
        let ready = self.now + reaction.service_delay;
        let travels = reaction.network_delay + self.latency();
        let (low, high) = self.plan.net.service;
        let next = ready + reaction.mute + self.rng.time(low, high);
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.last_back = link.last_back.max(ready + travels);
        let (back, mute, node) = (link.last_back, link.mute, link.node);
        let mut cut = None;
        let closes = match reaction.then {
            Then::Hang => {
                link.hung = true;
                false
            }
            Then::Close | Then::CloseAfter(_) => {
                link.server_open = false;
                if let Then::CloseAfter(bytes) = reaction.then {
                    cut = Some(bytes);
                }
                true
            }
            _ => false,
        };
        if let Some(mut answer) = reaction.answer.filter(|_| !mute) {
            answer.truncate(cut.unwrap_or(usize::MAX));
            self.answer(id, answer, back);
        }
        if closes {
            let at = self.links.get(&id).map_or(back, |link| link.last_back);
            self.at(at, Event::Closed(id, "the broker closed it"));
        }
        if was_alive && !self.cluster.is_alive(node) {
            self.node_went_down(node, false);
            let pause = self.rng.millis(10, 1500);
            self.after(pause, Event::Restart(node));
        }
        self.at(next, Event::Serve(id));
    }

    /// Sends an answer that arrives then, or in pieces from then on.
    fn answer(&mut self, id: LinkId, mut answer: Vec<u8>, mut at: Duration) {
        while answer.len() > 1 && self.rng.percent(self.plan.net.split_answers) {
            self.tally.count("faults: answer in pieces");
            let rest = answer.split_off(self.rng.size(1, answer.len() - 1));
            let first = std::mem::replace(&mut answer, rest);
            self.at(at, Event::Answer(id, first));
            at += self.rng.time(Duration::ZERO, Duration::from_millis(3));
        }
        if let Some(link) = self.links.get_mut(&id) {
            link.last_back = link.last_back.max(at);
        }
        self.at(at, Event::Answer(id, answer));
    }

    /// Counts what a broker made of a request; the partitions of which it acknowledges a batch.
    fn note_served(&mut self, id: LinkId) -> Vec<Place> {
        let mut acknowledged = Vec::new();
        let Some(request) = self.cluster.requests().last() else {
            return acknowledged;
        };
        if request.fault.is_some() {
            self.tally.count("brokers: requests that met a fault");
        }
        for batch in &request.batches {
            let (verdict, code) = match &batch.verdict {
                Verdict::Appended { .. } => ("appended".to_owned(), None),
                Verdict::AppendedWithError { error, .. } => {
                    (format!("appended, answered {error}"), Some(*error))
                }
                Verdict::Duplicate { .. } => ("recognised as duplicate".to_owned(), None),
                Verdict::Refused { error, .. } => (format!("refused {error}"), Some(*error)),
                _ => ("not served".to_owned(), None),
            };
            self.tally.count(&format!("brokers: {verdict}"));
            let topic = self.plan.topics.iter().position(|t| t.name == batch.topic);
            let place = topic.map(|topic| (topic as u32, batch.partition));
            if code.is_none_or(|code| code == ErrorCode::DUPLICATE_SEQUENCE_NUMBER) {
                acknowledged.extend(place);
            }
            // A leader that was deposed after the append says so with an offset.
            let leaves_open = |code: ErrorCode| {
                errors::produce(code).maybe_written || code == ErrorCode::NOT_LEADER_OR_FOLLOWER
            };
            if code.is_some_and(leaves_open) {
                self.said.extend(place);
            }
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
                "broker {} got {:?} on link {id}{} {}",
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
        acknowledged
    }

    pub(crate) fn answered(&mut self, id: LinkId, bytes: &[u8]) {
        if self.links.get(&id).is_some_and(|link| link.client_open) {
            self.wires.deliver(id, bytes);
            self.company.answered(id);
            for heard in self.past.arrive(id, bytes, self.now) {
                self.load.hear(heard);
            }
        }
    }

    /// The client's socket hears of the end: in order, or by a reset that loses what it has not
    /// read.
    pub(crate) fn closed(&mut self, id: LinkId, why: &'static str) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.client_open) else {
            return;
        };
        link.client_open = false;
        self.note_end(id);
        if self.wires.is_within_a_request(id) {
            self.tally.count("faults: connection lost within a request");
        }
        let in_order = self.rng.percent(50);
        self.trace.note(self.now, || {
            format!("link {id} ends: {why}, in order: {in_order}")
        });
        if in_order {
            self.wires.finish(id);
        } else {
            self.wires.reset(id);
        }
        self.expect(id, Heard::End);
    }

    /// The client gives a connection up. What had left it may still arrive.
    pub(crate) fn disconnect(&mut self, id: LinkId) {
        let reset = self.rng.percent(self.plan.net.reset);
        if let Some(link) = self.links.get_mut(&id) {
            link.client_open = false;
            link.server_open &= !reset;
        }
        self.note_end(id);
    }

    /// All connections of a broker end.
    pub(crate) fn node_went_down(&mut self, node: i32, silent: bool) {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            let Some(link) = self.links.get_mut(&id).filter(|link| link.node == node) else {
                continue;
            };
            link.server_open = false;
            if silent {
                (link.deaf, link.mute) = (true, true);
            } else if link.client_open && link.connected {
                let pause = self.rng.millis(0, 50);
                self.after(pause, Event::Closed(id, "its broker went down"));
            }
        }
    }
}
