//! Trouble as it happens, and how it ends.

use std::time::Duration;

use downpour_fake::TopicSpec;

use crate::trouble::{Answers, Cut, Trouble};
use crate::world::state::{Event, World};
use crate::world::wire::LinkId;

/// Of the wall clock, in milliseconds.
const AHEAD_MAX: i64 = 3_500_000;

impl World {
    pub(crate) fn happen(&mut self, at: usize) {
        let phase = &self.plan.phases[self.phase];
        let Some((_, trouble)) = phase.trouble.get(at).cloned() else {
            return;
        };
        self.trace.note(self.now, || format!("TROUBLE {trouble:?}"));
        match trouble {
            Trouble::Script(fault, name) => {
                self.tally.count(&format!("scripted: {name}"));
                self.cluster.fault(fault);
            }
            Trouble::Move {
                topic,
                partition,
                to,
            } => {
                let name = &self.plan.topics[topic].name;
                if self.cluster.is_alive(to) && self.cluster.partition_count(name) > Some(partition)
                {
                    self.tally.count("faults: leader moved");
                    self.cluster.move_leader(name, partition, to);
                }
            }
            Trouble::Kill {
                node,
                silent,
                lasts,
            } => {
                if self.cluster.kill(node) {
                    self.tally.count("faults: broker killed");
                    self.node_went_down(node, silent);
                    self.after(lasts, Event::Restart(node));
                }
            }
            Trouble::Freeze { node } => {
                self.tally.count("faults: metadata frozen");
                self.cluster.freeze_metadata(node);
            }
            Trouble::Flush => self.flush(),
            Trouble::Cut { which, how } => self.cut(which, how),
            Trouble::NetworkDelay(delay) => self.cluster.set_network_delay(delay),
            Trouble::ServiceDelay(delay) => self.cluster.set_service_delay(delay),
            Trouble::Cancel(which) => self.cancel_sender(which),
            Trouble::Names(answers) => {
                self.tally.count("faults: names not as they should be");
                self.names.set(answers);
            }
            Trouble::Suspend(time) => {
                self.tally.count("faults: process suspended");
                self.suspended_until = self.suspended_until.max(self.now + time);
                self.desk.borrow_mut().suspended_until = self.suspended_until;
            }
            Trouble::WallClock(millis) => {
                self.tally.count("faults: wall clock jumped");
                // What is stamped more than an hour ahead a broker refuses, rightly.
                let ahead = self.wall_ahead.saturating_add(millis);
                self.wall_ahead = ahead.clamp(-AHEAD_MAX, AHEAD_MAX);
            }
            Trouble::Grow { topic, more } => {
                let count = self.plan.topics[topic].partitions + more;
                let name = &self.plan.topics[topic].name;
                if self.cluster.partition_count(name) < Some(count) && self.exists(topic) {
                    self.tally.count("faults: topic got more partitions");
                    self.cluster.grow_topic(name, count);
                    self.load.changes += 1;
                }
            }
            Trouble::Remake {
                topic,
                partitions,
                back_after,
            } => {
                if self.exists(topic) {
                    self.tally.count("faults: topic deleted");
                    self.delete_topic(topic);
                    self.away.insert(topic, partitions);
                    self.after(back_after, Event::Remake(topic));
                }
            }
            Trouble::Forget { topic, partition } => {
                let name = &self.plan.topics[topic].name;
                if self.cluster.partition_count(name) > Some(partition) {
                    self.tally.count("faults: producers forgotten in flight");
                    self.cluster.expire_producer_state(name, partition);
                }
            }
        }
    }

    fn exists(&self, topic: usize) -> bool {
        let name = &self.plan.topics[topic].name;
        self.cluster.partition_count(name).is_some()
    }

    /// What lay in it is remembered: it was acknowledged.
    fn delete_topic(&mut self, topic: usize) {
        let former = self.logs_of(topic);
        self.former.push(former);
        let name = &self.plan.topics[topic].name;
        self.cluster.delete_topic(name);
        self.remade.insert(topic as u32);
        self.load.changes += 1;
    }

    /// A topic that was deleted is back, unless somebody's asking for it has made it already.
    pub(crate) fn remake(&mut self, topic: usize) {
        let is_there = self.exists(topic);
        let Some(partitions) = self.away.remove(&topic).filter(|_| !is_there) else {
            return;
        };
        let name = &self.plan.topics[topic].name;
        self.trace
            .note(self.now, || format!("{name} is back with {partitions}"));
        self.cluster.create_topic(name, TopicSpec::new(partitions));
        self.load.changes += 1;
    }

    fn cut(&mut self, which: u64, how: Cut) {
        let open: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, link)| link.client_open && link.connected)
            .map(|(id, _)| *id)
            .collect();
        if open.is_empty() {
            return;
        }
        let id = open[(which % open.len() as u64) as usize];
        let Some(connection) = self.links.get_mut(&id) else {
            return;
        };
        self.tally.count(&format!("faults: connection cut {how:?}"));
        self.trace.note(self.now, || format!("link {id} is cut"));
        let nonsense: &[u8] = match how {
            Cut::Garbled => &[0xff; 8],
            // Its length and its correlation id.
            Cut::Unasked => &[0, 0, 0, 4, 0x7f, 0, 0, 1],
            _ => &[],
        };
        let mut told = Some(Duration::ZERO);
        match how {
            Cut::Clean => connection.server_open = false,
            Cut::ClientOnly => {}
            Cut::ServerFirst => {
                connection.server_open = false;
                told = Some(self.rng.millis(0, 500));
            }
            Cut::AnswersLost => {
                connection.mute = true;
                told = None;
            }
            Cut::Silence => {
                (connection.deaf, connection.mute) = (true, true);
                told = None;
            }
            Cut::Garbled | Cut::Unasked => told = None,
        }
        if !nonsense.is_empty() {
            // Behind what the broker has said: within an answer it could pass for a part of that.
            let at = connection.last_back.max(self.now) + Duration::from_micros(1);
            connection.last_back = at;
            self.at(at, Event::Answer(id, nonsense.to_vec()));
        }
        if let Some(pause) = told {
            self.after(pause, Event::Closed(id, "cut"));
        }
    }

    pub(crate) fn restart(&mut self, node: i32) {
        if self.cluster.restart(node) {
            self.trace
                .note(self.now, || format!("broker {node} is back"));
        }
    }

    /// Ends all trouble that would go on by itself. Connections that went silent stay so.
    pub(crate) fn heal(&mut self) {
        self.trace.note(self.now, || "all is well again".to_owned());
        self.tally
            .add("scripted: not met", self.cluster.pending_faults() as u64);
        self.cluster.clear_faults();
        self.names.set(Answers::One);
        self.cluster.set_network_delay(Duration::ZERO);
        self.cluster.set_service_delay(Duration::ZERO);
        while let Some((&topic, _)) = self.away.first_key_value() {
            self.remake(topic);
        }
        for node in self.cluster.brokers() {
            self.cluster.thaw_metadata(node);
            self.restart(node);
        }
        self.healed = true;
        self.healed_at = Some(self.now);
    }
}
