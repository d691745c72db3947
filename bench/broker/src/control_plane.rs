//! Everything but Produce: versions, metadata, producer ids. Rare, so the wire crate does it.

use downpour_wire::error::DecodeError;
use downpour_wire::error_code::ErrorCode;
use downpour_wire::header::decode_body;
use downpour_wire::messages::{
    ApiKey, ApiVersion, ApiVersionsResponse, Decode, Encode, InitProducerIdRequest,
    InitProducerIdResponse, MetadataBroker, MetadataPartition, MetadataRequest, MetadataResponse,
    MetadataTopic,
};
use downpour_wire::primitives::{Reader, Uuid};

use crate::ledger::{Described, Ledger};
use crate::produce;
use crate::refusal::Refusal;
use crate::shared::Shared;

const NODE: i32 = 1;

/// What is advertised. Fetch, ListOffsets and FindCoordinator are not served: librdkafka takes a
/// broker without them for one of Kafka 0.9, with old batches and neither LZ4 nor zstd.
const ADVERTISED: [(i16, i16, i16); 7] = [
    (0, produce::VERSIONS.0, produce::VERSIONS.1),
    (1, 4, 12),
    (2, 1, 7),
    (3, 1, 13),
    (10, 0, 4),
    (18, 0, 4),
    (22, 0, 5),
];

/// Serves one request and appends the answer's body.
pub(crate) fn serve(
    shared: &Shared,
    key: ApiKey,
    version: i16,
    body: &[u8],
    answer: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let written = match key {
        ApiKey::ApiVersions => api_versions(version, answer),
        ApiKey::Metadata => {
            let request: MetadataRequest = read(body, version)?;
            metadata(shared, &request).encode(answer, version)
        }
        ApiKey::InitProducerId => {
            read::<InitProducerIdRequest>(body, version)?;
            InitProducerIdResponse {
                producer_id: shared.ledger().new_producer_id(),
                ..InitProducerIdResponse::default()
            }
            .encode(answer, version)
        }
        _ => return Err(Refusal("a request that is not served here")),
    };
    written.map_err(|_| Refusal("a version that is not served here"))
}

fn read<M: Decode>(body: &[u8], version: i16) -> Result<M, Refusal> {
    let read: Result<M, DecodeError> = decode_body(&mut Reader::new(body), version);
    read.map_err(|_| Refusal("a request of the control plane cannot be read"))
}

/// A version that is too new is answered with error 35 in version 0.
fn api_versions(
    version: i16,
    answer: &mut Vec<u8>,
) -> Result<(), downpour_wire::error::EncodeError> {
    let is_known = (0..=4).contains(&version);
    let keys = ADVERTISED
        .iter()
        .map(|&(api_key, min_version, max_version)| ApiVersion {
            api_key,
            min_version,
            max_version,
        });
    let response = ApiVersionsResponse {
        error_code: ErrorCode(if is_known { 0 } else { 35 }),
        api_keys: keys.collect(),
        ..ApiVersionsResponse::default()
    };
    response.encode(answer, if is_known { version } else { 0 })
}

fn metadata(shared: &Shared, request: &MetadataRequest) -> MetadataResponse {
    let mut ledger = shared.ledger();
    let topics = match &request.topics {
        None => (0..ledger.topic_count())
            .map(|index| told(ledger.describe(index)))
            .collect(),
        Some(asked) => asked
            .iter()
            .map(|topic| topic_asked_for(&mut ledger, topic.name.as_deref(), topic.topic_id))
            .collect(),
    };
    MetadataResponse {
        brokers: vec![MetadataBroker {
            node_id: NODE,
            host: "127.0.0.1".into(),
            port: i32::from(shared.port),
            rack: None,
        }],
        cluster_id: Some("bench".into()),
        controller_id: NODE,
        topics,
        ..MetadataResponse::default()
    }
}

fn topic_asked_for(ledger: &mut Ledger, name: Option<&str>, id: Uuid) -> MetadataTopic {
    let known = match name {
        Some(name) => Some(ledger.topic(name)),
        None => ledger.topic_of_id(id.0),
    };
    match known {
        Some(index) => told(ledger.describe(index)),
        None => MetadataTopic {
            error_code: ErrorCode(100),
            name: None,
            topic_id: id,
            ..MetadataTopic::default()
        },
    }
}

fn told(topic: Described) -> MetadataTopic {
    let partition = |partition_index| MetadataPartition {
        partition_index,
        leader_id: NODE,
        leader_epoch: 0,
        replica_nodes: vec![NODE],
        isr_nodes: vec![NODE],
        ..MetadataPartition::default()
    };
    MetadataTopic {
        name: Some(topic.name),
        topic_id: Uuid(topic.id),
        partitions: (0..topic.partitions).map(partition).collect(),
        ..MetadataTopic::default()
    }
}
