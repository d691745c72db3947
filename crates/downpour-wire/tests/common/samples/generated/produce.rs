//! Samples of Produce. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use downpour_wire::primitives::Uuid;

use super::{Entropy, Sample};

impl Sample for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            transactional_id: e.option(Entropy::string),
            acks: e.i16(),
            timeout_ms: e.i32(),
            topics: e.vec(|e| produce_topic(e, version)),
        }
    }
}

fn produce_topic(e: &mut Entropy<'_>, version: i16) -> ProduceTopic {
    ProduceTopic {
        name: if version <= 12 {
            e.string()
        } else {
            String::new()
        },
        topic_id: if version >= 13 { e.uuid() } else { Uuid::ZERO },
        partitions: e.vec(|e| produce_partition(e, version)),
    }
}

fn produce_partition(e: &mut Entropy<'_>, _: i16) -> ProducePartition {
    ProducePartition {
        index: e.i32(),
        records: e.option(Entropy::bytes),
    }
}

impl Sample for ProduceResponse {
    const KEY: ApiKey = ApiKey::Produce;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            topics: e.vec(|e| topic_produce_response(e, version)),
            throttle_time_ms: e.i32(),
            node_endpoints: if version >= 10 {
                e.vec(|e| node_endpoint(e, version))
            } else {
                Vec::new()
            },
        }
    }
}

fn topic_produce_response(e: &mut Entropy<'_>, version: i16) -> TopicProduceResponse {
    TopicProduceResponse {
        name: if version <= 12 {
            e.string()
        } else {
            String::new()
        },
        topic_id: if version >= 13 { e.uuid() } else { Uuid::ZERO },
        partitions: e.vec(|e| partition_produce_response(e, version)),
    }
}

fn partition_produce_response(e: &mut Entropy<'_>, version: i16) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index: e.i32(),
        error_code: e.error(),
        base_offset: e.i64(),
        log_append_time_ms: e.i64(),
        log_start_offset: if version >= 5 { e.i64() } else { -1 },
        record_errors: if version >= 8 {
            e.vec(|e| record_error(e, version))
        } else {
            Vec::new()
        },
        error_message: if version >= 8 {
            e.option(Entropy::string)
        } else {
            None
        },
        current_leader: if version >= 10 {
            e.option(|e| leader_id_and_epoch(e, version))
                .filter(|it| *it != LeaderIdAndEpoch::default())
        } else {
            None
        },
    }
}

fn record_error(e: &mut Entropy<'_>, _: i16) -> RecordError {
    RecordError {
        batch_index: e.i32(),
        message: e.option(Entropy::string),
    }
}

fn leader_id_and_epoch(e: &mut Entropy<'_>, _: i16) -> LeaderIdAndEpoch {
    LeaderIdAndEpoch {
        leader_id: e.i32(),
        leader_epoch: e.i32(),
    }
}

fn node_endpoint(e: &mut Entropy<'_>, _: i16) -> NodeEndpoint {
    NodeEndpoint {
        node_id: e.i32(),
        host: e.string(),
        port: e.i32(),
        rack: e.option(Entropy::string),
    }
}
