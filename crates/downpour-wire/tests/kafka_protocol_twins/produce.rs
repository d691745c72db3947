//! Twins of what a producer says and hears.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;
use theirs::produce_request::{PartitionProduceData, TopicProduceData};
use theirs::produce_response as response;
use theirs::{api_versions_response as versions, metadata_request, metadata_response as metadata};

use super::{Twin, all, id, make, nodes, some_text, text, topic_name};

impl Twin for ProduceRequest {
    type Twin = theirs::ProduceRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ProduceRequest {
                transactional_id: some_text(&self.transactional_id).map(theirs::TransactionalId),
                acks: self.acks,
                timeout_ms: self.timeout_ms,
                topic_data: all(&self.topics, |topic| make!(
                    tags,
                    TopicProduceData {
                        name: topic_name(&topic.name),
                        topic_id: id(topic.topic_id),
                        partition_data: all(&topic.partitions, |it| make!(
                            tags,
                            PartitionProduceData {
                                index: it.index,
                                records: it.records.clone().map(Into::into),
                            }
                        )),
                    }
                )),
            }
        )
    }
}

fn produce_partition(
    it: &PartitionProduceResponse,
    tags: bool,
) -> response::PartitionProduceResponse {
    // An absent leader stays the default, without unknown tags, so that they do not write it.
    let leader = it.current_leader.map(|leader| {
        make!(
            tags,
            response::LeaderIdAndEpoch {
                leader_id: theirs::BrokerId(leader.leader_id),
                leader_epoch: leader.leader_epoch,
            }
        )
    });
    make!(
        tags,
        response::PartitionProduceResponse {
            index: it.index,
            error_code: it.error_code.0,
            base_offset: it.base_offset,
            log_append_time_ms: it.log_append_time_ms,
            log_start_offset: it.log_start_offset,
            record_errors: all(&it.record_errors, |it| make!(
                tags,
                response::BatchIndexAndErrorMessage {
                    batch_index: it.batch_index,
                    batch_index_error_message: some_text(&it.message),
                }
            )),
            error_message: some_text(&it.error_message),
            current_leader: leader.unwrap_or_default(),
        }
    )
}

impl Twin for ProduceResponse {
    type Twin = theirs::ProduceResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ProduceResponse {
                responses: all(&self.topics, |topic| make!(
                    tags,
                    response::TopicProduceResponse {
                        name: topic_name(&topic.name),
                        topic_id: id(topic.topic_id),
                        partition_responses: all(&topic.partitions, |it| produce_partition(
                            it, tags
                        )),
                    }
                )),
                throttle_time_ms: self.throttle_time_ms,
                node_endpoints: all(&self.node_endpoints, |it| make!(
                    tags,
                    response::NodeEndpoint {
                        node_id: theirs::BrokerId(it.node_id),
                        host: text(&it.host),
                        port: it.port,
                        rack: some_text(&it.rack),
                    }
                )),
            }
        )
    }
}

impl Twin for MetadataRequest {
    type Twin = theirs::MetadataRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        let topic = |topic: &MetadataRequestTopic| {
            make!(
                tags,
                metadata_request::MetadataRequestTopic {
                    topic_id: id(topic.topic_id),
                    name: topic.name.as_deref().map(topic_name),
                }
            )
        };
        make!(
            tags,
            theirs::MetadataRequest {
                topics: self.topics.as_ref().map(|topics| all(topics, topic)),
                allow_auto_topic_creation: self.allow_auto_topic_creation,
                include_cluster_authorized_operations: self.include_cluster_authorized_operations,
                include_topic_authorized_operations: self.include_topic_authorized_operations,
            }
        )
    }
}

fn metadata_partition(it: &MetadataPartition, tags: bool) -> metadata::MetadataResponsePartition {
    make!(
        tags,
        metadata::MetadataResponsePartition {
            error_code: it.error_code.0,
            partition_index: it.partition_index,
            leader_id: theirs::BrokerId(it.leader_id),
            leader_epoch: it.leader_epoch,
            replica_nodes: nodes(&it.replica_nodes),
            isr_nodes: nodes(&it.isr_nodes),
            offline_replicas: nodes(&it.offline_replicas),
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
                brokers: all(&self.brokers, |it| make!(
                    tags,
                    metadata::MetadataResponseBroker {
                        node_id: theirs::BrokerId(it.node_id),
                        host: text(&it.host),
                        port: it.port,
                        rack: some_text(&it.rack),
                    }
                )),
                cluster_id: some_text(&self.cluster_id),
                controller_id: theirs::BrokerId(self.controller_id),
                topics: all(&self.topics, |it| make!(
                    tags,
                    metadata::MetadataResponseTopic {
                        error_code: it.error_code.0,
                        name: it.name.as_deref().map(topic_name),
                        topic_id: id(it.topic_id),
                        is_internal: it.is_internal,
                        partitions: all(&it.partitions, |it| metadata_partition(it, tags)),
                        topic_authorized_operations: it.topic_authorized_operations,
                    }
                )),
                cluster_authorized_operations: self.cluster_authorized_operations,
                error_code: self.error_code.0,
            }
        )
    }
}

impl Twin for ApiVersionsRequest {
    type Twin = theirs::ApiVersionsRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ApiVersionsRequest {
                client_software_name: text(&self.client_software_name),
                client_software_version: text(&self.client_software_version),
            }
        )
    }
}

impl Twin for ApiVersionsResponse {
    type Twin = theirs::ApiVersionsResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ApiVersionsResponse {
                error_code: self.error_code.0,
                api_keys: all(&self.api_keys, |it| make!(
                    tags,
                    versions::ApiVersion {
                        api_key: it.api_key,
                        min_version: it.min_version,
                        max_version: it.max_version,
                    }
                )),
                throttle_time_ms: self.throttle_time_ms,
                supported_features: all(&self.supported_features, |it| {
                    make!(
                        tags,
                        versions::SupportedFeatureKey {
                            name: text(&it.name),
                            min_version: it.min_version,
                            max_version: it.max_version,
                        }
                    )
                }),
                finalized_features_epoch: self.finalized_features_epoch,
                finalized_features: all(&self.finalized_features, |it| {
                    make!(
                        tags,
                        versions::FinalizedFeatureKey {
                            name: text(&it.name),
                            max_version_level: it.max_version_level,
                            min_version_level: it.min_version_level,
                        }
                    )
                }),
                zk_migration_ready: self.zk_migration_ready,
            }
        )
    }
}

impl Twin for InitProducerIdRequest {
    type Twin = theirs::InitProducerIdRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::InitProducerIdRequest {
                transactional_id: some_text(&self.transactional_id).map(theirs::TransactionalId),
                transaction_timeout_ms: self.transaction_timeout_ms,
                producer_id: theirs::ProducerId(self.producer_id),
                producer_epoch: self.producer_epoch,
            }
        )
    }
}

impl Twin for InitProducerIdResponse {
    type Twin = theirs::InitProducerIdResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::InitProducerIdResponse {
                throttle_time_ms: self.throttle_time_ms,
                error_code: self.error_code.0,
                producer_id: theirs::ProducerId(self.producer_id),
                producer_epoch: self.producer_epoch,
            }
        )
    }
}
