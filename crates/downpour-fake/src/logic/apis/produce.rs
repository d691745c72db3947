//! Produce: every partition's batch is checked, admitted, appended and answered on its own. The
//! rules on bytes are `logic::check`'s, those on sequences `logic::producers`'.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    ProduceTopic, RecordError, TopicProduceResponse,
};

use crate::logic::check::{Claims, SoundBatch, check};
use crate::logic::context::{RequestContext, not_leader};
use crate::logic::log::AppendOptions;
use crate::logic::producers::Admission;
use crate::logic::request_log::{LoggedBatch, Verdict};
use crate::logic::rules::{Refusal, Rules};
use crate::logic::state::State;
use crate::topic::TopicSpec;
use crate::version::KafkaVersion;

/// The first version that names topics by id (KIP-516).
const TOPIC_IDS_FROM: i16 = 13;

/// The first version whose answers name the leader after a move (KIP-951).
const LEADER_HINTS_FROM: i16 = 10;

/// What a Produce request did.
pub(crate) struct Produced {
    pub(crate) response: ProduceResponse,
    pub(crate) batches: Vec<LoggedBatch>,
    pub(crate) violations: Vec<String>,
    /// True if replication was waited for in vain, as long as the request allowed.
    pub(crate) waited: bool,
}

impl Produced {
    /// True if any partition is answered with an error.
    pub(crate) fn has_error(&self) -> bool {
        let mut partitions = self
            .response
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions);
        partitions.any(|partition| partition.error_code != ErrorCode::NONE)
    }
}

/// A topic's name as the request gives it, or as its id means it. `Err` is the id in words.
fn name_of(state: &State, version: i16, topic: &ProduceTopic) -> Result<String, String> {
    if version < TOPIC_IDS_FROM {
        return Ok(topic.name.clone());
    }
    state
        .topic_name(topic.topic_id)
        .map(str::to_owned)
        .ok_or_else(|| topic.topic_id.to_string())
}

/// What is logged of a request that a fault kept from being served.
pub(crate) fn unserved(state: &State, version: i16, request: &ProduceRequest) -> Vec<LoggedBatch> {
    let mut batches = Vec::new();
    for topic in &request.topics {
        let name = name_of(state, version, topic).unwrap_or_else(|id| id);
        for partition in &topic.partitions {
            let bytes = partition.records.as_deref().unwrap_or_default();
            batches.push(logged(&name, partition.index, bytes, Verdict::NotServed));
        }
    }
    batches
}

fn logged(topic: &str, partition: i32, bytes: &[u8], verdict: Verdict) -> LoggedBatch {
    let claims = Claims::of(bytes);
    LoggedBatch {
        topic: topic.to_owned(),
        partition,
        producer_id: claims.producer_id,
        producer_epoch: claims.producer_epoch,
        base_sequence: claims.base_sequence,
        records: claims.count,
        bytes: bytes.len(),
        codec: claims.codec,
        verdict,
    }
}

pub(crate) fn produce(
    state: &mut State,
    call: &RequestContext<'_>,
    request: ProduceRequest,
) -> Produced {
    let mut produced = Produced {
        response: ProduceResponse::default(),
        batches: Vec::new(),
        violations: Vec::new(),
        waited: false,
    };
    let mut leaders = BTreeSet::new();
    let last = last_named(state, call.version, &request);
    let mut place = 0;
    for topic in request.topics {
        let name = name_of(state, call.version, &topic);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for partition in topic.partitions {
            let index = partition.index;
            let bytes = partition.records.unwrap_or_default();
            let shown = name.as_ref().unwrap_or_else(|id| id);
            let omitted = call.omitted(shown, Some(index));
            let mut entry = logged(shown, index, &bytes, Verdict::NotServed);
            place += 1;
            if last.get(&(shown.clone(), index)) != Some(&place) {
                // KafkaApis.handleProduceRequest puts them into a map: the last one counts.
                let twice = format!("{shown}-{index}: a partition named twice");
                produced.violations.push(twice);
                produced.batches.push(entry);
                continue;
            }
            if omitted == Some(false) {
                produced.batches.push(entry);
                continue;
            }
            let one = PartitionBatch {
                acks: request.acks,
                topic: name.as_deref(),
                index,
            };
            let outcome = serve(state, call, one, bytes, &mut produced.violations);
            produced.waited |= outcome.waited;
            entry.verdict = outcome.verdict();
            produced.batches.push(entry);
            if omitted.is_none() {
                partitions.push(outcome.answer(state, call, shown, index, &mut leaders));
            }
        }
        // The answer is made of partitions.
        if !partitions.is_empty() {
            produced.response.topics.push(TopicProduceResponse {
                name: topic.name,
                topic_id: topic.topic_id,
                partitions,
            });
        }
    }
    produced.response.node_endpoints = endpoints(state, &leaders);
    produced
}

/// Where in the request, counted over all partitions from 1, each partition is named last.
fn last_named(
    state: &State,
    version: i16,
    request: &ProduceRequest,
) -> BTreeMap<(String, i32), usize> {
    let named = request.topics.iter().flat_map(|topic| {
        let name = name_of(state, version, topic).unwrap_or_else(|id| id);
        let partitions = topic.partitions.iter();
        partitions.map(move |partition| (name.clone(), partition.index))
    });
    named.zip(1..).collect()
}

/// Where the leaders live that the answer names.
fn endpoints(state: &State, leaders: &BTreeSet<i32>) -> Vec<NodeEndpoint> {
    let living = state
        .living()
        .filter(|(node_id, _)| leaders.contains(node_id));
    living
        .map(|(node_id, node)| NodeEndpoint {
            node_id,
            host: node.host.clone(),
            port: i32::from(node.port),
            rack: None,
        })
        .collect()
}

/// One partition of the request.
#[derive(Clone, Copy)]
struct PartitionBatch<'a> {
    acks: i16,
    /// `Err` is an id that no topic has.
    topic: Result<&'a str, &'a String>,
    index: i32,
}

/// What became of one partition's batch.
#[derive(Debug)]
struct Outcome {
    base_offset: i64,
    log_start_offset: i64,
    append_time: i64,
    appended: bool,
    /// The answer says nothing of the offset.
    hides_offset: bool,
    /// Replication was waited for in vain, as long as the request allowed.
    waited: bool,
    error: Option<Refusal>,
}

impl Outcome {
    const fn refused(refusal: Refusal) -> Self {
        Self {
            base_offset: -1,
            log_start_offset: -1,
            append_time: -1,
            appended: false,
            hides_offset: false,
            waited: false,
            error: Some(refusal),
        }
    }

    fn verdict(&self) -> Verdict {
        let base_offset = self.base_offset;
        match (&self.error, self.appended) {
            (None, true) => Verdict::Appended { base_offset },
            (None, false) => Verdict::Duplicate { base_offset },
            (Some(error), true) => Verdict::AppendedWithError {
                base_offset,
                error: error.code,
            },
            (Some(error), false) => Verdict::Refused {
                error: error.code,
                reason: error.message.clone(),
            },
        }
    }

    fn answer(
        self,
        state: &State,
        call: &RequestContext<'_>,
        topic: &str,
        index: i32,
        leaders: &mut BTreeSet<i32>,
    ) -> PartitionProduceResponse {
        let Some(error) = self.error else {
            return PartitionProduceResponse {
                index,
                error_code: ErrorCode::NONE,
                base_offset: self.base_offset,
                log_append_time_ms: self.append_time,
                log_start_offset: self.log_start_offset,
                ..PartitionProduceResponse::default()
            };
        };
        let moved = [
            ErrorCode::NOT_LEADER_OR_FOLLOWER,
            ErrorCode::FENCED_LEADER_EPOCH,
        ];
        let mut current_leader = None;
        if call.version >= LEADER_HINTS_FROM && moved.contains(&error.code) {
            if let Some(partition) = state.partition(topic, index) {
                leaders.insert(partition.leader);
                current_leader = Some(LeaderIdAndEpoch {
                    leader_id: partition.leader,
                    leader_epoch: partition.leader_epoch,
                });
            }
        }
        // A broker explains itself where it names records, and of bytes that it cannot walk through.
        let told = error.explained || !error.records.is_empty();
        let error_message = told.then_some(error.message);
        let log_start_offset = match state.partition(topic, index) {
            Some(partition) if error.at_log => partition.log_of(call.node).start_offset(),
            _ => -1,
        };
        let records = error.records.into_iter();
        PartitionProduceResponse {
            index,
            error_code: error.code,
            // An error of DelayedProduce (REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS_AFTER_APPEND) carries
            // the offset all the same; one that the log throws after its append (a failing disk) not.
            base_offset: if self.hides_offset {
                -1
            } else {
                self.base_offset
            },
            log_append_time_ms: -1,
            log_start_offset,
            record_errors: records
                .map(|(batch_index, message)| RecordError {
                    batch_index,
                    message: Some(message),
                })
                .collect(),
            error_message,
            current_leader,
        }
    }
}

/// Serves one partition: refuses, recognises a duplicate, or appends.
fn serve(
    state: &mut State,
    call: &RequestContext<'_>,
    one: PartitionBatch<'_>,
    bytes: Vec<u8>,
    violations: &mut Vec<String>,
) -> Outcome {
    let topic = match one.topic {
        Ok(topic) => topic,
        Err(id) => {
            let missing = format!("no topic has the id {id}");
            return Outcome::refused(Refusal::new(ErrorCode::UNKNOWN_TOPIC_ID, missing));
        }
    };
    let scripted = call.scripted_error(topic, Some(one.index));
    if let Some((code, false)) = scripted {
        return Outcome::refused(Refusal::new(code, "a scripted fault"));
    }
    let sound = match admissible(state, call, one, topic, &bytes) {
        Ok(sound) => sound,
        Err(refusal) => {
            if is_violation(&refusal) {
                violations.push(format!("{topic}-{}: {}", one.index, refusal.message));
            }
            return Outcome::refused(refusal);
        }
    };
    for odd in &sound.odd {
        violations.push(format!("{topic}-{}: {odd}", one.index));
    }
    let spec = state.topics.get(topic).map(|topic| &topic.spec);
    let mut terms = AppendOptions {
        leader_epoch: 0,
        append_time: spec
            .filter(|spec| spec.log_append_time)
            .map(|_| call.time_ms),
        discard: spec.is_some_and(|spec| spec.discard),
    };
    let strict_first = call.release == KafkaVersion::V2_1 && !state.settings.any_first_sequence;
    let Some(partition) = state.partition_mut(topic, one.index) else {
        let gone = Refusal::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "no such partition");
        return Outcome::refused(gone);
    };
    let waits = one.acks == -1 && partition.is_stalled(call.node);
    let replicated = partition.high_watermark(call.node);
    let log;
    (log, terms.leader_epoch) = partition.log_of_mut(call.node);
    let (base_offset, append_time, appended) = match log.admit(&sound, strict_first) {
        Admission::Append => {
            let base_offset = log.append(&sound, bytes, &terms);
            (base_offset, terms.append_time.unwrap_or(-1), true)
        }
        // A real broker tells a time here, also where the topic keeps the producer's timestamps.
        Admission::Duplicate {
            base_offset,
            timestamp,
        } => (base_offset, timestamp, false),
        Admission::Refuse(code) => {
            let stamp = sound.stamped;
            let known = stamp.and_then(|stamp| log.producers.last(stamp.producer_id));
            let reason = format!("stamped {stamp:?}, the last (epoch, sequence) is {known:?}");
            return Outcome::refused(Refusal::new(code, reason).at_log());
        }
    };
    let log_start_offset = log.start_offset();
    let error = scripted.map(|(code, _)| Refusal::new(code, "a scripted fault, after the append"));
    let hides_offset = error.is_some() && call.fault.is_some_and(|fault| fault.hides_offset);
    // DelayedProduce waits for the high watermark to pass the batch, also one that it recognised.
    let waited = waits && error.is_none() && base_offset >= replicated;
    let timed_out = || Refusal::new(ErrorCode::REQUEST_TIMED_OUT, "no replica fetches it");
    Outcome {
        base_offset,
        hides_offset,
        log_start_offset,
        append_time,
        appended,
        waited,
        error: error.or_else(|| waited.then(timed_out)),
    }
}

/// Everything that is asked before the sequence: acks, leader, replicas, and the bytes themselves.
fn admissible(
    state: &State,
    call: &RequestContext<'_>,
    one: PartitionBatch<'_>,
    topic: &str,
    bytes: &[u8],
) -> Result<SoundBatch, Refusal> {
    if !(-1..=1).contains(&one.acks) {
        let reason = format!("acks are -1, 0 or 1, not {}", one.acks);
        return Err(Refusal::new(ErrorCode::INVALID_REQUIRED_ACKS, reason));
    }
    if let Some(code) = not_leader(state, call.node, topic, one.index) {
        let reason = format!("broker {} does not lead {topic}-{}", call.node, one.index);
        return Err(Refusal::new(code, reason));
    }
    let missing = || Refusal::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "no such partition");
    let settings = &state.topics.get(topic).ok_or_else(missing)?.spec;
    let partition = state.partition(topic, one.index).ok_or_else(missing)?;
    let insync = state.insync(partition).len();
    // A topic cannot want more than it has.
    let wanted = settings.min_insync_replicas.min(partition.replicas.len());
    if one.acks == -1 && insync < wanted {
        let reason = format!("{insync} replicas in sync, {wanted} wanted");
        return Err(Refusal::new(ErrorCode::NOT_ENOUGH_REPLICAS, reason));
    }
    let rules = Rules {
        produce_version: call.version,
        release: call.release,
        place: format!("{topic}-{}", one.index),
        log_append_time: settings.log_append_time,
        timestamps: timestamps(state, call, settings),
        max_message_bytes: settings
            .max_message_bytes
            .unwrap_or(state.settings.max_message_bytes),
        compacted: settings.compacted,
        invalid: if call.release == KafkaVersion::V2_1 {
            ErrorCode::CORRUPT_MESSAGE
        } else {
            ErrorCode::INVALID_RECORD
        },
    };
    check(bytes, &rules)
}

/// From when to when a topic's records may be. Brokers of 4.x take none that is more than an hour
/// ahead of their clock, unless the topic says otherwise (KIP-1030).
fn timestamps(state: &State, call: &RequestContext<'_>, spec: &TopicSpec) -> (i64, i64) {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let now = call.time_ms;
    // A cluster that was not told the hour cannot judge it.
    let by_default = call.release == KafkaVersion::V4_3 && state.settings.epoch_ms != 0;
    let hour = Duration::from_secs(3600);
    let after = spec
        .timestamp_after_max
        .or_else(|| by_default.then_some(hour));
    let before = spec.timestamp_before_max.map_or(i64::MAX, millis);
    let to = after.map_or(i64::MAX, |after| now.saturating_add(millis(after)));
    (now.saturating_sub(before), to)
}

/// True for what no sound producer ever sends.
fn is_violation(refusal: &Refusal) -> bool {
    let wrong = [
        ErrorCode::INVALID_RECORD,
        ErrorCode::CORRUPT_MESSAGE,
        ErrorCode::INVALID_REQUIRED_ACKS,
        ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
        ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ErrorCode::UNKNOWN_SERVER_ERROR,
    ];
    refusal.records.is_empty() && wrong.contains(&refusal.code)
}

/// The topics' names of a request, resolved where it gives ids.
pub(crate) fn topic_names(state: &State, version: i16, request: &ProduceRequest) -> Vec<String> {
    let topics = request.topics.iter();
    topics
        .map(|topic| name_of(state, version, topic).unwrap_or_else(|id| id))
        .collect()
}
