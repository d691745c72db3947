//! For every message a value that a version can carry, and for every message its versions.

use downpour_wire::messages::*;

use super::entropy::Entropy;

/// A message that can make a value of itself which `version` carries without loss.
pub(crate) trait Sample: Encode + Decode + PartialEq + std::fmt::Debug {
    const KEY: ApiKey;
    fn sample(e: &mut Entropy<'_>, version: i16) -> Self;
}

/// `value` if the version has the field, otherwise what a decoder fills in.
fn since<T>(has: bool, value: T, absent: T) -> T {
    if has { value } else { absent }
}

impl Sample for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let partition = |e: &mut Entropy<'_>| ProducePartition {
            index: e.i32(),
            records: e.option(Entropy::bytes),
        };
        Self {
            transactional_id: e.option(Entropy::string),
            acks: e.i16(),
            timeout_ms: e.i32(),
            topics: e.vec(|e| ProduceTopic {
                name: since(v < 13, e.string(), String::new()),
                topic_id: since(v >= 13, e.uuid(), Default::default()),
                partitions: e.vec(partition),
            }),
        }
    }
}

fn produce_partition(e: &mut Entropy<'_>, v: i16) -> PartitionProduceResponse {
    // A leader of twice -1 is the default of the tagged field and would not be written by all.
    let leader = |e: &mut Entropy<'_>| LeaderIdAndEpoch {
        leader_id: e.i32().max(0),
        leader_epoch: e.i32(),
    };
    let error = |e: &mut Entropy<'_>| RecordError {
        batch_index: e.i32(),
        message: e.option(Entropy::string),
    };
    PartitionProduceResponse {
        index: e.i32(),
        error_code: e.error(),
        base_offset: e.i64(),
        log_append_time_ms: e.i64(),
        log_start_offset: since(v >= 5, e.i64(), -1),
        record_errors: since(v >= 8, e.vec(error), Vec::new()),
        error_message: since(v >= 8, e.option(Entropy::string), None),
        current_leader: since(v >= 10, e.option(leader), None),
    }
}

impl Sample for ProduceResponse {
    const KEY: ApiKey = ApiKey::Produce;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let endpoint = |e: &mut Entropy<'_>| NodeEndpoint {
            node_id: e.i32(),
            host: e.string(),
            port: e.i32(),
            rack: e.option(Entropy::string),
        };
        Self {
            topics: e.vec(|e| TopicProduceResponse {
                name: since(v < 13, e.string(), String::new()),
                topic_id: since(v >= 13, e.uuid(), Default::default()),
                partitions: e.vec(|e| produce_partition(e, v)),
            }),
            throttle_time_ms: e.i32(),
            node_endpoints: since(v >= 10, e.vec(endpoint), Vec::new()),
        }
    }
}

impl Sample for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let topic = |e: &mut Entropy<'_>| MetadataRequestTopic {
            topic_id: since(v >= 10, e.uuid(), Default::default()),
            name: if v >= 10 {
                e.option(Entropy::string)
            } else {
                Some(e.string())
            },
        };
        Self {
            topics: e.option(|e| e.vec(topic)),
            allow_auto_topic_creation: since(v >= 4, e.bool(), true),
            include_cluster_authorized_operations: (8..=10).contains(&v) && e.bool(),
            include_topic_authorized_operations: v >= 8 && e.bool(),
        }
    }
}

fn metadata_topic(e: &mut Entropy<'_>, v: i16) -> MetadataTopic {
    let partition = |e: &mut Entropy<'_>| MetadataPartition {
        error_code: e.error(),
        partition_index: e.i32(),
        leader_id: e.i32(),
        leader_epoch: since(v >= 7, e.i32(), -1),
        replica_nodes: e.i32s(),
        isr_nodes: e.i32s(),
        offline_replicas: since(v >= 5, e.i32s(), Vec::new()),
    };
    MetadataTopic {
        error_code: e.error(),
        name: if v >= 12 {
            e.option(Entropy::string)
        } else {
            Some(e.string())
        },
        topic_id: since(v >= 10, e.uuid(), Default::default()),
        is_internal: e.bool(),
        partitions: e.vec(partition),
        topic_authorized_operations: since(v >= 8, e.i32(), i32::MIN),
    }
}

impl Sample for MetadataResponse {
    const KEY: ApiKey = ApiKey::Metadata;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let broker = |e: &mut Entropy<'_>| MetadataBroker {
            node_id: e.i32(),
            host: e.string(),
            port: e.i32(),
            rack: e.option(Entropy::string),
        };
        Self {
            throttle_time_ms: since(v >= 3, e.i32(), 0),
            brokers: e.vec(broker),
            cluster_id: since(v >= 2, e.option(Entropy::string), None),
            controller_id: e.i32(),
            topics: e.vec(|e| metadata_topic(e, v)),
            cluster_authorized_operations: since((8..=10).contains(&v), e.i32(), i32::MIN),
            error_code: since(v >= 13, e.error(), Default::default()),
        }
    }
}

impl Sample for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        Self {
            client_software_name: since(v >= 3, e.string(), String::new()),
            client_software_version: since(v >= 3, e.string(), String::new()),
        }
    }
}

impl Sample for ApiVersionsResponse {
    const KEY: ApiKey = ApiKey::ApiVersions;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let api = |e: &mut Entropy<'_>| ApiVersion {
            api_key: e.i16(),
            min_version: e.i16(),
            max_version: e.i16(),
        };
        let supported = |e: &mut Entropy<'_>| SupportedFeature {
            name: e.string(),
            min_version: e.i16(),
            max_version: e.i16(),
        };
        let finalized = |e: &mut Entropy<'_>| FinalizedFeature {
            name: e.string(),
            max_version_level: e.i16(),
            min_version_level: e.i16(),
        };
        Self {
            error_code: e.error(),
            api_keys: e.vec(api),
            throttle_time_ms: since(v >= 1, e.i32(), 0),
            supported_features: since(v >= 3, e.vec(supported), Vec::new()),
            finalized_features_epoch: since(v >= 3, e.i64(), -1),
            finalized_features: since(v >= 3, e.vec(finalized), Vec::new()),
            zk_migration_ready: v >= 3 && e.bool(),
        }
    }
}

impl Sample for InitProducerIdRequest {
    const KEY: ApiKey = ApiKey::InitProducerId;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        Self {
            transactional_id: e.option(Entropy::string),
            transaction_timeout_ms: e.i32(),
            producer_id: since(v >= 3, e.i64(), -1),
            producer_epoch: since(v >= 3, e.i16(), -1),
        }
    }
}

impl Sample for InitProducerIdResponse {
    const KEY: ApiKey = ApiKey::InitProducerId;

    fn sample(e: &mut Entropy<'_>, _: i16) -> Self {
        Self {
            throttle_time_ms: e.i32(),
            error_code: e.error(),
            producer_id: e.i64(),
            producer_epoch: e.i16(),
        }
    }
}

impl Sample for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let partition = |e: &mut Entropy<'_>| FetchPartition {
            partition: e.i32(),
            current_leader_epoch: since(v >= 9, e.i32(), -1),
            fetch_offset: e.i64(),
            last_fetched_epoch: since(v >= 12, e.i32(), -1),
            log_start_offset: since(v >= 5, e.i64(), -1),
            partition_max_bytes: e.i32(),
        };
        let forgotten = |e: &mut Entropy<'_>| ForgottenTopic {
            topic: e.string(),
            partitions: e.i32s(),
        };
        Self {
            replica_id: e.i32(),
            max_wait_ms: e.i32(),
            min_bytes: e.i32(),
            max_bytes: e.i32(),
            isolation_level: e.i8(),
            session_id: since(v >= 7, e.i32(), 0),
            session_epoch: since(v >= 7, e.i32(), -1),
            topics: e.vec(|e| FetchTopic {
                topic: e.string(),
                partitions: e.vec(partition),
            }),
            forgotten_topics: since(v >= 7, e.vec(forgotten), Vec::new()),
            rack_id: since(v >= 11, e.string(), String::new()),
        }
    }
}

fn fetch_partition(e: &mut Entropy<'_>, v: i16) -> FetchPartitionResponse {
    let aborted = |e: &mut Entropy<'_>| AbortedTransaction {
        producer_id: e.i64(),
        first_offset: e.i64(),
    };
    let leader = |e: &mut Entropy<'_>| LeaderIdAndEpoch {
        leader_id: e.i32().max(0),
        leader_epoch: e.i32(),
    };
    FetchPartitionResponse {
        partition_index: e.i32(),
        error_code: e.error(),
        high_watermark: e.i64(),
        last_stable_offset: e.i64(),
        log_start_offset: since(v >= 5, e.i64(), -1),
        current_leader: since(v >= 12, e.option(leader), None),
        aborted_transactions: e.option(|e| e.vec(aborted)),
        preferred_read_replica: since(v >= 11, e.i32(), -1),
        records: e.option(Entropy::bytes),
    }
}

impl Sample for FetchResponse {
    const KEY: ApiKey = ApiKey::Fetch;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        Self {
            throttle_time_ms: e.i32(),
            error_code: since(v >= 7, e.error(), Default::default()),
            session_id: since(v >= 7, e.i32(), 0),
            topics: e.vec(|e| FetchTopicResponse {
                topic: e.string(),
                partitions: e.vec(|e| fetch_partition(e, v)),
            }),
        }
    }
}

impl Sample for ListOffsetsRequest {
    const KEY: ApiKey = ApiKey::ListOffsets;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let partition = |e: &mut Entropy<'_>| ListOffsetsPartition {
            partition_index: e.i32(),
            current_leader_epoch: since(v >= 4, e.i32(), -1),
            timestamp: e.i64(),
        };
        Self {
            replica_id: e.i32(),
            isolation_level: since(v >= 2, e.i8(), 0),
            topics: e.vec(|e| ListOffsetsTopic {
                name: e.string(),
                partitions: e.vec(partition),
            }),
        }
    }
}

impl Sample for ListOffsetsResponse {
    const KEY: ApiKey = ApiKey::ListOffsets;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let partition = |e: &mut Entropy<'_>| ListOffsetsPartitionResponse {
            partition_index: e.i32(),
            error_code: e.error(),
            timestamp: e.i64(),
            offset: e.i64(),
            leader_epoch: since(v >= 4, e.i32(), -1),
        };
        Self {
            throttle_time_ms: since(v >= 2, e.i32(), 0),
            topics: e.vec(|e| ListOffsetsTopicResponse {
                name: e.string(),
                partitions: e.vec(partition),
            }),
        }
    }
}

impl Sample for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;

    fn sample(e: &mut Entropy<'_>, _: i16) -> Self {
        let assignment = |e: &mut Entropy<'_>| ReplicaAssignment {
            partition_index: e.i32(),
            broker_ids: e.i32s(),
        };
        let config = |e: &mut Entropy<'_>| CreatableTopicConfig {
            name: e.string(),
            value: e.option(Entropy::string),
        };
        Self {
            topics: e.vec(|e| CreatableTopic {
                name: e.string(),
                num_partitions: e.i32(),
                replication_factor: e.i16(),
                assignments: e.vec(assignment),
                configs: e.vec(config),
            }),
            timeout_ms: e.i32(),
            validate_only: e.bool(),
        }
    }
}

impl Sample for CreateTopicsResponse {
    const KEY: ApiKey = ApiKey::CreateTopics;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let config = |e: &mut Entropy<'_>| TopicConfigResult {
            name: e.string(),
            value: e.option(Entropy::string),
            read_only: e.bool(),
            config_source: e.i8(),
            is_sensitive: e.bool(),
        };
        Self {
            throttle_time_ms: e.i32(),
            topics: e.vec(|e| CreatableTopicResult {
                name: e.string(),
                topic_id: since(v >= 7, e.uuid(), Default::default()),
                error_code: e.error(),
                error_message: e.option(Entropy::string),
                topic_config_error_code: since(v >= 5, e.error(), Default::default()),
                num_partitions: since(v >= 5, e.i32(), -1),
                replication_factor: since(v >= 5, e.i16(), -1),
                configs: since(v >= 5, e.option(|e| e.vec(config)), Some(Vec::new())),
            }),
        }
    }
}

/// Calls `$then!` with every message.
macro_rules! each_message {
    ($then:ident) => {
        $then! {
            ProduceRequest, ProduceResponse, MetadataRequest, MetadataResponse,
            ApiVersionsRequest, ApiVersionsResponse, InitProducerIdRequest,
            InitProducerIdResponse, FetchRequest, FetchResponse, ListOffsetsRequest,
            ListOffsetsResponse, CreateTopicsRequest, CreateTopicsResponse
        }
    };
}
pub(crate) use each_message;
