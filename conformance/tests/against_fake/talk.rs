//! Talking to a broker in single requests, and telling its answers in words that do not depend on
//! ports, ids and the hour. What is asked is in `produce` and `others`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use downpour_wire::batch::BatchView;
use downpour_wire::header::{decode_response, encode_request};
use downpour_wire::messages::{
    FetchPartition, FetchPartitionResponse, FetchRequest, FetchTopic, MetadataRequest,
    MetadataRequestTopic, PartitionProduceResponse, ProducePartition, ProduceRequest, ProduceTopic,
    Request,
};
use downpour_wire::primitives::Uuid;

use crate::batches::Batch;

/// No answer takes so long unless there is none.
const WITHIN: Duration = Duration::from_secs(8);

const ID: i32 = 4711;

/// A broker to talk to.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: String,
    pub(crate) ids: BTreeMap<String, Uuid>,
}

impl Peer {
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            ids: BTreeMap::new(),
        }
    }

    /// Asks for the ids of topics.
    pub(crate) fn learn(&mut self, topics: &[String]) {
        let named = topics.iter().map(|name| MetadataRequestTopic {
            name: Some(name.clone()),
            ..MetadataRequestTopic::default()
        });
        let request = MetadataRequest {
            topics: Some(named.collect()),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        let told = self.ask(&request, 10).expect("metadata is answered");
        for topic in told.topics {
            let name = topic.name.unwrap();
            assert!(topic.error_code.is_none(), "{name}: {}", topic.error_code);
            self.ids.insert(name, topic.topic_id);
        }
    }

    /// Sends one frame on a connection of its own. `Err` says how it ended without an answer.
    pub(crate) fn send(&self, frame: &[u8]) -> Result<Vec<u8>, &'static str> {
        let mut stream = TcpStream::connect(&self.address).expect("the broker listens");
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        // It may be closed before all is written.
        let _ = stream.write_all(frame);
        read_frame(&mut stream)
    }

    /// Sends a frame that has no answer, and says whether the connection outlives it.
    pub(crate) fn send_unanswered(&self, frame: &[u8]) -> &'static str {
        let probe = MetadataRequest {
            topics: Some(Vec::new()),
            ..MetadataRequest::default()
        };
        let probe = encode_request(&probe, 1, ID, "probe").unwrap();
        match self.send(&[frame, &probe].concat()) {
            Ok(_) => "stays open",
            Err(how) => how,
        }
    }

    pub(crate) fn ask<R: Request>(
        &self,
        request: &R,
        version: i16,
    ) -> Result<R::Response, &'static str> {
        // A script may ask for more than an old version can say.
        let frame = encode_request(request, version, ID, "differ").map_err(|_| "not in it")?;
        let answer = self.send(&frame)?;
        let (id, response) =
            decode_response::<R>(&answer, version).expect("an answer that can be read");
        assert_eq!(id, ID);
        Ok(response)
    }
}

impl Peer {
    /// What a partition says and holds from an offset on.
    pub(crate) fn fetch(&self, topic: &str, partition: i32, from: i64) -> FetchPartitionResponse {
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: 1 << 20,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: topic.to_owned(),
                partitions: vec![FetchPartition {
                    partition,
                    current_leader_epoch: -1,
                    fetch_offset: from,
                    last_fetched_epoch: -1,
                    log_start_offset: -1,
                    partition_max_bytes: 1 << 20,
                }],
            }],
            ..FetchRequest::default()
        };
        let answer = self.ask(&request, 11).expect("a fetch is answered");
        answer
            .topics
            .into_iter()
            .next()
            .and_then(|topic| topic.partitions.into_iter().next())
            .expect("the partition")
    }

    /// Where a partition ends.
    fn end(&self, topic: &str, partition: i32) -> i64 {
        self.fetch(topic, partition, 0).high_watermark
    }
}

fn read_frame(stream: &mut TcpStream) -> Result<Vec<u8>, &'static str> {
    let mut length = [0; 4];
    if let Err(error) = stream.read_exact(&mut length) {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        return Err(match error.kind() {
            TimedOut | WouldBlock => "silence",
            _ => "closed",
        });
    }
    let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).expect("a length")];
    stream
        .read_exact(&mut frame)
        .map_err(|_| "closed in the middle")?;
    Ok(frame)
}

/// One script's conversation with one broker, and what it heard.
#[derive(Debug)]
pub(crate) struct Talk<'a> {
    pub(crate) peer: &'a Peer,
    /// The version of Produce, or of whatever the script is about.
    pub(crate) version: i16,
    /// The partition of its own, also the last digits of its producers' ids.
    pub(crate) place: i32,
    /// When the script began, the same for every broker.
    pub(crate) now_ms: i64,
    pub(crate) heard: Vec<String>,
    /// Where the partitions ended that it used, when it began; offsets are told from there on.
    pub(crate) began: BTreeMap<String, i64>,
}

/// A partition and its records.
type Part = (i32, Option<Vec<u8>>);

impl Talk<'_> {
    pub(crate) fn hear(&mut self, what: String) {
        self.heard.push(what);
    }

    /// A producer id that no other script uses.
    pub(crate) fn producer(&self) -> i64 {
        1_000_000 + i64::from(self.version) * 1000 + i64::from(self.place)
    }

    pub(crate) fn request(&self, acks: i16, parts: Vec<(String, Vec<Part>)>) -> ProduceRequest {
        let topics = parts.into_iter().map(|(name, partitions)| {
            let id = self.peer.ids.get(&name).copied();
            let by_id = self.version >= 13;
            ProduceTopic {
                topic_id: id.filter(|_| by_id).unwrap_or(if by_id {
                    Uuid([7; 16])
                } else {
                    Uuid::ZERO
                }),
                name: if by_id { String::new() } else { name },
                partitions: partitions
                    .into_iter()
                    .map(|(index, records)| ProducePartition { index, records })
                    .collect(),
            }
        });
        ProduceRequest {
            transactional_id: None,
            acks,
            timeout_ms: 5000,
            topics: topics.collect(),
        }
    }

    /// Sends a batch to the script's own partition.
    pub(crate) fn send(&mut self, batch: &Batch) {
        self.send_bytes(batch.bytes());
    }

    pub(crate) fn send_bytes(&mut self, bytes: Vec<u8>) {
        let request = self.request(
            -1,
            vec![("plain".to_owned(), vec![(self.place, Some(bytes))])],
        );
        self.produce(&request);
    }

    /// Sends a batch to the partition of a topic with settings of its own.
    pub(crate) fn send_to(&mut self, kind: &str, batch: &Batch) {
        let request = self.request(
            -1,
            vec![(kind.to_owned(), vec![(self.place, Some(batch.bytes()))])],
        );
        self.produce(&request);
    }

    pub(crate) fn produce(&mut self, request: &ProduceRequest) {
        let frame = encode_request(request, self.version, ID, "differ").expect("a request");
        self.produce_frame(&frame, request.acks != 0);
    }

    pub(crate) fn produce_frame(&mut self, frame: &[u8], answered: bool) {
        if !answered {
            let how = self.peer.send_unanswered(frame);
            return self.hear(format!("produce, no answer: {how}"));
        }
        let answer = match self.peer.send(frame) {
            Ok(answer) => answer,
            Err(how) => return self.hear(format!("produce: {how}")),
        };
        let (_, response) =
            decode_response::<ProduceRequest>(&answer, self.version).expect("an answer");
        let mut lines = Vec::new();
        for topic in &response.topics {
            let name = self.name(&topic.name, topic.topic_id);
            for partition in &topic.partitions {
                lines.push(format!(
                    "produce: {name}[{}] {}",
                    partition.index,
                    self.told(&name, partition)
                ));
            }
        }
        // The order of partitions is a hash table's.
        lines.sort();
        if response.topics.is_empty() {
            lines.push("produce: no topics".to_owned());
        }
        if !response.node_endpoints.is_empty() {
            lines.push(format!("{} endpoints", response.node_endpoints.len()));
        }
        self.heard.extend(lines);
    }

    fn told(&self, name: &str, told: &PartitionProduceResponse) -> String {
        let errors: Vec<_> = told
            .record_errors
            .iter()
            .map(|error| (error.batch_index, masked(error.message.as_deref())))
            .collect();
        format!(
            "{} offset {} time {} start {} errors {errors:?} message {:?} leader {:?}",
            told.error_code,
            self.offset(name, told.base_offset),
            self.time(told.log_append_time_ms),
            told.log_start_offset,
            masked(told.error_message.as_deref()),
            told.current_leader,
        )
    }

    /// A topic by its name, however the answer calls it.
    pub(crate) fn name(&self, name: &str, id: Uuid) -> String {
        if id == Uuid::ZERO {
            return name.to_owned();
        }
        let known = self.peer.ids.iter().find(|(_, known)| **known == id);
        known.map_or_else(|| format!("id {id}"), |(name, _)| name.clone())
    }

    /// An offset, counted from where the script began; -1 stays.
    fn offset(&self, topic: &str, offset: i64) -> String {
        match self.began.get(topic) {
            Some(began) if offset >= *began => format!("+{}", offset - began),
            _ => offset.to_string(),
        }
    }

    /// Notes where the script's partition of a topic ends, before anything is sent there.
    pub(crate) fn begin(&mut self, topic: &str) {
        let end = self.peer.end(topic, self.place);
        self.began.insert(topic.to_owned(), end);
    }

    /// A time: nothing, or how far it is from the script's beginning; a broker's own is about now.
    pub(crate) fn time(&self, ms: i64) -> String {
        match ms - self.now_ms {
            _ if ms == -1 => "none".to_owned(),
            0 => "begin".to_owned(),
            1..120_000 => "now".to_owned(),
            since => format!("begin{since:+}"),
        }
    }

    /// Tells what came into the script's partition of a topic since it began, batch by batch.
    pub(crate) fn read(&mut self, topic: &str) {
        let began = self.began.get(topic).copied().unwrap_or(0);
        let found = self.peer.fetch(topic, self.place, began);
        self.hear(format!(
            "log: {} high watermark {} start {}",
            found.error_code,
            self.offset(topic, found.high_watermark),
            found.log_start_offset
        ));
        let mut rest = found.records.as_deref().unwrap_or_default();
        while !rest.is_empty() {
            let Ok((view, after)) = BatchView::parse(rest) else {
                return self.hear(format!("log: {} bytes that are no batch", rest.len()));
            };
            let own = &rest[..rest.len() - after.len()];
            let line = format!(
                "log: at {} leader epoch {} attributes {:#x} last {} from {} to {} producer {:?} {} {} count {} crc {} records {}",
                self.offset(topic, view.base_offset),
                i32::from_be_bytes(own[12..16].try_into().unwrap()),
                i16::from_be_bytes(own[21..23].try_into().unwrap()),
                view.last_offset_delta,
                self.time(view.base_timestamp),
                self.time(view.max_timestamp),
                // Told without a number that no other script has.
                Some(view.producer_id).filter(|id| *id != self.producer()),
                view.producer_epoch,
                view.base_sequence,
                view.count,
                view.check_crc().is_ok(),
                hex(&own[61..]),
            );
            self.hear(line);
            rest = after;
        }
    }
}

/// A message without the times in it: numbers of twelve digits and more.
fn masked(message: Option<&str>) -> String {
    let Some(message) = message else {
        return "none".to_owned();
    };
    let mut out = String::new();
    for word in message.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(if digits < 12 { &word[..digits] } else { "T" });
        out.push_str(&word[digits..]);
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    let shown: String = bytes
        .iter()
        .take(80)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{shown} ({})", bytes.len())
}
