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
        if let Err(ending) = result {
            // The request is still unanswered: it is lost with its connection. It goes back before any
            // connection is found to have done its work, or nobody would ever hear of its loss.
            if let Some(connection) = self.connections.get_mut(connection_id) {
                connection.put_back(pending);
            }
            self.disconnect(connection_id, ending, now, queues);
        }
        self.close_bootstrap_connections();
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
    fn told(&self, response: &ProduceResponse, carried: &mut Carried) -> Result<Vec<Told>, String> {
        let Carried { batches, topics } = carried;
        let mut told = Vec::with_capacity(batches.len());
        let (mut by_partition, mut by_number, mut by_id) =
            (Places::default(), Places::default(), Places::default());
        for said in &response.topics {
            let count = topics.len();
            let found = match said.name.is_empty() {
                true => by_id.find(said.topic_id, count, |at| topics[at].id),
                false => self
                    .cluster
                    .number_of(&said.name)
                    .and_then(|number| by_number.find(number, count, |at| topics[at].number)),
            };
            let Some(topic) = found else {
                let name = match said.name.is_empty() {
                    true => format!("with the id {:?}", said.topic_id),
                    false => said.name.clone(),
                };
                return Err(format!(
                    "its answer is about topic {name}, which was not in the request"
                ));
            };
            for part in &said.partitions {
                let partition = PartitionId {
                    topic: topics[topic].number,
                    index: part.index,
                };
                let found = by_partition.find(partition, batches.len(), |at| batches[at].partition);
                let what = match found {
                    Some(batch) if !std::mem::replace(&mut batches[batch].is_answered, true) => {
                        told.push(Told { topic, batch });
                        continue;
                    }
                    Some(_) => "twice",
                    None => "which was not in the request",
                };
                let topic = self.cluster.topic(partition.topic);
                let name = topic.map_or("", |topic| &**topic.name());
                let index = part.index;
                return Err(format!(
                    "its answer is about partition {index} of topic {name}, {what}"
                ));
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
        let Carried { batches, topics } = carried;
        let mut changes = Vec::new();
        let mut told = told.into_iter();
        for topic in &response.topics {
            for said in &topic.partitions {
                let Some(Told { topic, batch }) = told.next() else {
                    break;
                };
                let Some(batch) = batches.get(batch).copied() else {
                    continue;
                };
                let (partition, SentTopic { number, id }) = (batch.partition, topics[topic]);
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
        for batch in batches.iter().filter(|batch| !batch.is_answered) {
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

/// Where something is among what a request carried.
///
/// Most answers come in its order, and then nothing is searched for. Brokers may answer in any other:
/// with ten thousand partitions a look at all of them for each would hold the thread up.
struct Places<K> {
    next: usize,
    /// Filled when something first is not where it was expected.
    sorted: Vec<(K, usize)>,
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self {
            next: 0,
            sorted: Vec::new(),
        }
    }
}

impl<K: Ord + Copy> Places<K> {
    /// Among so many, of which each has one key.
    fn find(&mut self, key: K, count: usize, key_at: impl Fn(usize) -> K) -> Option<usize> {
        let mut at = self.next;
        if at >= count || key_at(at) != key {
            if self.sorted.is_empty() {
                self.sorted = (0..count).map(|at| (key_at(at), at)).collect();
                self.sorted.sort_unstable();
            }
            let found = self.sorted.binary_search_by_key(&key, |(key, _)| *key);
            at = self.sorted[found.ok()?].1;
        }
        self.next = at + 1;
        Some(at)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::cmp::Ordering;

    thread_local! {
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    /// Counts how often it is compared.
    #[derive(Clone, Copy, Eq)]
    struct Counted(usize);

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            COMPARED.set(COMPARED.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other) == Ordering::Equal
        }
    }

    #[test]
    fn an_answer_in_any_order_is_read_in_as_many_steps_as_it_has_parts() {
        const COUNT: usize = 10_000;
        for step in [1, 7_919] {
            COMPARED.set(0);
            let mut places = Places::default();
            for at in (0..COUNT).map(|at| at * step % COUNT) {
                assert_eq!(places.find(Counted(at), COUNT, Counted), Some(at));
            }
            assert_eq!(places.find(Counted(COUNT), COUNT, Counted), None);
            let compared = COMPARED.get();
            assert!(compared < COUNT * 60, "{compared}");
        }
    }
}
