//! Metadata, versions 1 to 13. Written by `cargo xtask messages` from Kafka's definitions in
//! `definitions/`: what is changed here by hand is lost.

use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::messages::api_key::ApiKey;
use crate::messages::message::{Decode, Encode, Request};
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::primitives::{Reader, Uuid};

/// Asks for brokers, topics and leaders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataRequest {
    /// The topics to fetch metadata for. Default empty.
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// If this is true, the broker may auto-create topics that we requested which do not already
    /// exist, if it is configured to do so; from version 4. Default `true`.
    pub allow_auto_topic_creation: bool,
    /// Whether to include cluster authorized operations; versions 8 to 10.
    pub include_cluster_authorized_operations: bool,
    /// Whether to include topic authorized operations; from version 8.
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: Some(Vec::new()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
        }
    }
}

/// The topics to fetch metadata for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataRequestTopic {
    /// The topic id; from version 10.
    pub topic_id: Uuid,
    /// The topic name; may be null from version 10. Default empty.
    pub name: Option<String>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        Self {
            topic_id: Uuid::ZERO,
            name: Some(String::new()),
        }
    }
}

impl Request for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
    type Response = MetadataResponse;
}

impl Encode for MetadataRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Metadata, version, "MetadataRequest")?;
        out.nullable_array(self.topics.as_deref(), "topics", |out, it| it.write(out))?;
        if version >= 4 {
            out.bool(self.allow_auto_topic_creation);
        } else if !self.allow_auto_topic_creation {
            return Err(out.not_in_version("allow_auto_topic_creation"));
        }
        if (8..=10).contains(&version) {
            out.bool(self.include_cluster_authorized_operations);
        } else if self.include_cluster_authorized_operations {
            return Err(out.not_in_version("include_cluster_authorized_operations"));
        }
        if version >= 8 {
            out.bool(self.include_topic_authorized_operations);
        } else if self.include_topic_authorized_operations {
            return Err(out.not_in_version("include_topic_authorized_operations"));
        }
        out.no_tags();
        Ok(())
    }
}

#[cfg(feature = "broker")]
impl Decode for MetadataRequest {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::Metadata, version, "MetadataRequest")?;
        let topics = r.nullable_array(2, "topics", MetadataRequestTopic::read)?;
        let allow_auto_topic_creation = if version >= 4 {
            r.bool("allow auto topic creation")?
        } else {
            true
        };
        let include_cluster_authorized_operations = if (8..=10).contains(&version) {
            r.bool("include cluster authorized operations")?
        } else {
            false
        };
        let include_topic_authorized_operations = if version >= 8 {
            r.bool("include topic authorized operations")?
        } else {
            false
        };
        r.no_tags()?;
        Ok(Self {
            topics,
            allow_auto_topic_creation,
            include_cluster_authorized_operations,
            include_topic_authorized_operations,
        })
    }
}

impl MetadataRequestTopic {
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        if version < 10 && self.name.is_none() {
            return Err(out.null_not_allowed("name"));
        }
        out.nullable_string(self.name.as_deref(), "name")?;
        out.no_tags();
        Ok(())
    }

    #[cfg(feature = "broker")]
    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let topic_id = if version >= 10 {
            r.uuid("topic id")?
        } else {
            Uuid::ZERO
        };
        let name = if version >= 10 {
            r.nullable_string("name")?
        } else {
            Some(r.string("name")?)
        };
        r.no_tags()?;
        Ok(Self { topic_id, name })
    }
}

/// What a broker knows about the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation,
    /// or zero if the request did not violate any quota; from version 3.
    pub throttle_time_ms: i32,
    /// A list of brokers present in the cluster.
    pub brokers: Vec<MetadataBroker>,
    /// The cluster ID that responding broker belongs to; from version 2.
    pub cluster_id: Option<String>,
    /// The ID of the controller broker. Default `-1`.
    pub controller_id: i32,
    /// Each topic in the response.
    pub topics: Vec<MetadataTopic>,
    /// 32-bit bitfield to represent authorized operations for this cluster; versions 8 to 10.
    /// Default `i32::MIN`.
    pub cluster_authorized_operations: i32,
    /// The top-level error code, or 0 if there was no error; from version 13.
    pub error_code: ErrorCode,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: -1,
            topics: Vec::new(),
            cluster_authorized_operations: i32::MIN,
            error_code: ErrorCode::NONE,
        }
    }
}

/// A list of brokers present in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetadataBroker {
    /// The broker ID.
    pub node_id: i32,
    /// The broker hostname.
    pub host: String,
    /// The broker port.
    pub port: i32,
    /// The rack of the broker, or null if it has not been assigned to a rack.
    pub rack: Option<String>,
}

/// Each topic in the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataTopic {
    /// The topic error, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The topic name. Null for non-existing topics queried by ID. This is never null when
    /// ErrorCode is zero. One of Name and TopicId is always populated; may be null from version 12.
    /// Default empty.
    pub name: Option<String>,
    /// The topic id. Zero for non-existing topics queried by name. This is never zero when
    /// ErrorCode is zero. One of Name and TopicId is always populated; from version 10.
    pub topic_id: Uuid,
    /// True if the topic is internal.
    pub is_internal: bool,
    /// Each partition in the topic.
    pub partitions: Vec<MetadataPartition>,
    /// 32-bit bitfield to represent authorized operations for this topic; from version 8. Default
    /// `i32::MIN`.
    pub topic_authorized_operations: i32,
}

impl Default for MetadataTopic {
    fn default() -> Self {
        Self {
            error_code: ErrorCode::NONE,
            name: Some(String::new()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: i32::MIN,
        }
    }
}

/// Each partition in the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataPartition {
    /// The partition error, or 0 if there was no error.
    pub error_code: ErrorCode,
    /// The partition index.
    pub partition_index: i32,
    /// The ID of the leader broker.
    pub leader_id: i32,
    /// The leader epoch of this partition; from version 7. Default `-1`.
    pub leader_epoch: i32,
    /// The set of all nodes that host this partition.
    pub replica_nodes: Vec<i32>,
    /// The set of nodes that are in sync with the leader for this partition.
    pub isr_nodes: Vec<i32>,
    /// The set of offline replicas of this partition; from version 5.
    pub offline_replicas: Vec<i32>,
}

impl Default for MetadataPartition {
    fn default() -> Self {
        Self {
            error_code: ErrorCode::NONE,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
        }
    }
}

#[cfg(feature = "broker")]
impl Encode for MetadataResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Metadata, version, "MetadataResponse")?;
        if version >= 3 {
            out.i32(self.throttle_time_ms);
        }
        out.array(&self.brokers, "brokers", |out, it| it.write(out))?;
        if version >= 2 {
            out.nullable_string(self.cluster_id.as_deref(), "cluster id")?;
        }
        out.i32(self.controller_id);
        out.array(&self.topics, "topics", |out, it| it.write(out))?;
        if (8..=10).contains(&version) {
            out.i32(self.cluster_authorized_operations);
        }
        if version >= 13 {
            out.error_code(self.error_code);
        }
        out.no_tags();
        Ok(())
    }
}

impl Decode for MetadataResponse {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut r = MessageReader::new(r, ApiKey::Metadata, version, "MetadataResponse")?;
        let throttle_time_ms = if version >= 3 {
            r.i32("throttle time ms")?
        } else {
            0
        };
        let brokers = r.array(11, "brokers", MetadataBroker::read)?;
        let cluster_id = if version >= 2 {
            r.nullable_string("cluster id")?
        } else {
            None
        };
        let controller_id = r.i32("controller id")?;
        let topics = r.array(9, "topics", MetadataTopic::read)?;
        let cluster_authorized_operations = if (8..=10).contains(&version) {
            r.i32("cluster authorized operations")?
        } else {
            i32::MIN
        };
        let error_code = if version >= 13 {
            r.error_code("error code")?
        } else {
            ErrorCode::NONE
        };
        r.no_tags()?;
        Ok(Self {
            throttle_time_ms,
            brokers,
            cluster_id,
            controller_id,
            topics,
            cluster_authorized_operations,
            error_code,
        })
    }
}

impl MetadataBroker {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.node_id);
        out.string(&self.host, "host")?;
        out.i32(self.port);
        out.nullable_string(self.rack.as_deref(), "rack")?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let node_id = r.i32("node id")?;
        let host = r.string("host")?;
        let port = r.i32("port")?;
        let rack = r.nullable_string("rack")?;
        r.no_tags()?;
        Ok(Self {
            node_id,
            host,
            port,
            rack,
        })
    }
}

impl MetadataTopic {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        out.error_code(self.error_code);
        if version < 12 && self.name.is_none() {
            return Err(out.null_not_allowed("name"));
        }
        out.nullable_string(self.name.as_deref(), "name")?;
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        out.bool(self.is_internal);
        out.array(&self.partitions, "partitions", |out, it| it.write(out))?;
        if version >= 8 {
            out.i32(self.topic_authorized_operations);
        }
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let error_code = r.error_code("error code")?;
        let name = if version >= 12 {
            r.nullable_string("name")?
        } else {
            Some(r.string("name")?)
        };
        let topic_id = if version >= 10 {
            r.uuid("topic id")?
        } else {
            Uuid::ZERO
        };
        let is_internal = r.bool("is internal")?;
        let partitions = r.array(18, "partitions", MetadataPartition::read)?;
        let topic_authorized_operations = if version >= 8 {
            r.i32("topic authorized operations")?
        } else {
            i32::MIN
        };
        r.no_tags()?;
        Ok(Self {
            error_code,
            name,
            topic_id,
            is_internal,
            partitions,
            topic_authorized_operations,
        })
    }
}

impl MetadataPartition {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        let version = out.version;
        out.error_code(self.error_code);
        out.i32(self.partition_index);
        out.i32(self.leader_id);
        if version >= 7 {
            out.i32(self.leader_epoch);
        }
        out.i32_array(&self.replica_nodes, "replica nodes")?;
        out.i32_array(&self.isr_nodes, "isr nodes")?;
        if version >= 5 {
            out.i32_array(&self.offline_replicas, "offline replicas")?;
        }
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let error_code = r.error_code("error code")?;
        let partition_index = r.i32("partition index")?;
        let leader_id = r.i32("leader id")?;
        let leader_epoch = if version >= 7 {
            r.i32("leader epoch")?
        } else {
            -1
        };
        let replica_nodes = r.i32_array("replica nodes")?;
        let isr_nodes = r.i32_array("isr nodes")?;
        let offline_replicas = if version >= 5 {
            r.i32_array("offline replicas")?
        } else {
            Vec::new()
        };
        r.no_tags()?;
        Ok(Self {
            error_code,
            partition_index,
            leader_id,
            leader_epoch,
            replica_nodes,
            isr_nodes,
            offline_replicas,
        })
    }
}
