//! Samples of AddPartitionsToTxn. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for AddPartitionsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            transactional_id: e.string(),
            producer_id: e.i64(),
            producer_epoch: e.i16(),
            topics: e.vec(|e| add_partitions_to_txn_topic(e, version)),
        }
    }
}

fn add_partitions_to_txn_topic(e: &mut Entropy<'_>, _: i16) -> AddPartitionsToTxnTopic {
    AddPartitionsToTxnTopic {
        name: e.string(),
        partitions: e.vec(Entropy::i32),
    }
}

impl Sample for AddPartitionsToTxnResponse {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            throttle_time_ms: e.i32(),
            results_by_topic: e.vec(|e| add_partitions_to_txn_topic_result(e, version)),
        }
    }
}

fn add_partitions_to_txn_topic_result(
    e: &mut Entropy<'_>,
    version: i16,
) -> AddPartitionsToTxnTopicResult {
    AddPartitionsToTxnTopicResult {
        name: e.string(),
        results_by_partition: e.vec(|e| add_partitions_to_txn_partition_result(e, version)),
    }
}

fn add_partitions_to_txn_partition_result(
    e: &mut Entropy<'_>,
    _: i16,
) -> AddPartitionsToTxnPartitionResult {
    AddPartitionsToTxnPartitionResult {
        partition_index: e.i32(),
        partition_error_code: e.error(),
    }
}
