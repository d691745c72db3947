//! A cluster of two brokers that behaves, for tests in which one of its answers does not: a log per
//! partition, sequences as Kafka checks them, and an answer to every question.

use std::collections::BTreeMap;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::numbers::Numbers;
use downpour_wire::messages::{
    ApiKey, ApiVersion, ApiVersionsResponse, FinalizedFeature, InitProducerIdResponse,
    LeaderIdAndEpoch, MetadataResponse, NodeEndpoint, PartitionProduceResponse, ProduceResponse,
    RecordError, SupportedFeature, TopicProduceResponse,
};
use downpour_wire::primitives::Uuid;

use super::harness::{Asked, World};
use crate::ids::ConnectionId;

pub(super) const TOPIC_ID: Uuid = Uuid([1; 16]);

/// An answer of any kind.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Versions(ApiVersionsResponse),
    Metadata(MetadataResponse),
    Identity(InitProducerIdResponse),
    Produce(ProduceResponse),
}

impl Reply {
    pub(super) fn numbers(&mut self) -> &mut dyn Numbers {
        match self {
            Self::Versions(it) => it,
            Self::Metadata(it) => it,
            Self::Identity(it) => it,
            Self::Produce(it) => it,
        }
    }

    pub(super) fn give(&self, world: &mut World, asked: &Asked) {
        match self {
            Self::Versions(it) if it.error_code == ErrorCode::UNSUPPORTED_VERSION => {
                world.answer_in(0, asked, it);
            }
            Self::Versions(it) => world.answer(asked, it),
            Self::Metadata(it) => world.answer(asked, it),
            Self::Identity(it) => world.answer(asked, it),
            Self::Produce(it) => world.answer(asked, it),
        }
    }
}

/// The highest version of each request that the brokers speak.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaks {
    pub(super) versions: i16,
    pub(super) metadata: i16,
    pub(super) identity: i16,
    pub(super) produce: i16,
}

impl Speaks {
    pub(super) const ALL: Self = Self {
        versions: ApiKey::ApiVersions.versions().1,
        metadata: ApiKey::Metadata.versions().1,
        identity: ApiKey::InitProducerId.versions().1,
        produce: ApiKey::Produce.versions().1,
    };

    /// All of them, but this one no newer than that.
    pub(super) fn no_newer(api: ApiKey, version: i16) -> Self {
        let mut speaks = Self::ALL;
        match api {
            ApiKey::ApiVersions => speaks.versions = version,
            ApiKey::Metadata => speaks.metadata = version,
            ApiKey::InitProducerId => speaks.identity = version,
            _ => speaks.produce = version,
        }
        // Without ids in its metadata a broker cannot be sent them.
        speaks
    }
}

/// What a broker knows of the one producer that writes to a partition.
#[derive(Debug)]
struct Writer {
    id: i64,
    epoch: i16,
    next: i32,
    /// First sequence and offset of the last batches.
    last: Vec<(i32, i64)>,
}

#[derive(Debug, Default)]
struct Log {
    end: i64,
    writer: Option<Writer>,
}

/// The head of a record batch.
struct Head {
    records: i32,
    id: i64,
    epoch: i16,
    sequence: i32,
}

impl Head {
    fn read(batch: &[u8]) -> Self {
        let at = |from: usize| batch[from..].first_chunk().copied().unwrap();
        let int = |from| i32::from_be_bytes(at(from));
        Self {
            records: int(23) + 1,
            id: i64::from_be_bytes(batch[43..].first_chunk().copied().unwrap()),
            epoch: i16::from_be_bytes(batch[51..].first_chunk().copied().unwrap()),
            sequence: int(53),
        }
    }
}

#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) speaks: Speaks,
    logs: BTreeMap<i32, Log>,
    /// Where each connection leads.
    peers: BTreeMap<ConnectionId, i32>,
    granted: i64,
}

impl Cluster {
    pub(super) fn new(speaks: Speaks) -> Self {
        Self {
            speaks,
            logs: BTreeMap::new(),
            peers: BTreeMap::new(),
            granted: 7,
        }
    }

    /// Opens what the engine wants opened, where somebody listens.
    pub(super) fn connect(&mut self, world: &mut World) -> bool {
        let Some((_, address, broker)) = world.connects.front() else {
            return false;
        };
        assert!(broker.is_none_or(|id| id >= 0), "broker {broker:?}");
        let listens = match &*address.host {
            "boot1" | "b1" => Some(1),
            "boot2" | "b2" => Some(2),
            _ => None,
        };
        match listens.filter(|_| address.port == 9092) {
            Some(id) => {
                let (connection_id, _, _) = world.connect();
                self.peers.insert(connection_id, id);
            }
            None => drop(world.refuse()),
        }
        true
    }

    /// What a broker says that behaves. `applies` is whether it does what it is asked.
    pub(super) fn reply(&mut self, world: &World, asked: &Asked, applies: bool) -> Reply {
        match asked.api() {
            ApiKey::ApiVersions => Reply::Versions(self.versions(asked.header.api_version)),
            ApiKey::Metadata => Reply::Metadata(metadata(world)),
            ApiKey::InitProducerId => {
                self.granted += 1;
                Reply::Identity(InitProducerIdResponse {
                    producer_id: self.granted,
                    producer_epoch: 3,
                    ..Default::default()
                })
            }
            _ => Reply::Produce(self.produce(world, asked, applies)),
        }
    }

    fn versions(&self, asked: i16) -> ApiVersionsResponse {
        let mut response = ApiVersionsResponse::default();
        let Speaks {
            versions,
            metadata,
            identity,
            produce,
        } = self.speaks;
        for (api_key, max_version) in [(0, produce), (3, metadata), (18, versions), (22, identity)]
        {
            response.api_keys.push(ApiVersion {
                api_key,
                min_version: 0,
                max_version,
            });
        }
        response.supported_features.push(SupportedFeature {
            name: "transaction.version".to_owned(),
            min_version: 0,
            max_version: 2,
        });
        response.finalized_features_epoch = 12;
        response.finalized_features.push(FinalizedFeature {
            name: "transaction.version".to_owned(),
            max_version_level: 2,
            min_version_level: 0,
        });
        if asked > versions {
            response.error_code = ErrorCode::UNSUPPORTED_VERSION;
        }
        response
    }

    fn produce(&mut self, world: &World, asked: &Asked, applies: bool) -> ProduceResponse {
        let mut response = ProduceResponse::default();
        for topic in asked.produce().topics {
            let partitions = topic.partitions.iter().map(|told| {
                let batch = told.records.as_deref().unwrap();
                let head = Head::read(batch);
                assert!(head.id >= 0 && head.epoch >= 0, "no identity");
                assert!(head.sequence >= 0, "no sequence");
                let leader = world.leaders.get(told.index as usize).map(|l| l.0);
                let peer = self.peers.get(&asked.connection_id).copied();
                let done = match leader == peer {
                    true if applies => self.append(told.index, &head),
                    true => Ok(self.logs.entry(told.index).or_default().end),
                    false => Err(ErrorCode::NOT_LEADER_OR_FOLLOWER),
                };
                PartitionProduceResponse {
                    index: told.index,
                    error_code: done.err().unwrap_or(ErrorCode::NONE),
                    base_offset: done.unwrap_or(-1),
                    log_start_offset: 0,
                    ..Default::default()
                }
            });
            response.topics.push(TopicProduceResponse {
                partitions: partitions.collect(),
                name: topic.name,
                topic_id: topic.topic_id,
            });
        }
        response
    }

    fn append(&mut self, partition: i32, head: &Head) -> Result<i64, ErrorCode> {
        let log = self.logs.entry(partition).or_default();
        if let Some(writer) = log.writer.as_mut().filter(|writer| writer.id == head.id) {
            if head.epoch < writer.epoch {
                return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
            }
            if head.epoch == writer.epoch {
                let repeated = writer
                    .last
                    .iter()
                    .find(|(first, _)| *first == head.sequence);
                if let Some((_, offset)) = repeated {
                    return Ok(*offset);
                }
            }
            let expected = match head.epoch == writer.epoch {
                true => writer.next,
                false => 0,
            };
            if head.sequence != expected {
                return Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
            }
            if head.epoch > writer.epoch {
                writer.last.clear();
            }
        } else {
            log.writer = None;
        }
        let offset = log.end;
        log.end += i64::from(head.records);
        let writer = log.writer.get_or_insert(Writer {
            id: head.id,
            epoch: head.epoch,
            next: 0,
            last: Vec::new(),
        });
        writer.epoch = head.epoch;
        writer.next = head.sequence + head.records;
        writer.last.push((head.sequence, offset));
        if writer.last.len() > 5 {
            writer.last.remove(0);
        }
        Ok(offset)
    }
}

/// What both brokers know, with replicas, so that there is a number in each array.
pub(super) fn metadata(world: &World) -> MetadataResponse {
    let mut response = world.metadata();
    for partition in &mut response.topics[0].partitions {
        partition.replica_nodes = vec![1, 2];
        partition.isr_nodes = vec![1, 2];
        partition.offline_replicas = vec![2];
    }
    (response.controller_id, response.topics[0].is_internal) = (1, false);
    response
}

/// Makes an answer say all that a refusal can: which records, and who leads now.
pub(super) fn enrich(response: &mut ProduceResponse, code: ErrorCode) {
    for partition in response.topics.iter_mut().flat_map(|t| &mut t.partitions) {
        partition.error_code = code;
        partition.base_offset = -1;
        if code == ErrorCode::INVALID_RECORD {
            partition.record_errors = vec![RecordError {
                batch_index: 1,
                message: Some("no key".to_owned()),
            }];
        } else {
            partition.current_leader = Some(LeaderIdAndEpoch {
                leader_id: 2,
                leader_epoch: 4,
            });
        }
    }
    let endpoint = NodeEndpoint {
        node_id: 2,
        host: "b2".to_owned(),
        port: 9092,
        rack: None,
    };
    response.node_endpoints.push(endpoint);
}
