//! Twins of Metadata. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for MetadataRequest {
    type Twin = theirs::MetadataRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::MetadataRequest {
                topics: self
                    .topics
                    .as_ref()
                    .map(|it| all(it, |it| metadata_request_topic(it, tags))),
                allow_auto_topic_creation: self.allow_auto_topic_creation,
                include_cluster_authorized_operations: self.include_cluster_authorized_operations,
                include_topic_authorized_operations: self.include_topic_authorized_operations,
            }
        )
    }
}

fn metadata_request_topic(
    it: &MetadataRequestTopic,
    tags: bool,
) -> theirs::metadata_request::MetadataRequestTopic {
    make!(
        tags,
        theirs::metadata_request::MetadataRequestTopic {
            topic_id: id(it.topic_id),
            name: some_text(&it.name).map(theirs::TopicName),
        }
    )
}

impl Twin for MetadataResponse {
    type Twin = theirs::MetadataResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::MetadataResponse {
                throttle_time_ms: self.throttle_time_ms,
                brokers: all(&self.brokers, |it| metadata_broker(it, tags)),
                cluster_id: some_text(&self.cluster_id),
                controller_id: theirs::BrokerId(self.controller_id),
                topics: all(&self.topics, |it| metadata_topic(it, tags)),
                cluster_authorized_operations: self.cluster_authorized_operations,
                error_code: self.error_code.0,
            }
        )
    }
}

fn metadata_broker(
    it: &MetadataBroker,
    tags: bool,
) -> theirs::metadata_response::MetadataResponseBroker {
    make!(
        tags,
        theirs::metadata_response::MetadataResponseBroker {
            node_id: theirs::BrokerId(it.node_id),
            host: text(&it.host),
            port: it.port,
            rack: some_text(&it.rack),
        }
    )
}

fn metadata_topic(
    it: &MetadataTopic,
    tags: bool,
) -> theirs::metadata_response::MetadataResponseTopic {
    make!(
        tags,
        theirs::metadata_response::MetadataResponseTopic {
            error_code: it.error_code.0,
            name: some_text(&it.name).map(theirs::TopicName),
            topic_id: id(it.topic_id),
            is_internal: it.is_internal,
            partitions: all(&it.partitions, |it| metadata_partition(it, tags)),
            topic_authorized_operations: it.topic_authorized_operations,
        }
    )
}

fn metadata_partition(
    it: &MetadataPartition,
    tags: bool,
) -> theirs::metadata_response::MetadataResponsePartition {
    make!(
        tags,
        theirs::metadata_response::MetadataResponsePartition {
            error_code: it.error_code.0,
            partition_index: it.partition_index,
            leader_id: theirs::BrokerId(it.leader_id),
            leader_epoch: it.leader_epoch,
            replica_nodes: all(&it.replica_nodes, |it| theirs::BrokerId(*it)),
            isr_nodes: all(&it.isr_nodes, |it| theirs::BrokerId(*it)),
            offline_replicas: all(&it.offline_replicas, |it| theirs::BrokerId(*it)),
        }
    )
}
