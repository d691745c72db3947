//! Fetch: reading what was produced, for consumers that assign partitions themselves. Sessions are
//! not kept: every answer says so and clients send whole requests.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    FetchPartition, FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopicResponse,
};

use crate::logic::context::{RequestContext, not_leader};
use crate::logic::state::State;

/// More than this is never put into one answer, even if a client allows it.
const ANSWER_BYTES_MAX: usize = 50 << 20;

/// An answer, and whether it is worth sending at once.
pub(crate) struct Fetched {
    pub(crate) response: FetchResponse,
    /// False if fewer bytes than the client wants are there and no partition failed.
    pub(crate) is_enough: bool,
}

pub(crate) fn fetch(state: &State, call: &RequestContext<'_>, request: &FetchRequest) -> Fetched {
    if request.session_id != 0 {
        let response = FetchResponse {
            error_code: ErrorCode::FETCH_SESSION_ID_NOT_FOUND,
            ..FetchResponse::default()
        };
        return Fetched {
            response,
            is_enough: true,
        };
    }
    let allowed = usize::try_from(request.max_bytes)
        .unwrap_or(0)
        .min(ANSWER_BYTES_MAX);
    let mut taken = 0;
    let mut failed = false;
    let mut responses = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            if call.omitted(&topic.topic, Some(asked.partition)).is_some() {
                continue;
            }
            let answer = read(
                state,
                call,
                &topic.topic,
                asked,
                allowed.saturating_sub(taken),
            );
            taken += answer.records.as_ref().map_or(0, Vec::len);
            failed |= answer.error_code != ErrorCode::NONE;
            partitions.push(answer);
        }
        responses.push(FetchTopicResponse {
            topic: topic.topic.clone(),
            partitions,
        });
    }
    let wanted = usize::try_from(request.min_bytes).unwrap_or(0);
    Fetched {
        response: FetchResponse {
            topics: responses,
            ..FetchResponse::default()
        },
        is_enough: failed || taken >= wanted,
    }
}

/// Reads one partition. Its first batch is answered also if it is larger than allowed, so that a
/// consumer gets past it (KIP-74); unless nothing at all is allowed any more.
fn read(
    state: &State,
    call: &RequestContext<'_>,
    topic: &str,
    asked: &FetchPartition,
    allowed: usize,
) -> FetchPartitionResponse {
    let refused = |error_code| FetchPartitionResponse {
        partition_index: asked.partition,
        error_code,
        high_watermark: -1,
        last_stable_offset: -1,
        log_start_offset: -1,
        preferred_read_replica: -1,
        records: Some(Vec::new()),
        ..FetchPartitionResponse::default()
    };
    let scripted = call
        .scripted_error(topic, Some(asked.partition))
        .map(|(code, _)| code);
    if let Some(code) = scripted.or_else(|| not_leader(state, call.node, topic, asked.partition)) {
        return refused(code);
    }
    let Some(partition) = state.partition(topic, asked.partition) else {
        return refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    };
    let leader_epoch = partition.epoch_of(call.node);
    if asked.current_leader_epoch >= 0 && asked.current_leader_epoch != leader_epoch {
        return refused(if asked.current_leader_epoch < leader_epoch {
            ErrorCode::FENCED_LEADER_EPOCH
        } else {
            ErrorCode::UNKNOWN_LEADER_EPOCH
        });
    }
    let log = partition.log_of(call.node);
    let high_watermark = partition.high_watermark(call.node);
    if !(log.start_offset()..=log.end_offset()).contains(&asked.fetch_offset) {
        return refused(ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    let wanted = usize::try_from(asked.partition_max_bytes)
        .unwrap_or(0)
        .min(allowed);
    let records = if allowed == 0 {
        Vec::new()
    } else {
        log.read(asked.fetch_offset, high_watermark, wanted)
    };
    FetchPartitionResponse {
        partition_index: asked.partition,
        error_code: ErrorCode::NONE,
        high_watermark,
        last_stable_offset: high_watermark,
        log_start_offset: log.start_offset(),
        preferred_read_replica: -1,
        records: Some(records),
        ..FetchPartitionResponse::default()
    }
}
