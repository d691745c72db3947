//! Twins of what other clients say to the fake: Fetch, ListOffsets, CreateTopics.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;
use theirs::{
    create_topics_request as create, create_topics_response as created, fetch_request as fetch,
    fetch_response as fetched, list_offsets_request as list, list_offsets_response as listed,
};

use super::{Twin, all, id, make, nodes, some_text, text, topic_name};

impl Twin for FetchRequest {
    type Twin = theirs::FetchRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        let partition = |it: &FetchPartition| {
            make!(
                tags,
                fetch::FetchPartition {
                    partition: it.partition,
                    current_leader_epoch: it.current_leader_epoch,
                    fetch_offset: it.fetch_offset,
                    last_fetched_epoch: it.last_fetched_epoch,
                    log_start_offset: it.log_start_offset,
                    partition_max_bytes: it.partition_max_bytes,
                }
            )
        };
        make!(
            tags,
            theirs::FetchRequest {
                replica_id: theirs::BrokerId(self.replica_id),
                max_wait_ms: self.max_wait_ms,
                min_bytes: self.min_bytes,
                max_bytes: self.max_bytes,
                isolation_level: self.isolation_level,
                session_id: self.session_id,
                session_epoch: self.session_epoch,
                topics: all(&self.topics, |it| make!(
                    tags,
                    fetch::FetchTopic {
                        topic: topic_name(&it.topic),
                        partitions: all(&it.partitions, partition),
                    }
                )),
                forgotten_topics_data: all(&self.forgotten_topics, |it| {
                    make!(
                        tags,
                        fetch::ForgottenTopic {
                            topic: topic_name(&it.topic),
                            partitions: it.partitions.clone(),
                        }
                    )
                }),
                rack_id: text(&self.rack_id),
            }
        )
    }
}

fn fetch_partition(it: &FetchPartitionResponse, tags: bool) -> fetched::PartitionData {
    let leader = it.current_leader.map(|leader| {
        make!(
            tags,
            fetched::LeaderIdAndEpoch {
                leader_id: theirs::BrokerId(leader.leader_id),
                leader_epoch: leader.leader_epoch,
            }
        )
    });
    let aborted = |it: &AbortedTransaction| {
        make!(
            tags,
            fetched::AbortedTransaction {
                producer_id: theirs::ProducerId(it.producer_id),
                first_offset: it.first_offset,
            }
        )
    };
    make!(
        tags,
        fetched::PartitionData {
            partition_index: it.partition_index,
            error_code: it.error_code.0,
            high_watermark: it.high_watermark,
            last_stable_offset: it.last_stable_offset,
            log_start_offset: it.log_start_offset,
            current_leader: leader.unwrap_or_default(),
            aborted_transactions: it
                .aborted_transactions
                .as_ref()
                .map(|list| all(list, aborted)),
            preferred_read_replica: theirs::BrokerId(it.preferred_read_replica),
            records: it.records.clone().map(Into::into),
        }
    )
}

impl Twin for FetchResponse {
    type Twin = theirs::FetchResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::FetchResponse {
                throttle_time_ms: self.throttle_time_ms,
                error_code: self.error_code.0,
                session_id: self.session_id,
                responses: all(&self.topics, |it| make!(
                    tags,
                    fetched::FetchableTopicResponse {
                        topic: topic_name(&it.topic),
                        partitions: all(&it.partitions, |it| fetch_partition(it, tags)),
                    }
                )),
            }
        )
    }
}

impl Twin for ListOffsetsRequest {
    type Twin = theirs::ListOffsetsRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        let partition = |it: &ListOffsetsPartition| {
            make!(
                tags,
                list::ListOffsetsPartition {
                    partition_index: it.partition_index,
                    current_leader_epoch: it.current_leader_epoch,
                    timestamp: it.timestamp,
                }
            )
        };
        make!(
            tags,
            theirs::ListOffsetsRequest {
                replica_id: theirs::BrokerId(self.replica_id),
                isolation_level: self.isolation_level,
                topics: all(&self.topics, |it| make!(
                    tags,
                    list::ListOffsetsTopic {
                        name: topic_name(&it.name),
                        partitions: all(&it.partitions, partition),
                    }
                )),
            }
        )
    }
}

impl Twin for ListOffsetsResponse {
    type Twin = theirs::ListOffsetsResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        let partition = |it: &ListOffsetsPartitionResponse| {
            make!(
                tags,
                listed::ListOffsetsPartitionResponse {
                    partition_index: it.partition_index,
                    error_code: it.error_code.0,
                    timestamp: it.timestamp,
                    offset: it.offset,
                    leader_epoch: it.leader_epoch,
                }
            )
        };
        make!(
            tags,
            theirs::ListOffsetsResponse {
                throttle_time_ms: self.throttle_time_ms,
                topics: all(&self.topics, |it| make!(
                    tags,
                    listed::ListOffsetsTopicResponse {
                        name: topic_name(&it.name),
                        partitions: all(&it.partitions, partition),
                    }
                )),
            }
        )
    }
}

impl Twin for CreateTopicsRequest {
    type Twin = theirs::CreateTopicsRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        let assignment = |it: &ReplicaAssignment| {
            make!(
                tags,
                create::CreatableReplicaAssignment {
                    partition_index: it.partition_index,
                    broker_ids: nodes(&it.broker_ids),
                }
            )
        };
        let config = |it: &CreatableTopicConfig| {
            make!(
                tags,
                create::CreatableTopicConfig {
                    name: text(&it.name),
                    value: some_text(&it.value),
                }
            )
        };
        make!(
            tags,
            theirs::CreateTopicsRequest {
                topics: all(&self.topics, |it| make!(
                    tags,
                    create::CreatableTopic {
                        name: topic_name(&it.name),
                        num_partitions: it.num_partitions,
                        replication_factor: it.replication_factor,
                        assignments: all(&it.assignments, assignment),
                        configs: all(&it.configs, config),
                    }
                )),
                timeout_ms: self.timeout_ms,
                validate_only: self.validate_only,
            }
        )
    }
}

impl Twin for CreateTopicsResponse {
    type Twin = theirs::CreateTopicsResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        let config = |it: &TopicConfigResult| {
            make!(
                tags,
                created::CreatableTopicConfigs {
                    name: text(&it.name),
                    value: some_text(&it.value),
                    read_only: it.read_only,
                    config_source: it.config_source,
                    is_sensitive: it.is_sensitive,
                }
            )
        };
        make!(
            tags,
            theirs::CreateTopicsResponse {
                throttle_time_ms: self.throttle_time_ms,
                topics: all(&self.topics, |it| make!(
                    tags,
                    created::CreatableTopicResult {
                        name: topic_name(&it.name),
                        topic_id: id(it.topic_id),
                        error_code: it.error_code.0,
                        error_message: some_text(&it.error_message),
                        topic_config_error_code: it.topic_config_error_code.0,
                        num_partitions: it.num_partitions,
                        replication_factor: it.replication_factor,
                        configs: it.configs.as_ref().map(|configs| all(configs, config)),
                    }
                )),
            }
        )
    }
}
