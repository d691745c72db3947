//! The messages that are made from Kafka's definitions. Written by `cargo xtask messages`: what is changed here by hand is lost.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
pub(super) mod api_key;
mod api_versions;
#[cfg(feature = "broker")]
mod create_topics;
mod end_txn;
#[cfg(feature = "broker")]
mod fetch;
mod find_coordinator;
mod init_producer_id;
#[cfg(feature = "broker")]
mod list_offsets;
mod metadata;
mod produce;
mod sasl_authenticate;
mod sasl_handshake;
mod txn_offset_commit;

pub use add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
pub use add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    AddPartitionsToTxnTopic, AddPartitionsToTxnTopicResult,
};
pub use api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeature, SupportedFeature,
};
#[cfg(feature = "broker")]
pub use create_topics::{
    CreatableTopic, CreatableTopicConfig, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse, ReplicaAssignment, TopicConfigResult,
};
pub use end_txn::{EndTxnRequest, EndTxnResponse};
#[cfg(feature = "broker")]
pub use fetch::{
    AbortedTransaction, FetchLeader, FetchPartition, FetchPartitionResponse, FetchRequest,
    FetchResponse, FetchTopic, FetchTopicResponse, ForgottenTopic,
};
pub use find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};
pub use init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
#[cfg(feature = "broker")]
pub use list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopic, ListOffsetsTopicResponse,
};
pub use metadata::{
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataRequestTopic, MetadataResponse,
    MetadataTopic,
};
pub use produce::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, ProducePartition, ProduceRequest,
    ProduceResponse, ProduceTopic, RecordError, TopicProduceResponse,
};
pub use sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};
pub use sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};
pub use txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
    TxnOffsetCommitResponse, TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
