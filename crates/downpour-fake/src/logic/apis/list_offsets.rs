//! ListOffsets: the first and last offset of a partition, and offsets by time.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};

use crate::logic::context::{RequestContext, not_leader};
use crate::logic::log::Position;
use crate::logic::state::State;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;

pub(crate) fn list_offsets(
    state: &State,
    call: &RequestContext<'_>,
    request: &ListOffsetsRequest,
) -> ListOffsetsResponse {
    let topics = request.topics.iter().map(|topic| ListOffsetsTopicResponse {
        name: topic.name.clone(),
        partitions: topic
            .partitions
            .iter()
            .filter(|asked| {
                call.omitted(&topic.name, Some(asked.partition_index))
                    .is_none()
            })
            .map(|asked| answer(state, call, &topic.name, asked))
            .collect(),
    });
    ListOffsetsResponse {
        topics: topics.collect(),
        ..ListOffsetsResponse::default()
    }
}

fn answer(
    state: &State,
    call: &RequestContext<'_>,
    topic: &str,
    asked: &ListOffsetsPartition,
) -> ListOffsetsPartitionResponse {
    let index = asked.partition_index;
    let scripted = call
        .scripted_error(topic, Some(index))
        .map(|(code, _)| code);
    let refused = scripted.or_else(|| not_leader(state, call.node, topic, index));
    let found = match (refused, state.partition(topic, index)) {
        (None, Some(partition)) => {
            let log = partition.log_of(call.node);
            let nowhere = Position {
                offset: -1,
                timestamp: -1,
                leader_epoch: -1,
            };
            match asked.timestamp {
                LATEST => Position {
                    offset: partition.high_watermark(call.node),
                    leader_epoch: partition.epoch_of(call.node),
                    ..nowhere
                },
                EARLIEST => Position {
                    offset: log.start_offset(),
                    leader_epoch: log
                        .first_epoch()
                        .unwrap_or_else(|| partition.epoch_of(call.node)),
                    ..nowhere
                },
                MAX_TIMESTAMP => log.position_of_max_timestamp().unwrap_or(nowhere),
                timestamp => log.position_at(timestamp).unwrap_or(nowhere),
            }
        }
        (error, _) => {
            return ListOffsetsPartitionResponse {
                partition_index: index,
                error_code: error.unwrap_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
                timestamp: -1,
                offset: -1,
                leader_epoch: -1,
            };
        }
    };
    ListOffsetsPartitionResponse {
        partition_index: index,
        error_code: ErrorCode::NONE,
        timestamp: found.timestamp,
        offset: found.offset,
        leader_epoch: found.leader_epoch,
    }
}
