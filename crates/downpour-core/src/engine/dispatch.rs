//! Which batches leave when: one request gathers many partitions from a rotating start.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::codec::CompressionType;
use downpour_wire::error_code::ErrorCode;
use downpour_wire::frame::ProduceFrame;
use downpour_wire::messages::ApiKey;

use crate::cluster::Slot;
use crate::config::Linger;
use crate::connection::LinkId;
use crate::engine::state::{Broker, Carried, Engine, Output, Place, Purpose, Queues, earlier};
use crate::queue::{Answer, Drain, Readiness, Shipment, Turn};

/// The first version of Produce that may carry zstd (KIP-110).
const ZSTD_SINCE: i16 = 7;

/// The version that names topics by id alone.
const IDS_SINCE: i16 = 13;

impl<T: Clone> Engine<T> {
    /// Sends what is due, to every broker.
    pub(crate) fn dispatch(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        let waiting = self.brokers.iter().filter(|(_, b)| !b.active.is_empty());
        let ids: Vec<i32> = waiting.map(|(id, _)| *id).collect();
        for id in ids {
            self.ensure_link(id, now);
            self.breathe(id, now, queues);
            // Bounded: each round sends a request, and at most `max_in_flight` fit.
            while let Some(link) = self.may_send(id, now) {
                let shipments = self.gather(id, link, now, queues);
                if shipments.is_empty() {
                    break;
                }
                self.send(id, link, shipments, now);
            }
            self.carry_out_effects();
        }
    }

    /// The connection to send on, if a request is due and may leave.
    fn may_send(&self, id: i32, now: Instant) -> Option<LinkId> {
        let broker = self.brokers.get(&id)?;
        let connection = self.links.get(&broker.link?)?;
        let throttled = connection.throttled_until.is_some_and(|at| at > now);
        let full = broker.in_flight >= self.config.max_in_flight;
        // What the kernel does not take would wait there as well as here, where batches grow.
        let waits = throttled || full || connection.is_congested();
        if !connection.is_ready() || waits || broker.active.is_empty() {
            return None;
        }
        let due = self.leaves_at_once(broker, now)
            || broker.ready
            || broker.next_at.is_some_and(|at| at <= now);
        due.then_some(connection.id)
    }

    /// Whether anything goes: with nothing in flight lingering gains nothing.
    fn leaves_at_once(&self, broker: &Broker, now: Instant) -> bool {
        let idle = self.is_adaptive() && broker.in_flight == 0 && !broker.breathes(now);
        idle || self.pressure || self.draining
    }

    pub(crate) fn is_adaptive(&self) -> bool {
        matches!(self.config.linger, Linger::Adaptive(_))
    }

    /// Visits each of the broker's active slots once, as long as the request has room.
    fn gather(
        &mut self,
        id: i32,
        link: LinkId,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) -> Vec<(Slot, Shipment)> {
        let Some(broker) = self.brokers.get(&id) else {
            return Vec::new();
        };
        let readiness = if self.leaves_at_once(broker, now) {
            Readiness::Anything
        } else {
            Readiness::Half
        };
        let Some(broker) = self.brokers.get_mut(&id) else {
            return Vec::new();
        };
        let visits = broker.active.len();
        broker.ready = false;
        broker.next_at = None;
        let mut turn = Turn {
            now,
            broker: id,
            identity: self.identity.current(),
            readiness,
        };
        let mut gathered = Vec::new();
        let mut bytes = 0;
        for _ in 0..visits {
            if bytes > 0 && bytes + self.config.batch_max > self.config.request_max {
                // The rest goes first next time.
                self.broker_ready(id);
                break;
            }
            let Some(slot) = self.next_active(id) else {
                break;
            };
            let drain = self.visit(slot, link, &mut turn, queues);
            let stays = match &drain {
                Some(Drain::Send(shipment)) => shipment.more,
                Some(Drain::Empty) | None => false,
                Some(_) => true,
            };
            self.settle(id, slot, stays);
            match drain {
                Some(Drain::Send(shipment)) => {
                    bytes += shipment.bytes();
                    if shipment.more {
                        // A second batch of this partition goes with the next request.
                        self.fresh.push(slot);
                    }
                    gathered.push((slot, shipment));
                }
                Some(Drain::Until(at)) => {
                    if let Some(broker) = self.brokers.get_mut(&id) {
                        broker.next_at = earlier(broker.next_at, Some(at));
                    }
                }
                Some(Drain::Seal(job)) => self.out.push_back(Output::Seal { slot, job }),
                Some(Drain::NeedIdentity) => self.init.wanted = true,
                _ => {}
            }
        }
        self.look_at_fresh(now, queues);
        gathered
    }

    fn broker_ready(&mut self, id: i32) {
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.ready = true;
        }
    }

    fn next_active(&mut self, id: i32) -> Option<Slot> {
        self.brokers.get_mut(&id)?.active.pop_front()
    }

    /// Puts a visited slot behind the others, or out of the list.
    fn settle(&mut self, id: i32, slot: Slot, stays: bool) {
        if stays {
            if let Some(broker) = self.brokers.get_mut(&id) {
                broker.active.push_back(slot);
            }
        } else if let Some(state) = self.partition(slot) {
            state.place = Place::Idle;
        }
    }

    fn visit(
        &mut self,
        slot: Slot,
        link: LinkId,
        turn: &mut Turn,
        queues: &mut impl Queues<T>,
    ) -> Option<Drain> {
        let effects = &mut self.effects;
        let mut drain = queues.with(slot, |queue| queue.poll_drain(turn, effects))?;
        if let Drain::NeedBump(stale) = drain {
            turn.identity = self.bump(stale);
            let effects = &mut self.effects;
            drain = queues.with(slot, |queue| queue.poll_drain(turn, effects))?;
        }
        let produce = self.links.get(&link).map_or(0, |c| c.versions.produce);
        let Drain::Send(shipment) = &drain else {
            return Some(drain);
        };
        if shipment.body.codec() == CompressionType::Zstd && produce < ZSTD_SINCE {
            let mut answer = Answer::of(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
            answer.message = Some(Arc::from(
                "this broker is older than zstd (Kafka 2.1); use another compression.type",
            ));
            let (attempt, effects) = (shipment.attempt, &mut self.effects);
            queues.with(slot, |queue| {
                queue.handle_answer(attempt, &answer, turn.now, effects)
            });
            self.fresh.push(slot);
            return Some(Drain::Empty);
        }
        Some(drain)
    }

    /// One request of all that was gathered.
    fn send(&mut self, id: i32, link: LinkId, mut gathered: Vec<(Slot, Shipment)>, now: Instant) {
        gathered.sort_by_key(|(slot, _)| slot.topic);
        let Some(connection) = self.links.get_mut(&link) else {
            return;
        };
        let has_id = |slot: &Slot| {
            self.cluster
                .topic(slot.topic)
                .is_some_and(|t| !t.id.is_zero())
        };
        let mut version = connection.versions.produce;
        if version >= IDS_SINCE && !gathered.iter().all(|(slot, _)| has_id(slot)) {
            version = IDS_SINCE - 1;
        }
        let topics = gathered.chunk_by(|a, b| a.0.topic == b.0.topic);
        let timeout = i32::try_from(self.config.request_timeout.as_millis()).unwrap_or(i32::MAX);
        let mut frame = ProduceFrame::new(
            version,
            connection.next_correlation_id(),
            &self.config.client_id,
            None,
            self.config.acks.as_i16(),
            timeout,
            topics.clone().count(),
        );
        let mut carried = Vec::with_capacity(gathered.len());
        let mut records = 0;
        for batches in topics {
            let topic = self.cluster.topic(batches[0].0.topic);
            let topic = topic.expect("a slot is active only once its topic has metadata");
            frame = frame.topic(&topic.name, topic.id, batches.len());
            for (slot, shipment) in batches {
                records += shipment.body.count();
                frame = frame.partition(slot.partition, shipment.header, shipment.body.clone());
                carried.push(Carried {
                    slot: *slot,
                    attempt: shipment.attempt,
                });
            }
        }
        let frame = frame
            .finish()
            .expect("a request is below request_max, which fits its length");
        let answered = self.config.acks.as_i16() != 0;
        let what = (ApiKey::Produce, version);
        let flying: Vec<Slot> = carried.iter().map(|c| c.slot).collect();
        connection.handle_request(what, frame.len(), answered, Purpose::Produce(carried), now);
        for slot in flying {
            if let Some(state) = self.partition(slot) {
                state.in_flight += 1;
            }
        }
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.in_flight += 1;
            broker.last_records = records;
        }
        self.out.push_back(Output::Write { link, frame });
    }
}
