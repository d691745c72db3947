//! The requests and responses that a producer and the fake need, both directions, one file each.
//! Record batches inside them are `batch`'s; headers and lengths around them are `header`'s.
//!
//! A message is a plain struct that covers all versions. Encoding a request refuses a field that
//! the version cannot carry, if dropping it would change what the request asks for. Encoding a
//! response drops what the version has no place for, as a broker does that knows more than it can
//! say. Decoding fills what the version lacks with Kafka's default.

mod api_key;
mod api_versions;
mod create_topics;
mod fetch;
mod init_producer_id;
mod list_offsets;
mod message;
mod metadata;
mod produce;
mod produce_response;
pub(crate) mod reader;
pub(crate) mod writer;

pub use api_key::{ApiKey, UnknownApiKey};
pub use api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeature, SupportedFeature,
};
pub use create_topics::{
    CreatableTopic, CreatableTopicConfig, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse, ReplicaAssignment, TopicConfigResult,
};
pub use fetch::{
    AbortedTransaction, FetchPartition, FetchPartitionResponse, FetchRequest, FetchResponse,
    FetchTopic, FetchTopicResponse, ForgottenTopic,
};
pub use init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
pub use list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopic, ListOffsetsTopicResponse,
};
pub use message::{Decode, Encode, Request};
pub use metadata::{
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataRequestTopic, MetadataResponse,
    MetadataTopic,
};
pub use produce::{ProducePartition, ProduceRequest, ProduceTopic};
pub use produce_response::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, ProduceResponse, RecordError,
    TopicProduceResponse,
};

#[cfg(test)]
mod tests;
