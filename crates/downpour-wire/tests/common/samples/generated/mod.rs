//! Samples of the generated messages, and lists of all. Written by `cargo xtask messages`: what is changed here by hand is lost.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod api_versions;
mod create_topics;
mod end_txn;
mod fetch;
mod find_coordinator;
mod init_producer_id;
mod list_offsets;
mod metadata;
mod produce;
mod sasl_authenticate;
mod sasl_handshake;
mod txn_offset_commit;

use super::super::entropy::Entropy;
use super::sample::Sample;

/// Calls `$then!` with every message.
#[allow(unused_macros, reason = "not every test needs it")]
macro_rules! each_message { ($then:ident) => { $then! { ProduceRequest, ProduceResponse, FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest, MetadataResponse, FindCoordinatorRequest, FindCoordinatorResponse, SaslHandshakeRequest, SaslHandshakeResponse, ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, CreateTopicsResponse, InitProducerIdRequest, InitProducerIdResponse, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, EndTxnRequest, EndTxnResponse, TxnOffsetCommitRequest, TxnOffsetCommitResponse, SaslAuthenticateRequest, SaslAuthenticateResponse } }; }
#[allow(unused_imports, reason = "not every test needs it")]
pub(crate) use each_message;

/// Calls `$then!` with every request.
#[allow(unused_macros, reason = "not every test needs it")]
macro_rules! each_request { ($then:ident) => { $then! { ProduceRequest, FetchRequest, ListOffsetsRequest, MetadataRequest, FindCoordinatorRequest, SaslHandshakeRequest, ApiVersionsRequest, CreateTopicsRequest, InitProducerIdRequest, AddPartitionsToTxnRequest, AddOffsetsToTxnRequest, EndTxnRequest, TxnOffsetCommitRequest, SaslAuthenticateRequest } }; }
#[allow(unused_imports, reason = "not every test needs it")]
pub(crate) use each_request;

/// Calls `$then!` with every answer that a producer reads.
#[allow(unused_macros, reason = "not every test needs it")]
macro_rules! each_answer { ($then:ident) => { $then! { ProduceResponse, MetadataResponse, FindCoordinatorResponse, SaslHandshakeResponse, ApiVersionsResponse, InitProducerIdResponse, AddPartitionsToTxnResponse, AddOffsetsToTxnResponse, EndTxnResponse, TxnOffsetCommitResponse, SaslAuthenticateResponse } }; }
#[allow(unused_imports, reason = "not every test needs it")]
pub(crate) use each_answer;
