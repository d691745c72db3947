//! Twins of ListOffsets. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for ListOffsetsRequest {
    type Twin = theirs::ListOffsetsRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ListOffsetsRequest {
                replica_id: theirs::BrokerId(self.replica_id),
                isolation_level: self.isolation_level,
                topics: all(&self.topics, |it| list_offsets_topic(it, tags)),
            }
        )
    }
}

fn list_offsets_topic(
    it: &ListOffsetsTopic,
    tags: bool,
) -> theirs::list_offsets_request::ListOffsetsTopic {
    make!(
        tags,
        theirs::list_offsets_request::ListOffsetsTopic {
            name: theirs::TopicName(text(&it.name)),
            partitions: all(&it.partitions, |it| list_offsets_partition(it, tags)),
        }
    )
}

fn list_offsets_partition(
    it: &ListOffsetsPartition,
    tags: bool,
) -> theirs::list_offsets_request::ListOffsetsPartition {
    make!(
        tags,
        theirs::list_offsets_request::ListOffsetsPartition {
            partition_index: it.partition_index,
            current_leader_epoch: it.current_leader_epoch,
            timestamp: it.timestamp,
        }
    )
}

impl Twin for ListOffsetsResponse {
    type Twin = theirs::ListOffsetsResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ListOffsetsResponse {
                throttle_time_ms: self.throttle_time_ms,
                topics: all(&self.topics, |it| list_offsets_topic_response(it, tags)),
            }
        )
    }
}

fn list_offsets_topic_response(
    it: &ListOffsetsTopicResponse,
    tags: bool,
) -> theirs::list_offsets_response::ListOffsetsTopicResponse {
    make!(
        tags,
        theirs::list_offsets_response::ListOffsetsTopicResponse {
            name: theirs::TopicName(text(&it.name)),
            partitions: all(&it.partitions, |it| list_offsets_partition_response(
                it, tags
            )),
        }
    )
}

fn list_offsets_partition_response(
    it: &ListOffsetsPartitionResponse,
    tags: bool,
) -> theirs::list_offsets_response::ListOffsetsPartitionResponse {
    make!(
        tags,
        theirs::list_offsets_response::ListOffsetsPartitionResponse {
            partition_index: it.partition_index,
            error_code: it.error_code.0,
            timestamp: it.timestamp,
            offset: it.offset,
            leader_epoch: it.leader_epoch,
        }
    )
}
