//! Samples of Fetch. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            replica_id: e.i32(),
            max_wait_ms: e.i32(),
            min_bytes: e.i32(),
            max_bytes: e.i32(),
            isolation_level: e.i8(),
            session_id: if version >= 7 { e.i32() } else { 0 },
            session_epoch: if version >= 7 { e.i32() } else { -1 },
            topics: e.vec(|e| fetch_topic(e, version)),
            forgotten_topics: if version >= 7 {
                e.vec(|e| forgotten_topic(e, version))
            } else {
                Vec::new()
            },
            rack_id: if version >= 11 {
                e.string()
            } else {
                String::new()
            },
        }
    }
}

fn fetch_topic(e: &mut Entropy<'_>, version: i16) -> FetchTopic {
    FetchTopic {
        topic: e.string(),
        partitions: e.vec(|e| fetch_partition(e, version)),
    }
}

fn fetch_partition(e: &mut Entropy<'_>, version: i16) -> FetchPartition {
    FetchPartition {
        partition: e.i32(),
        current_leader_epoch: if version >= 9 { e.i32() } else { -1 },
        fetch_offset: e.i64(),
        last_fetched_epoch: if version >= 12 { e.i32() } else { -1 },
        log_start_offset: if version >= 5 { e.i64() } else { -1 },
        partition_max_bytes: e.i32(),
    }
}

fn forgotten_topic(e: &mut Entropy<'_>, _: i16) -> ForgottenTopic {
    ForgottenTopic {
        topic: e.string(),
        partitions: e.vec(Entropy::i32),
    }
}

impl Sample for FetchResponse {
    const KEY: ApiKey = ApiKey::Fetch;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            throttle_time_ms: e.i32(),
            error_code: if version >= 7 {
                e.error()
            } else {
                ErrorCode::NONE
            },
            session_id: if version >= 7 { e.i32() } else { 0 },
            topics: e.vec(|e| fetch_topic_response(e, version)),
        }
    }
}

fn fetch_topic_response(e: &mut Entropy<'_>, version: i16) -> FetchTopicResponse {
    FetchTopicResponse {
        topic: e.string(),
        partitions: e.vec(|e| fetch_partition_response(e, version)),
    }
}

fn fetch_partition_response(e: &mut Entropy<'_>, version: i16) -> FetchPartitionResponse {
    FetchPartitionResponse {
        partition_index: e.i32(),
        error_code: e.error(),
        high_watermark: e.i64(),
        last_stable_offset: e.i64(),
        log_start_offset: if version >= 5 { e.i64() } else { -1 },
        current_leader: if version >= 12 {
            e.option(|e| fetch_leader(e, version))
                .filter(|it| *it != FetchLeader::default())
        } else {
            None
        },
        aborted_transactions: e.option(|e| e.vec(|e| aborted_transaction(e, version))),
        preferred_read_replica: if version >= 11 { e.i32() } else { -1 },
        records: e.option(Entropy::bytes),
    }
}

fn fetch_leader(e: &mut Entropy<'_>, _: i16) -> FetchLeader {
    FetchLeader {
        leader_id: e.i32(),
        leader_epoch: e.i32(),
    }
}

fn aborted_transaction(e: &mut Entropy<'_>, _: i16) -> AbortedTransaction {
    AbortedTransaction {
        producer_id: e.i64(),
        first_offset: e.i64(),
    }
}
