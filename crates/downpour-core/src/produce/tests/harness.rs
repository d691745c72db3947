//! An engine under test: its sockets are lists of frames, its brokers the test itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::error_code::ErrorCode;
use downpour_wire::header::{RequestHeader, encode_response};
use downpour_wire::messages::{
    ApiKey, ApiVersion, ApiVersionsResponse, Decode, Encode, InitProducerIdResponse,
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataResponse, MetadataTopic,
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use downpour_wire::primitives::{Reader, Uuid};
use downpour_wire::record::RecordRef;

use crate::client::connect_error::{ConnectErrorKind, ConnectFailure};
use crate::client::ending::DisconnectReason;
use crate::config::{Address, Config};
use crate::event::Event;
use crate::ids::{ConnectionId, MemoryLine, PartitionId};
use crate::outcome::{Failure, Verdict};
use crate::produce::{Engine, Output, Queues, TopicUpdate};
use crate::queue::{Append, Chunk, Queue, QueueSettings};

pub(super) struct Held(pub(super) BTreeMap<PartitionId, Queue<u32>>);

impl Queues<u32> for Held {
    fn with<R>(
        &mut self,
        partition: PartitionId,
        f: impl FnOnce(&mut Queue<u32>) -> R,
    ) -> Option<R> {
        self.0.get_mut(&partition).map(f)
    }
}

/// A request as a broker sees it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) connection_id: ConnectionId,
    pub(super) header: RequestHeader,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn api(&self) -> ApiKey {
        ApiKey::try_from(self.header.api_key).unwrap()
    }

    pub(super) fn metadata(&self) -> MetadataRequest {
        MetadataRequest::decode(&mut Reader::new(&self.body), self.header.api_version).unwrap()
    }

    pub(super) fn produce(&self) -> ProduceRequest {
        ProduceRequest::decode(&mut Reader::new(&self.body), self.header.api_version).unwrap()
    }
}

pub(super) struct World {
    pub(super) engine: Engine<u32>,
    pub(super) queues: Held,
    pub(super) now: Instant,
    pub(super) config: Arc<Config>,
    pub(super) asked: VecDeque<Asked>,
    pub(super) connects: VecDeque<(ConnectionId, Address, Option<i32>)>,
    pub(super) disconnects: Vec<ConnectionId>,
    pub(super) events: Vec<String>,
    /// Brokers that became silent, for how many milliseconds, or answered again.
    pub(super) silences: Vec<(i32, Option<u128>)>,
    /// What each attempt to connect failed of.
    pub(super) failures: Vec<ConnectErrorKind>,
    /// By the ticket of a batch, that of its first record.
    pub(super) verdicts: BTreeMap<u32, String>,
    /// Ticket, first record, records, those of the whole batch, and verdict.
    pub(super) runs: Vec<(u32, u32, u32, u32, Verdict)>,
    /// Of the last record that was not delivered.
    pub(super) failure: Option<Arc<Failure>>,
    pub(super) topics: Vec<String>,
    /// To those who asked without sending.
    pub(super) answers: Vec<String>,
    pub(super) produce_max: i16,
    pub(super) topic_id: Uuid,
    /// What the cluster calls itself.
    pub(super) cluster_id: Option<&'static str>,
    /// Leader and epoch of each partition.
    pub(super) leaders: Vec<(i32, i32)>,
    next_ticket: u32,
    written: BTreeMap<ConnectionId, u64>,
    /// Bytes that come with each record.
    pub(super) chunk: usize,
    /// Events are not kept: with thousands of runs their text is most of the time.
    pub(super) is_deaf: bool,
    /// Nothing that is written leaves.
    pub(super) kernel_is_full: bool,
}

pub(super) fn config() -> Config {
    let address = |host: &str| Address {
        host: Arc::from(host),
        port: 9092,
    };
    Config::new(vec![address("boot1"), address("boot2")])
}

impl World {
    pub(super) fn new(config: Config) -> Self {
        let config = Arc::new(config);
        Self {
            engine: Engine::new(config.clone(), 1),
            queues: Held(BTreeMap::new()),
            now: Instant::now(),
            config,
            asked: VecDeque::new(),
            connects: VecDeque::new(),
            disconnects: Vec::new(),
            events: Vec::new(),
            silences: Vec::new(),
            failures: Vec::new(),
            verdicts: BTreeMap::new(),
            runs: Vec::new(),
            failure: None,
            topics: Vec::new(),
            answers: Vec::new(),
            produce_max: 9,
            topic_id: Uuid::ZERO,
            cluster_id: None,
            leaders: vec![(1, 0), (2, 0)],
            next_ticket: 0,
            written: BTreeMap::new(),
            chunk: 64 << 10,
            is_deaf: false,
            kernel_is_full: false,
        }
    }

    pub(super) fn step(&mut self) {
        if self.round() && !self.kernel_is_full {
            self.kernel_takes_all();
        }
    }

    pub(super) fn kernel_takes_all(&mut self) {
        self.kernel_is_full = false;
        for (&connection_id, &total) in &self.written {
            self.engine
                .handle_written(connection_id, total, 0, &mut self.queues);
        }
        let (is_at_rest, wakes) = (
            self.engine.is_at_rest(self.now),
            self.engine.next_wake(self.now),
        );
        if is_at_rest {
            // Shells leave this poll out.
            self.engine.poll(self.now, &mut self.queues);
            assert!(!self.engine.has_output(), "it was not at rest");
            assert_eq!(wakes, self.engine.next_wake(self.now));
        }
        self.step();
    }

    /// Whether anything was written.
    fn round(&mut self) -> bool {
        let mut wrote = false;
        self.engine.poll(self.now, &mut self.queues);
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Connect {
                    connection_id,
                    address,
                    broker,
                } => {
                    self.engine.handle_resolved(connection_id, self.now);
                    self.connects.push_back((connection_id, address, broker));
                }
                Output::Disconnect { connection_id } => self.disconnects.push(connection_id),
                Output::Write {
                    connection_id,
                    frame,
                } => {
                    wrote = true;
                    let bytes = frame.to_vec();
                    *self.written.entry(connection_id).or_default() += bytes.len() as u64;
                    let mut reader = Reader::new(&bytes[4..]);
                    let header = RequestHeader::decode(&mut reader).unwrap();
                    let body = reader.rest().to_vec();
                    self.asked.push_back(Asked {
                        connection_id,
                        header,
                        body,
                    });
                }
                Output::Topic { update, .. } => self.topics.push(match update {
                    TopicUpdate::Available { leaders } => format!("{leaders:?}"),
                    TopicUpdate::Unavailable { code, fatal, .. } => format!("{code} fatal={fatal}"),
                    TopicUpdate::Idle => "idle".to_owned(),
                }),
                Output::Resolve {
                    ticket,
                    first,
                    count,
                    total,
                    verdict,
                } => {
                    let run = (ticket, first, count, total, verdict.clone());
                    self.runs.push(run);
                    // The ticket of a batch of several is that of its first record.
                    if first > 0 {
                        continue;
                    }
                    if let Verdict::Failed(failure) | Verdict::Unknown(failure) = &verdict {
                        self.failure = Some(failure.clone());
                    }
                    let word = match verdict {
                        Verdict::Delivered { base_offset, .. } => format!("at {base_offset:?}"),
                        Verdict::Sent => "sent".to_owned(),
                        Verdict::Failed(failure) => format!("failed: {failure}"),
                        Verdict::Unknown(failure) => format!("unknown: {failure}"),
                    };
                    assert!(
                        self.verdicts.insert(ticket, word).is_none(),
                        "{ticket} twice"
                    );
                }
                Output::Event(event) => {
                    if let Event::ConnectFailed { error, .. } = &event {
                        self.failures.push(error.kind());
                    }
                    if !self.is_deaf {
                        self.events.push(format!("{event:?}"));
                    }
                }
                Output::Silence { broker, since, .. } => {
                    let told = since.map(|since| (self.now - since).as_millis());
                    self.silences.push((broker, told));
                }
                Output::Cluster(update) => self.answers.push(format!("{update:?}")),
                Output::Partitions { answer, .. } => self.answers.push(format!("{answer:?}")),
                Output::Free { .. } | Output::Seal { .. } => {}
            }
        }
        let next = self.engine.next_wake(self.now);
        assert!(next.is_none_or(|at| at > self.now), "would spin");
        wrote
    }

    pub(super) fn sleep(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.step();
    }

    pub(super) fn sleep_us(&mut self, us: u64) {
        self.now += Duration::from_micros(us);
        self.step();
    }

    pub(super) fn saw(&self, what: &str) -> bool {
        self.events.iter().any(|event| event.contains(what))
    }

    pub(super) fn connect(&mut self) -> (ConnectionId, Address, Option<i32>) {
        let connect = self.connects.pop_front().expect("nothing to connect");
        self.engine.handle_connected(connect.0, self.now);
        self.step();
        connect
    }

    pub(super) fn refuse(&mut self) -> Address {
        let (connection_id, address, _) = self.connects.pop_front().expect("nothing to connect");
        let refused = ConnectFailure::new(ConnectErrorKind::Refused, "connection refused");
        self.engine
            .handle_connect_failed(connection_id, refused, self.now, &mut self.queues);
        self.step();
        address
    }

    pub(super) fn lose(&mut self, connection_id: ConnectionId) {
        let error = std::io::Error::other("reset by peer");
        let reason = DisconnectReason::Broken(Arc::new(error));
        self.engine
            .handle_disconnected(connection_id, reason, self.now, &mut self.queues);
        self.step();
    }

    pub(super) fn next(&mut self, api: ApiKey) -> Asked {
        let asked = self
            .asked
            .pop_front()
            .unwrap_or_else(|| panic!("{api:?} was not asked"));
        assert_eq!(asked.api(), api);
        asked
    }

    pub(super) fn answer<M: Encode>(&mut self, asked: &Asked, response: &M) {
        self.answer_in(asked.header.api_version, asked, response);
    }

    /// Answers in this version, whatever it was asked in.
    pub(super) fn answer_in<M: Encode>(&mut self, version: i16, asked: &Asked, response: &M) {
        let Asked {
            connection_id,
            header,
            ..
        } = asked;
        let id = header.correlation_id;
        let frame = encode_response(asked.api(), response, version, id).unwrap();
        self.engine
            .handle_received(*connection_id, &frame[4..], self.now, &mut self.queues);
        self.step();
    }

    pub(super) fn versions(&self) -> ApiVersionsResponse {
        let mut response = ApiVersionsResponse::default();
        for (api_key, max_version) in [(0, self.produce_max), (3, 13), (18, 4), (22, 5)] {
            response.api_keys.push(ApiVersion {
                api_key,
                min_version: 0,
                max_version,
            });
        }
        response
    }

    pub(super) fn metadata(&self) -> MetadataResponse {
        let mut response = MetadataResponse {
            cluster_id: self.cluster_id.map(str::to_owned),
            ..MetadataResponse::default()
        };
        for node_id in 1..=2 {
            response.brokers.push(MetadataBroker {
                node_id,
                host: format!("b{node_id}"),
                port: 9092,
                rack: None,
            });
        }
        let mut topic = MetadataTopic {
            name: Some("t".into()),
            ..Default::default()
        };
        topic.topic_id = self.topic_id;
        for (i, &(leader_id, leader_epoch)) in self.leaders.iter().enumerate() {
            topic.partitions.push(MetadataPartition {
                partition_index: i as i32,
                leader_id,
                leader_epoch,
                ..Default::default()
            });
        }
        response.topics.push(topic);
        response
    }

    pub(super) fn answer_versions(&mut self) {
        let asked = self.next(ApiKey::ApiVersions);
        let response = self.versions();
        self.answer(&asked, &response);
    }

    pub(super) fn answer_metadata(&mut self) {
        let asked = self.next(ApiKey::Metadata);
        let response = self.metadata();
        self.answer(&asked, &response);
    }

    pub(super) fn answer_identity(&mut self) {
        let asked = self.next(ApiKey::InitProducerId);
        let response = InitProducerIdResponse {
            producer_id: 7,
            producer_epoch: 0,
            ..Default::default()
        };
        self.answer(&asked, &response);
    }

    /// Up to the point where records may be appended.
    pub(super) fn ready(config: Config) -> Self {
        Self::new(config).get_ready()
    }

    pub(super) fn get_ready(mut self) -> Self {
        self.want();
        self.connect();
        self.answer_versions();
        self.answer_metadata();
        if self.config.idempotence {
            self.answer_identity();
        }
        self
    }

    pub(super) fn want(&mut self) {
        self.engine
            .handle_topic_wanted(0, &Arc::from("t"), self.now);
        for index in 0..2 {
            let partition = PartitionId { topic: 0, index };
            let settings = QueueSettings::from(self.config.as_ref());
            self.queues.0.entry(partition).or_insert_with(|| {
                Queue::new(Arc::from("t"), index, MemoryLine(Some(1)), settings, 1)
            });
        }
        self.step();
    }

    /// Appends one record as a batch of its own and lets the engine see it.
    /// Appends a record that opens a batch.
    pub(super) fn append(&mut self, partition: i32) -> u32 {
        let expected = self.next_ticket;
        let ticket = self.append_anywhere(partition);
        assert_eq!(ticket, expected, "the record joined an earlier batch");
        ticket
    }

    /// Appends a record to whichever batch is open.
    pub(super) fn append_anywhere(&mut self, partition: i32) -> u32 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let partition = PartitionId {
            topic: 0,
            index: partition,
        };
        let queue = self.queues.0.get_mut(&partition).unwrap();
        let record = RecordRef {
            key: None,
            value: Some(b"v"),
            headers: &[],
            timestamp: 1_700_000_000_000,
        };
        let now = self.now;
        let options = self.config.batch_options();
        let mut chunk = Some(Chunk {
            memory: Vec::with_capacity(self.chunk),
            credit: self.chunk,
            line: queue.line(),
        });
        let Append::Added(added) = queue.append(&record, &options, &mut chunk, || now, || ticket)
        else {
            panic!("a chunk is enough");
        };
        if added.became_dirty {
            self.engine.mark_dirty(partition);
        }
        self.step();
        added.ticket
    }

    /// Answers a Produce request, each partition with this code and offset.
    pub(super) fn answer_produce(&mut self, asked: &Asked, code: ErrorCode, base_offset: i64) {
        let mut response = ProduceResponse::default();
        for topic in asked.produce().topics {
            let partitions = topic.partitions.iter().map(|p| PartitionProduceResponse {
                index: p.index,
                error_code: code,
                base_offset,
                ..Default::default()
            });
            response.topics.push(TopicProduceResponse {
                partitions: partitions.collect(),
                name: topic.name,
                topic_id: topic.topic_id,
            });
        }
        self.answer(asked, &response);
    }

    /// Connects to the broker that an append asked for.
    pub(super) fn connect_broker(&mut self) -> ConnectionId {
        let (connection_id, _, broker) = self.connect();
        assert!(broker.is_some());
        self.answer_versions();
        connection_id
    }

    /// The same while the question for a producer id has no answer yet.
    pub(super) fn connect_broker_behind(&mut self) -> ConnectionId {
        let (connection_id, _, broker) = self.connect();
        assert!(broker.is_some());
        let of = |asked: &Asked| asked.connection_id == connection_id;
        let at = self.asked.iter().position(of).expect("its versions");
        let asked = self.asked.remove(at).unwrap();
        let response = self.versions();
        self.answer(&asked, &response);
        connection_id
    }

    /// Whether a message of this event is there, with what all were.
    pub(super) fn assert_saw(&self, what: &str) {
        assert!(self.saw(what), "no {what} in {:#?}", self.events);
    }
}

/// Kept in one place, so that a renamed variant is noticed.
pub(super) const REBOOTSTRAP: &str = "Rebootstrap";

#[test]
fn event_names_are_those_that_these_tests_look_for() {
    assert_eq!(format!("{:?}", Event::Rebootstrap), REBOOTSTRAP);
}
