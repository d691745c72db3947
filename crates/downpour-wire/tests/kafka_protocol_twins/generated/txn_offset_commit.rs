//! Twins of TxnOffsetCommit. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for TxnOffsetCommitRequest {
    type Twin = theirs::TxnOffsetCommitRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::TxnOffsetCommitRequest {
                transactional_id: theirs::TransactionalId(text(&self.transactional_id)),
                group_id: theirs::GroupId(text(&self.group_id)),
                producer_id: theirs::ProducerId(self.producer_id),
                producer_epoch: self.producer_epoch,
                generation_id: self.generation_id,
                member_id: text(&self.member_id),
                group_instance_id: some_text(&self.group_instance_id),
                topics: all(&self.topics, |it| txn_offset_commit_request_topic(it, tags)),
            }
        )
    }
}

fn txn_offset_commit_request_topic(
    it: &TxnOffsetCommitRequestTopic,
    tags: bool,
) -> theirs::txn_offset_commit_request::TxnOffsetCommitRequestTopic {
    make!(
        tags,
        theirs::txn_offset_commit_request::TxnOffsetCommitRequestTopic {
            name: theirs::TopicName(text(&it.name)),
            partitions: all(&it.partitions, |it| txn_offset_commit_request_partition(
                it, tags
            )),
        }
    )
}

fn txn_offset_commit_request_partition(
    it: &TxnOffsetCommitRequestPartition,
    tags: bool,
) -> theirs::txn_offset_commit_request::TxnOffsetCommitRequestPartition {
    make!(
        tags,
        theirs::txn_offset_commit_request::TxnOffsetCommitRequestPartition {
            partition_index: it.partition_index,
            committed_offset: it.committed_offset,
            committed_leader_epoch: it.committed_leader_epoch,
            committed_metadata: some_text(&it.committed_metadata),
        }
    )
}

impl Twin for TxnOffsetCommitResponse {
    type Twin = theirs::TxnOffsetCommitResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::TxnOffsetCommitResponse {
                throttle_time_ms: self.throttle_time_ms,
                topics: all(&self.topics, |it| txn_offset_commit_response_topic(
                    it, tags
                )),
            }
        )
    }
}

fn txn_offset_commit_response_topic(
    it: &TxnOffsetCommitResponseTopic,
    tags: bool,
) -> theirs::txn_offset_commit_response::TxnOffsetCommitResponseTopic {
    make!(
        tags,
        theirs::txn_offset_commit_response::TxnOffsetCommitResponseTopic {
            name: theirs::TopicName(text(&it.name)),
            partitions: all(&it.partitions, |it| txn_offset_commit_response_partition(
                it, tags
            )),
        }
    )
}

fn txn_offset_commit_response_partition(
    it: &TxnOffsetCommitResponsePartition,
    tags: bool,
) -> theirs::txn_offset_commit_response::TxnOffsetCommitResponsePartition {
    make!(
        tags,
        theirs::txn_offset_commit_response::TxnOffsetCommitResponsePartition {
            partition_index: it.partition_index,
            error_code: it.error_code.0,
        }
    )
}
