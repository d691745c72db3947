//! Samples of ListOffsets. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for ListOffsetsRequest {
    const KEY: ApiKey = ApiKey::ListOffsets;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            replica_id: e.i32(),
            isolation_level: if version >= 2 { e.i8() } else { 0 },
            topics: e.vec(|e| list_offsets_topic(e, version)),
        }
    }
}

fn list_offsets_topic(e: &mut Entropy<'_>, version: i16) -> ListOffsetsTopic {
    ListOffsetsTopic {
        name: e.string(),
        partitions: e.vec(|e| list_offsets_partition(e, version)),
    }
}

fn list_offsets_partition(e: &mut Entropy<'_>, version: i16) -> ListOffsetsPartition {
    ListOffsetsPartition {
        partition_index: e.i32(),
        current_leader_epoch: if version >= 4 { e.i32() } else { -1 },
        timestamp: e.i64(),
    }
}

impl Sample for ListOffsetsResponse {
    const KEY: ApiKey = ApiKey::ListOffsets;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            throttle_time_ms: if version >= 2 { e.i32() } else { 0 },
            topics: e.vec(|e| list_offsets_topic_response(e, version)),
        }
    }
}

fn list_offsets_topic_response(e: &mut Entropy<'_>, version: i16) -> ListOffsetsTopicResponse {
    ListOffsetsTopicResponse {
        name: e.string(),
        partitions: e.vec(|e| list_offsets_partition_response(e, version)),
    }
}

fn list_offsets_partition_response(
    e: &mut Entropy<'_>,
    version: i16,
) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse {
        partition_index: e.i32(),
        error_code: e.error(),
        timestamp: e.i64(),
        offset: e.i64(),
        leader_epoch: if version >= 4 { e.i32() } else { -1 },
    }
}
