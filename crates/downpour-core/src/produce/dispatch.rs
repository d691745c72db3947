//! Which batches leave when: one request gathers many partitions from a rotating start.

use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::codec::CompressionType;
use downpour_wire::error_code::ErrorCode;
use downpour_wire::frame::ProduceFrame;
use downpour_wire::messages::ApiKey;

use crate::config::Linger;
use crate::ids::{ConnectionId, MemoryLine, PartitionId};
use crate::output::Output;
use crate::produce::engine::{Engine, earlier};
use crate::produce::producer_id::Bumped;
use crate::produce::queues::Queues;
use crate::produce::requests::{Carried, Gathered, Purpose, SentBatch, SentTopic, in_flight};
use crate::produce::send_lists::SendList;
use crate::queue::{Answer, Drain, DrainContext, Peek, Readiness};

/// The first version of Produce that may carry zstd (KIP-110).
const ZSTD_SINCE: i16 = 7;

/// The first version of Produce that names topics by id alone (KIP-516).
const IDS_SINCE: i16 = 13;

impl<T: Clone> Engine<T> {
    /// Sends what is due, to every broker.
    pub(crate) fn dispatch(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        let mut next = self.lists.broker_from(i32::MIN);
        while let Some(id) = next {
            next = id.checked_add(1).and_then(|id| self.lists.broker_from(id));
            self.ensure_connection(id, now);
            self.pace(id, now, queues);
            // One request per poll: until the shell tells that it was written it waits there, and
            // what would follow it waits better here.
            if let Some((connection_id, version, readiness)) = self.may_send(id, now) {
                self.gather(id, version, readiness, now, queues);
                if !self.gathered.is_empty() {
                    self.send(id, connection_id, version, now);
                }
            }
        }
    }

    /// The connection to send on, its version of Produce and what may go along, if a request is
    /// due and may leave now.
    fn may_send(&self, id: i32, now: Instant) -> Option<(ConnectionId, i16, Readiness)> {
        let broker = self.brokers.get(&id)?;
        let connection = self.connections.to(id)?;
        let in_flight = in_flight(connection);
        let full = in_flight >= self.config.max_in_flight;
        // What the kernel does not take would wait there as a request; here it waits as open
        // batches, which grow, and is still known to be unwritten.
        let waits = full || connection.is_congested();
        if !connection.takes_requests(now) || waits || self.lists.len(id) == 0 {
            return None;
        }
        let version = connection.version_of(ApiKey::Produce)?;
        // With nothing in flight lingering gains nothing.
        let is_idle = self.is_adaptive() && in_flight == 0 && !broker.pauses_at(now);
        let is_pressed = self.pressed.contains(&MemoryLine(Some(id)));
        if is_idle || is_pressed || self.draining {
            return Some((connection.id(), version, Readiness::Anything));
        }
        let due = broker.ready || broker.next_at.is_some_and(|at| at <= now);
        due.then_some((connection.id(), version, Readiness::Half))
    }

    pub(crate) fn is_adaptive(&self) -> bool {
        matches!(self.config.linger, Linger::Adaptive(_))
    }

    /// Visits each of the broker's active partitions once, as long as the request has room.
    fn gather(
        &mut self,
        id: i32,
        version: i16,
        readiness: Readiness,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let broker = self.brokers.entry(id).or_default();
        broker.ready = false;
        broker.next_at = None;
        let visits = self.lists.len(id);
        let mut context = DrainContext {
            now,
            broker: id,
            identity: self.identity.current(),
            unix_ms: self.unix_ms(now),
            readiness,
        };
        let mut bytes = 0;
        for _ in 0..visits {
            if bytes > 0 && bytes + self.config.batch_max > self.config.request_max {
                // The rest goes first next time.
                self.broker_ready(id);
                break;
            }
            let Some(partition) = self.lists.pop(id) else {
                break;
            };
            let drain = self.visit(partition, version, &mut context, queues);
            let stays = match &drain {
                Some(Drain::Send(outgoing)) => outgoing.next != Peek::Nothing,
                Some(Drain::Empty) | None => false,
                Some(_) => true,
            };
            if stays {
                // Behind the others, so that the next request begins with another one.
                self.lists.enlist(partition, SendList::Broker(id));
            }
            match drain {
                Some(Drain::Send(outgoing)) => {
                    bytes += outgoing.bytes();
                    // A second batch of this partition goes with the next request.
                    self.note_due(id, outgoing.next);
                    self.gathered.push((partition, outgoing));
                }
                Some(Drain::Until(at)) => {
                    if let Some(broker) = self.brokers.get_mut(&id) {
                        broker.next_at = earlier(broker.next_at, Some(at));
                    }
                }
                Some(Drain::Seal(job)) => self.out.push_back(Output::Seal { partition, job }),
                Some(Drain::NeedIdentity) => self.init.want(),
                _ => {}
            }
        }
        self.look_at_dirty(now, queues);
    }

    fn broker_ready(&mut self, id: i32) {
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.ready = true;
        }
    }

    /// Asks one queue for its next batch, with a newer identity if its sequence broke.
    fn visit(
        &mut self,
        partition: PartitionId,
        version: i16,
        context: &mut DrainContext,
        queues: &mut impl Queues<T>,
    ) -> Option<Drain> {
        let out = &mut self.out;
        let mut drain = queues.with(partition, |queue| queue.poll_drain(context, out))?;
        if let Drain::NeedBump(stale) = drain {
            match self.bump(stale) {
                // The coordinator has to raise the epoch; the others go on under the one in use.
                Bumped::Later => return Some(Drain::Blocked),
                Bumped::Now(newest) => context.identity = newest,
            }
            let out = &mut self.out;
            drain = queues.with(partition, |queue| queue.poll_drain(context, out))?;
        }
        let Drain::Send(outgoing) = &drain else {
            return Some(drain);
        };
        if outgoing.body.codec() == CompressionType::Zstd && version < ZSTD_SINCE {
            let mut answer = Answer::of(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
            answer.message = Some(Arc::from(
                "this broker is older than zstd (Kafka 2.1); use another compression.type",
            ));
            let (send_id, out) = (outgoing.send_id, &mut self.out);
            queues.with(partition, |queue| {
                queue.handle_answer(send_id, &answer, context.now, out)
            });
            self.lists.mark_dirty(partition);
            return Some(Drain::Empty);
        }
        Some(drain)
    }

    /// One request of all that was gathered.
    fn send(&mut self, id: i32, connection_id: ConnectionId, mut version: i16, now: Instant) {
        let gathered = &mut self.gathered;
        gathered.sort_by_key(|(partition, _)| partition.topic);
        let connection = self.connections.get_mut(connection_id);
        let connection = connection.expect("nothing ends a connection between may_send and here");
        let has_id = |partition: &PartitionId| {
            self.cluster
                .topic(partition.topic)
                .is_some_and(|t| !t.id().is_zero())
        };
        // Metadata that came from an older broker of the cluster has no ids.
        if version >= IDS_SINCE && !gathered.iter().all(|(partition, _)| has_id(partition)) {
            version = IDS_SINCE - 1;
        }
        let timeout = broker_timeout(self.config.request_timeout);
        let mut frame = ProduceFrame::new(
            version,
            connection.next_correlation_id(),
            &self.config.client_id,
            None,
            self.config.acks.as_i16(),
            timeout,
            gathered.chunk_by(|a, b| a.0.topic == b.0.topic).count(),
        );
        let mut batches = Vec::with_capacity(gathered.len());
        let mut topics = Vec::new();
        let mut records = 0;
        let mut rest = gathered.drain(..);
        while let Some((first, _)) = rest.as_slice().first() {
            let index = first.topic;
            let topic = self.cluster.topic(index);
            let topic = topic.expect("a partition is active only once its topic has metadata");
            let of_topic = |(partition, _): &&Gathered| partition.topic == index;
            let count = rest.as_slice().iter().take_while(of_topic).count();
            frame.topic(topic.name(), topic.id(), count);
            topics.push(SentTopic {
                number: index,
                id: topic.told_id(),
            });
            for (partition, outgoing) in rest.by_ref().take(count) {
                records += outgoing.body.count();
                frame.partition(partition.index, &outgoing.header, outgoing.body);
                batches.push(SentBatch {
                    partition,
                    send_id: outgoing.send_id,
                    is_answered: false,
                });
            }
        }
        let frame = frame
            .finish()
            .expect("a request is below request_max, which fits its length");
        let answered = self.config.acks.as_i16() != 0;
        let what = (ApiKey::Produce, version);
        let purpose = Purpose::Produce(Carried { batches, topics });
        connection.handle_request(what, frame.len(), answered, purpose, now);
        self.statistics.handle_request(id, frame.len());
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.last_records = records;
        }
        self.out.push_back(Output::Write {
            connection_id,
            frame,
        });
    }
}

/// How long a broker may wait for its followers, in milliseconds: less than the client waits for
/// the broker. Else the connection is given up just before REQUEST_TIMED_OUT comes, and with it all
/// other requests that are on their way there.
fn broker_timeout(request_timeout: Duration) -> i32 {
    let ahead = (request_timeout / 10).min(Duration::from_secs(1));
    i32::try_from((request_timeout - ahead).as_millis())
        .unwrap_or(i32::MAX)
        .max(1)
}
