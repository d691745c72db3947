//! What came back: the answer's request is found, read, and its meaning passed on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::header::decode_body;
use downpour_wire::messages::{
    InitProducerIdResponse, MetadataResponse, PartitionProduceResponse, ProduceResponse,
};
use downpour_wire::primitives::Reader;

use crate::cluster::Slot;
use crate::connection::{LinkId, Pending};
use crate::engine::state::{Carried, Engine, Purpose, Queues};
use crate::event::Event;
use crate::outcome::Cause;
use crate::queue::{Answer, Peek, RecordRefusal};

impl<T: Clone> Engine<T> {
    /// A whole frame arrived, without its length.
    pub fn handle_received(
        &mut self,
        link: LinkId,
        frame: &[u8],
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let Some(connection) = self.links.get_mut(&link) else {
            return;
        };
        match connection.handle_frame(frame, now) {
            Ok((pending, reader)) => self.handle_answer(link, pending, reader, now, queues),
            Err(garbled) => self.disconnect(link, &garbled.to_string(), now, queues),
        }
        self.carry_out_effects();
    }

    /// So many bytes have been handed to the kernel on this connection since it was opened.
    pub fn handle_written(&mut self, link: LinkId, total: u64, queues: &mut impl Queues<T>) {
        let Some(connection) = self.links.get_mut(&link) else {
            return;
        };
        connection.handle_written(total);
        let mut sent = Vec::new();
        while let Some(pending) = connection.unanswered.pop_front() {
            if !connection.has_left(&pending) {
                connection.unanswered.push_front(pending);
                break;
            }
            sent.push(pending.purpose);
        }
        let broker = connection.broker;
        for purpose in sent {
            if let Purpose::Produce(carried) = purpose {
                self.handle_sent(broker, &carried, queues);
            }
        }
        self.carry_out_effects();
    }

    fn handle_sent(
        &mut self,
        broker: Option<i32>,
        carried: &[Carried],
        queues: &mut impl Queues<T>,
    ) {
        for batch in carried {
            let effects = &mut self.effects;
            queues.with(batch.slot, |queue| {
                queue.handle_sent(batch.attempt, effects)
            });
            self.land(batch.slot);
        }
        self.request_landed(broker);
    }

    fn request_landed(&mut self, broker: Option<i32>) {
        if let Some(broker) = broker.and_then(|id| self.brokers.get_mut(&id)) {
            broker.in_flight = broker.in_flight.saturating_sub(1);
            broker.has_landed = true;
        }
    }

    fn handle_answer(
        &mut self,
        link: LinkId,
        mut pending: Pending<Purpose>,
        mut reader: Reader<'_>,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let version = pending.version;
        let result = match &pending.purpose {
            Purpose::ApiVersions => self.handle_versions(link, &pending, &reader, now),
            Purpose::Metadata => decode_body::<MetadataResponse>(&mut reader, version)
                .map(|response| {
                    self.throttle(link, response.throttle_time_ms, now);
                    self.handle_metadata(link, &response, now, queues);
                })
                .map_err(unreadable),
            Purpose::InitProducerId => decode_body::<InitProducerIdResponse>(&mut reader, version)
                .map(|response| {
                    self.throttle(link, response.throttle_time_ms, now);
                    self.handle_identity(&response, now, queues);
                })
                .map_err(unreadable),
            Purpose::Produce(_) => match decode_body::<ProduceResponse>(&mut reader, version) {
                Ok(response) => {
                    if let Purpose::Produce(carried) = &mut pending.purpose {
                        let carried = std::mem::take(carried);
                        self.handle_produced(link, &response, carried, now, queues);
                    }
                    Ok(())
                }
                Err(error) => Err(unreadable(error)),
            },
        };
        self.close_bootstrap_links();
        if let Err(reason) = result {
            // The request is still unanswered: it is lost with its connection.
            if let Some(connection) = self.links.get_mut(&link) {
                connection.pending.push_front(pending);
            }
            self.disconnect(link, &reason, now, queues);
        }
    }

    fn throttle(&mut self, link: LinkId, ms: i32, now: Instant) {
        let Ok(ms) = u64::try_from(ms) else { return };
        if ms == 0 {
            return;
        }
        let Some(connection) = self.links.get_mut(&link) else {
            return;
        };
        let pause = Duration::from_millis(ms);
        connection.throttled_until = Some(now + pause);
        let broker = connection.broker;
        self.event(Event::Throttled { broker, pause });
    }

    fn handle_produced(
        &mut self,
        link: LinkId,
        response: &ProduceResponse,
        carried: Vec<Carried>,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.throttle(link, response.throttle_time_ms, now);
        let broker = self.links.get(&link).and_then(|c| c.broker);
        let mut open: Vec<Option<Carried>> = carried.into_iter().map(Some).collect();
        let mut next = 0;
        let mut changes = Vec::new();
        for topic in &response.topics {
            let Some(number) = self.cluster.number_of(&topic.name, topic.topic_id) else {
                continue;
            };
            for partition in &topic.partitions {
                let slot = Slot {
                    topic: number,
                    partition: partition.index,
                };
                let Some(batch) = take(&mut open, &mut next, slot) else {
                    continue;
                };
                let answer = answer_of(partition);
                let effects = &mut self.effects;
                // One visit for both: with thousands of partitions each costs a few misses.
                let (stale, peek) = queues
                    .with(slot, |queue| {
                        let stale = queue.handle_answer(batch.attempt, &answer, now, effects);
                        (stale, queue.peek(now))
                    })
                    .unwrap_or((false, Peek::Nothing));
                self.metadata.wanted |= stale;
                if let Some(hint) = &partition.current_leader {
                    let endpoints = &response.node_endpoints;
                    changes.extend(self.cluster.apply_hint(slot, hint, endpoints));
                }
                self.uncount(slot);
                self.note_look(slot, peek);
            }
        }
        for batch in open.into_iter().flatten() {
            let cause = Cause::Disconnected {
                reason: Arc::from("its answer left this batch out"),
            };
            let effects = &mut self.effects;
            queues.with(batch.slot, |queue| {
                queue.handle_lost(batch.attempt, true, cause, now, effects);
            });
            self.land(batch.slot);
        }
        self.request_landed(broker);
        if !changes.is_empty() {
            self.handle_changes(changes, queues);
        }
        self.carry_out_effects();
    }
}

fn unreadable(error: downpour_wire::error::DecodeError) -> Arc<str> {
    Arc::from(format!("an answer could not be read: {error}"))
}

/// Finds a slot's batch. Brokers answer in the order of the request, so that the search
/// nearly always ends where it begins.
fn take(open: &mut [Option<Carried>], next: &mut usize, slot: Slot) -> Option<Carried> {
    let len = open.len();
    let start = *next;
    let at = (0..len)
        .map(|i| (start + i) % len)
        .find(|&at| open[at].is_some_and(|c| c.slot == slot))?;
    *next = at + 1;
    open[at].take()
}

fn answer_of(partition: &PartitionProduceResponse) -> Answer {
    let refusals = partition.record_errors.iter().filter_map(|r| {
        let index = u32::try_from(r.batch_index).ok()?;
        Some(RecordRefusal {
            index,
            message: r.message.as_deref().map(Arc::from),
        })
    });
    Answer {
        code: partition.error_code,
        base_offset: partition.base_offset,
        log_append_time: partition.log_append_time_ms,
        message: partition.error_message.as_deref().map(Arc::from),
        refusals: refusals.collect(),
    }
}
