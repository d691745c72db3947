//! Samples of Metadata. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::*;
use downpour_wire::primitives::Uuid;

use super::{Entropy, Sample};

impl Sample for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            topics: e.option(|e| e.vec(|e| metadata_request_topic(e, version))),
            allow_auto_topic_creation: if version >= 4 { e.bool() } else { true },
            include_cluster_authorized_operations: if (8..=10).contains(&version) {
                e.bool()
            } else {
                false
            },
            include_topic_authorized_operations: if version >= 8 { e.bool() } else { false },
        }
    }
}

fn metadata_request_topic(e: &mut Entropy<'_>, version: i16) -> MetadataRequestTopic {
    MetadataRequestTopic {
        topic_id: if version >= 10 { e.uuid() } else { Uuid::ZERO },
        name: if version >= 10 {
            e.option(Entropy::string)
        } else {
            Some(e.string())
        },
    }
}

impl Sample for MetadataResponse {
    const KEY: ApiKey = ApiKey::Metadata;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            throttle_time_ms: if version >= 3 { e.i32() } else { 0 },
            brokers: e.vec(|e| metadata_broker(e, version)),
            cluster_id: if version >= 2 {
                e.option(Entropy::string)
            } else {
                None
            },
            controller_id: e.i32(),
            topics: e.vec(|e| metadata_topic(e, version)),
            cluster_authorized_operations: if (8..=10).contains(&version) {
                e.i32()
            } else {
                i32::MIN
            },
            error_code: if version >= 13 {
                e.error()
            } else {
                ErrorCode::NONE
            },
        }
    }
}

fn metadata_broker(e: &mut Entropy<'_>, _: i16) -> MetadataBroker {
    MetadataBroker {
        node_id: e.i32(),
        host: e.string(),
        port: e.i32(),
        rack: e.option(Entropy::string),
    }
}

fn metadata_topic(e: &mut Entropy<'_>, version: i16) -> MetadataTopic {
    MetadataTopic {
        error_code: e.error(),
        name: if version >= 12 {
            e.option(Entropy::string)
        } else {
            Some(e.string())
        },
        topic_id: if version >= 10 { e.uuid() } else { Uuid::ZERO },
        is_internal: e.bool(),
        partitions: e.vec(|e| metadata_partition(e, version)),
        topic_authorized_operations: if version >= 8 { e.i32() } else { i32::MIN },
    }
}

fn metadata_partition(e: &mut Entropy<'_>, version: i16) -> MetadataPartition {
    MetadataPartition {
        error_code: e.error(),
        partition_index: e.i32(),
        leader_id: e.i32(),
        leader_epoch: if version >= 7 { e.i32() } else { -1 },
        replica_nodes: e.vec(Entropy::i32),
        isr_nodes: e.vec(Entropy::i32),
        offline_replicas: if version >= 5 {
            e.vec(Entropy::i32)
        } else {
            Vec::new()
        },
    }
}
