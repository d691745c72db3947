//! Twins of AddPartitionsToTxn. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for AddPartitionsToTxnRequest {
    type Twin = theirs::AddPartitionsToTxnRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::AddPartitionsToTxnRequest {
                v3_and_below_transactional_id: theirs::TransactionalId(text(
                    &self.transactional_id
                )),
                v3_and_below_producer_id: theirs::ProducerId(self.producer_id),
                v3_and_below_producer_epoch: self.producer_epoch,
                v3_and_below_topics: all(&self.topics, |it| add_partitions_to_txn_topic(it, tags)),
            }
        )
    }
}

fn add_partitions_to_txn_topic(
    it: &AddPartitionsToTxnTopic,
    tags: bool,
) -> theirs::add_partitions_to_txn_request::AddPartitionsToTxnTopic {
    make!(
        tags,
        theirs::add_partitions_to_txn_request::AddPartitionsToTxnTopic {
            name: theirs::TopicName(text(&it.name)),
            partitions: it.partitions.clone(),
        }
    )
}

impl Twin for AddPartitionsToTxnResponse {
    type Twin = theirs::AddPartitionsToTxnResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::AddPartitionsToTxnResponse {
                throttle_time_ms: self.throttle_time_ms,
                results_by_topic_v3_and_below: all(&self.results_by_topic, |it| {
                    add_partitions_to_txn_topic_result(it, tags)
                }),
            }
        )
    }
}

fn add_partitions_to_txn_topic_result(
    it: &AddPartitionsToTxnTopicResult,
    tags: bool,
) -> theirs::add_partitions_to_txn_response::AddPartitionsToTxnTopicResult {
    make!(
        tags,
        theirs::add_partitions_to_txn_response::AddPartitionsToTxnTopicResult {
            name: theirs::TopicName(text(&it.name)),
            results_by_partition: all(&it.results_by_partition, |it| {
                add_partitions_to_txn_partition_result(it, tags)
            }),
        }
    )
}

fn add_partitions_to_txn_partition_result(
    it: &AddPartitionsToTxnPartitionResult,
    tags: bool,
) -> theirs::add_partitions_to_txn_response::AddPartitionsToTxnPartitionResult {
    make!(
        tags,
        theirs::add_partitions_to_txn_response::AddPartitionsToTxnPartitionResult {
            partition_index: it.partition_index,
            partition_error_code: it.partition_error_code.0,
        }
    )
}
