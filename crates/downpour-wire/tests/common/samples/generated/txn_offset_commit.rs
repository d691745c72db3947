//! Samples of TxnOffsetCommit. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for TxnOffsetCommitRequest {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            transactional_id: e.string(),
            group_id: e.string(),
            producer_id: e.i64(),
            producer_epoch: e.i16(),
            generation_id: if version >= 3 { e.i32() } else { -1 },
            member_id: if version >= 3 {
                e.string()
            } else {
                String::new()
            },
            group_instance_id: if version >= 3 {
                e.option(Entropy::string)
            } else {
                None
            },
            topics: e.vec(|e| txn_offset_commit_request_topic(e, version)),
        }
    }
}

fn txn_offset_commit_request_topic(
    e: &mut Entropy<'_>,
    version: i16,
) -> TxnOffsetCommitRequestTopic {
    TxnOffsetCommitRequestTopic {
        name: e.string(),
        partitions: e.vec(|e| txn_offset_commit_request_partition(e, version)),
    }
}

fn txn_offset_commit_request_partition(
    e: &mut Entropy<'_>,
    version: i16,
) -> TxnOffsetCommitRequestPartition {
    TxnOffsetCommitRequestPartition {
        partition_index: e.i32(),
        committed_offset: e.i64(),
        committed_leader_epoch: if version >= 2 { e.i32() } else { -1 },
        committed_metadata: e.option(Entropy::string),
    }
}

impl Sample for TxnOffsetCommitResponse {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            throttle_time_ms: e.i32(),
            topics: e.vec(|e| txn_offset_commit_response_topic(e, version)),
        }
    }
}

fn txn_offset_commit_response_topic(
    e: &mut Entropy<'_>,
    version: i16,
) -> TxnOffsetCommitResponseTopic {
    TxnOffsetCommitResponseTopic {
        name: e.string(),
        partitions: e.vec(|e| txn_offset_commit_response_partition(e, version)),
    }
}

fn txn_offset_commit_response_partition(
    e: &mut Entropy<'_>,
    _: i16,
) -> TxnOffsetCommitResponsePartition {
    TxnOffsetCommitResponsePartition {
        partition_index: e.i32(),
        error_code: e.error(),
    }
}
