//! What came back: the answer's request is found, read, and its meaning passed on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::error::DecodeError;
use downpour_wire::header::decode_body;
use downpour_wire::messages::{
    InitProducerIdResponse, MetadataResponse, PartitionProduceResponse, ProduceResponse,
};
use downpour_wire::primitives::Reader;

use crate::client::connection::{Connection, Pending};
use crate::client::ending::Ending;
use crate::event::Event;
use crate::ids::ConnectionId;
use crate::ids::PartitionId;
use crate::mutants;
use crate::outcome::Cause;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::requests::{Carried, Purpose, SentBatch, SentTopic};
use crate::queue::{Answer, Left, Peek, RecordRefusal};

impl<T: Clone> Engine<T> {
    /// A whole frame arrived, without its length.
    pub fn handle_received(
        &mut self,
        connection_id: ConnectionId,
        frame: &[u8],
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let Some(connection) = self.connections.get_mut(connection_id) else {
            return;
        };
        match connection.handle_frame(frame, now) {
            Ok((pending, reader)) => {
                self.handle_answer(connection_id, pending, reader, now, queues)
            }
            Err(error) => self.disconnect(connection_id, Ending::protocol(error), now, queues),
        }
    }

    /// So many bytes have been handed to the transport on this connection since it was opened
    /// (`left`), and it still holds so many that wait for the socket (`held`).
    ///
    /// Over a plain socket nothing is held: what the kernel took has left, the rest has not. Over
    /// TLS a request has left once its plaintext is with the TLS layer, since it cannot be taken
    /// back; its ciphertext may still be held.
    pub fn handle_written(
        &mut self,
        connection_id: ConnectionId,
        left: u64,
        held: u64,
        queues: &mut impl Queues<T>,
    ) {
        let Some(connection) = self.connections.get_mut(connection_id) else {
            return;
        };
        connection.handle_written(left, held);
        let broker = connection.broker();
        let mut sent = Vec::new();
        while let Some(pending) = connection.take_sent() {
            sent.push(pending.into_purpose());
        }
        for purpose in sent {
            if let Purpose::Produce(carried) = purpose {
                self.handle_sent(broker, &carried.batches, queues);
            }
        }
    }

    fn handle_sent(
        &mut self,
        broker: Option<i32>,
        sent: &[SentBatch],
        queues: &mut impl Queues<T>,
    ) {
        for batch in sent {
            let out = &mut self.out;
            queues.with(batch.partition, |queue| {
                queue.handle_sent(batch.send_id, out)
            });
            self.lists.mark_dirty(batch.partition);
        }
        self.request_completed(broker);
    }

    fn request_completed(&mut self, broker: Option<i32>) {
        if let Some(broker) = broker.and_then(|id| self.brokers.get_mut(&id)) {
            broker.is_answered = true;
        }
    }

    fn handle_answer(
        &mut self,
        connection_id: ConnectionId,
        mut pending: Pending<Purpose>,
        mut reader: Reader<'_>,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let version = pending.version();
        let is_question = !matches!(pending.purpose(), Purpose::ApiVersions);
        let result = match pending.purpose_mut() {
            Purpose::ApiVersions => self.handle_versions(connection_id, version, &reader, now),
            Purpose::Metadata { is_whole } => decode_body::<MetadataResponse>(&mut reader, version)
                .map(|response| {
                    self.throttle(connection_id, response.throttle_time_ms, now);
                    let is_whole = *is_whole;
                    self.handle_metadata(connection_id, &response, is_whole, now, queues);
                })
                .map_err(unreadable),
            Purpose::InitProducerId => decode_body::<InitProducerIdResponse>(&mut reader, version)
                .map(|response| {
                    self.throttle(connection_id, response.throttle_time_ms, now);
                    self.handle_identity(connection_id, &response, now, queues);
                })
                .map_err(unreadable),
            Purpose::Produce(carried) => decode_body::<ProduceResponse>(&mut reader, version)
                .map_err(unreadable)
                .and_then(|response| {
                    let told = self.told(&response, carried).map_err(Ending::protocol)?;
                    let carried = (std::mem::take(carried), told);
                    self.handle_produced(connection_id, &response, carried, now, queues);
                    Ok(())
                }),
        };
        if is_question && result.is_ok() {
            self.note_answered(connection_id, now);
        }
        self.close_bootstrap_connections();
        if let Err(ending) = result {
            // The request is still unanswered: it is lost with its connection.
            if let Some(connection) = self.connections.get_mut(connection_id) {
                connection.put_back(pending);
            }
            self.disconnect(connection_id, ending, now, queues);
        }
    }

    fn throttle(&mut self, connection_id: ConnectionId, ms: i32, now: Instant) {
        let Ok(ms) = u64::try_from(ms) else { return };
        if ms == 0 {
            return;
        }
        let Some(connection) = self.connections.get_mut(connection_id) else {
            return;
        };
        // No record would live to see the end of a longer pause. An honest broker never asks for
        // it, and one that holds to its own word answers late.
        let throttle = Duration::from_millis(ms).min(self.config.delivery_timeout);
        connection.throttle(now + throttle);
        let broker = connection.broker();
        let notice = self.throttle_notices.note(&broker, 0, now);
        self.event(Event::Throttled {
            broker,
            throttle,
            notice,
        });
    }

    /// What each part of an answer is about, or what is wrong with it: one that speaks of a partition
    /// twice, or of one that was not in its request, has no meaning that could be trusted.
    fn told(&self, response: &ProduceResponse, carried: &Carried) -> Result<Vec<Told>, String> {
        let Carried { batches, topics } = carried;
        let mut told = Vec::with_capacity(batches.len());
        let mut is_told = vec![false; batches.len()];
        let (mut next, mut next_topic) = (0, 0);
        for said in &response.topics {
            let names = |sent: &SentTopic| match said.name.is_empty() {
                true => sent.id == said.topic_id,
                false => (self.cluster.topic(sent.number))
                    .is_some_and(|known| **known.name() == *said.name),
            };
            let found = find(topics.len(), next_topic, |at| names(&topics[at]));
            let Some(topic) = found else {
                let name = match said.name.is_empty() {
                    true => format!("with the id {:?}", said.topic_id),
                    false => said.name.clone(),
                };
                return Err(format!(
                    "its answer is about topic {name}, which was not in the request"
                ));
            };
            next_topic = topic + 1;
            for part in &said.partitions {
                let partition = PartitionId {
                    topic: topics[topic].number,
                    index: part.index,
                };
                let is_it = |at: usize| batches[at].partition == partition;
                // Brokers answer in the order of the request, so that the search nearly always ends
                // where it begins.
                let batch = find(batches.len(), next, is_it);
                let what = match batch.and_then(|at| is_told.get_mut(at)) {
                    Some(is_told) if !*is_told => None,
                    Some(_) => Some("twice"),
                    None => Some("which was not in the request"),
                };
                if let Some(what) = what {
                    let topic = self.cluster.topic(partition.topic);
                    let name = topic.map_or("", |topic| &**topic.name());
                    let index = part.index;
                    return Err(format!(
                        "its answer is about partition {index} of topic {name}, {what}"
                    ));
                }
                if let Some(batch) = batch {
                    is_told[batch] = true;
                    next = batch + 1;
                    told.push(Told { topic, batch });
                }
            }
        }
        Ok(told)
    }

    fn handle_produced(
        &mut self,
        connection_id: ConnectionId,
        response: &ProduceResponse,
        (carried, told): (Carried, Vec<Told>),
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.throttle(connection_id, response.throttle_time_ms, now);
        let broker = self
            .connections
            .get(connection_id)
            .and_then(Connection::broker);
        self.statistics.handle_answer(broker);
        let mut open: Vec<_> = carried.batches.into_iter().map(Some).collect();
        let mut changes = Vec::new();
        let mut told = told.into_iter();
        for topic in &response.topics {
            for said in &topic.partitions {
                let Some(Told { topic, batch }) = told.next() else {
                    break;
                };
                let Some(batch) = open.get_mut(batch).and_then(Option::take) else {
                    continue;
                };
                let (partition, SentTopic { number, id }) =
                    (batch.partition, carried.topics[topic]);
                let answer = answer_of(said);
                let out = &mut self.out;
                // One visit for both: with thousands of partitions each costs a few misses.
                let (stale, peek) = queues
                    .with(partition, |queue| {
                        let stale = queue.handle_answer(batch.send_id, &answer, now, out);
                        (stale, queue.peek(now))
                    })
                    .unwrap_or((false, Peek::Nothing));
                if stale && !mutants::is(24) {
                    self.metadata.want();
                }
                // Of a topic that was deleted meanwhile they would be taken for the new one's, whose
                // own epochs would then be the older ones for good.
                let known = self.cluster.topic(number);
                let is_current = known.is_some_and(|known| known.told_id() == id);
                if let Some(hint) = said.current_leader.as_ref().filter(|_| is_current) {
                    let endpoints = &response.node_endpoints;
                    changes.extend(self.cluster.apply_hint(partition, hint, endpoints));
                }
                self.note_peek(partition, peek);
            }
        }
        for batch in open.into_iter().flatten() {
            let cause = Cause::Unanswered {
                reason: Arc::from("the answer to its request left this batch out"),
            };
            let left = mutants::pick(18, Left::Part, Left::Whole);
            let out = &mut self.out;
            queues.with(batch.partition, |queue| {
                queue.handle_lost(batch.send_id, left, cause, now, out);
            });
            self.lists.mark_dirty(batch.partition);
        }
        self.request_completed(broker);
        if !changes.is_empty() {
            self.handle_changes(changes, now, queues);
        }
    }
}

/// What a part of an answer to records is about: places in what the request carried.
struct Told {
    topic: usize,
    batch: usize,
}

fn unreadable(error: DecodeError) -> Ending {
    Ending::protocol(format_args!("an answer could not be read: {error}"))
}

/// The first of so many that is meant, from `start` on and around.
fn find(len: usize, start: usize, is_it: impl Fn(usize) -> bool) -> Option<usize> {
    (0..len).map(|i| (start + i) % len).find(|&at| is_it(at))
}

/// Bytes that are kept of what a broker says about a refusal: it is in every error and every line.
const WORDS_MAX: usize = 1024;

fn words(said: &str) -> Arc<str> {
    if said.len() <= WORDS_MAX {
        return Arc::from(said);
    }
    let mut end = WORDS_MAX;
    while !said.is_char_boundary(end) {
        end -= 1;
    }
    let kept = &said[..end];
    Arc::from(format!("{kept}... ({} bytes)", said.len()))
}

fn answer_of(partition: &PartitionProduceResponse) -> Answer {
    let refusals = partition.record_errors.iter().filter_map(|r| {
        let index = u32::try_from(r.batch_index).ok()?;
        Some(RecordRefusal {
            index,
            message: r.message.as_deref().map(words),
        })
    });
    Answer {
        code: partition.error_code,
        base_offset: partition.base_offset,
        log_append_time: partition.log_append_time_ms,
        message: partition.error_message.as_deref().map(words),
        refusals: refusals.collect(),
    }
}
