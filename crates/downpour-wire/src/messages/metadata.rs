//! The Metadata request and response. Merging them into a view of the cluster is core's part.

use super::api_key::ApiKey;
use super::message::{Decode, Encode, Request};
use super::reader::MessageReader;
use super::writer::MessageWriter;
use crate::error::{DecodeError, EncodeError};
use crate::error_code::ErrorCode;
use crate::primitives::{Reader, Uuid};

/// Asks for brokers, topics and leaders.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataRequest {
    /// The topics asked for; `None` is all, an empty list is none.
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Whether the broker may create a topic that does not exist. Default true; false can be said
    /// from version 4.
    pub allow_auto_topic_creation: bool,
    /// Whether to list what the client may do to the cluster; versions 8 to 10.
    pub include_cluster_authorized_operations: bool,
    /// Whether to list what the client may do to each topic; from version 8.
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

#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetadataRequestTopic {
    /// The id, or zero; carried from version 10, understood by brokers from version 12.
    pub topic_id: Uuid,
    /// The name; must be present below version 10.
    pub name: Option<String>,
}

/// What a broker knows about the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataResponse {
    /// How long the broker delayed or will delay this client, in milliseconds; from version 3.
    pub throttle_time_ms: i32,
    /// The brokers that are alive.
    pub brokers: Vec<MetadataBroker>,
    /// The cluster's id; from version 2.
    pub cluster_id: Option<String>,
    /// The controller's node, or -1.
    pub controller_id: i32,
    pub topics: Vec<MetadataTopic>,
    /// What the client may do to the cluster, as a bit field; versions 8 to 10, in others `i32::MIN`.
    pub cluster_authorized_operations: i32,
    /// What went wrong with the request as a whole; version 13 (KIP-1102).
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

#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetadataBroker {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MetadataTopic {
    pub error_code: ErrorCode,
    /// The name; null only from version 12, when an unknown id was asked for.
    pub name: Option<String>,
    /// The id; from version 10, before that zero.
    pub topic_id: Uuid,
    /// Whether Kafka itself uses the topic.
    pub is_internal: bool,
    pub partitions: Vec<MetadataPartition>,
    /// What the client may do to the topic, as a bit field; from version 8, before that `i32::MIN`.
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

#[derive(Debug, Clone, PartialEq)]
pub struct MetadataPartition {
    pub error_code: ErrorCode,
    pub partition_index: i32,
    /// The leader's node, or -1.
    pub leader_id: i32,
    /// The leader's epoch; from version 7, before that -1.
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    /// Those in sync with the leader.
    pub isr_nodes: Vec<i32>,
    /// Those offline; from version 5.
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

impl Request for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
    type Response = MetadataResponse;
}

impl Encode for MetadataRequest {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Metadata, version, "MetadataRequest")?;
        out.nullable_array(self.topics.as_deref(), "topics", |out, topic| {
            let name = topic.name.as_deref();
            if out.version >= 10 {
                out.uuid(topic.topic_id);
                out.nullable_string(name, "topic name")?;
            } else {
                out.required_string(name, "topic name")?;
            }
            out.no_tags();
            Ok(())
        })?;
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
        let topics = r.nullable_array(2, "topics", |r| {
            let mut topic = MetadataRequestTopic::default();
            if r.version >= 10 {
                topic.topic_id = r.uuid("topic id")?;
                topic.name = r.nullable_string("topic name")?;
            } else {
                topic.name = Some(r.string("topic name")?);
            }
            r.no_tags()?;
            Ok(topic)
        })?;
        let mut request = Self {
            topics,
            ..Self::default()
        };
        if version >= 4 {
            request.allow_auto_topic_creation = r.bool("allow_auto_topic_creation")?;
        }
        if (8..=10).contains(&version) {
            request.include_cluster_authorized_operations =
                r.bool("include_cluster_authorized_operations")?;
        }
        if version >= 8 {
            request.include_topic_authorized_operations =
                r.bool("include_topic_authorized_operations")?;
        }
        r.no_tags()?;
        Ok(request)
    }
}

impl MetadataBroker {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.i32(self.node_id);
        out.string(&self.host, "broker's host")?;
        out.i32(self.port);
        out.nullable_string(self.rack.as_deref(), "broker's rack")?;
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let broker = Self {
            node_id: r.i32("broker's node id")?,
            host: r.string("broker's host")?,
            port: r.i32("broker's port")?,
            rack: r.nullable_string("broker's rack")?,
        };
        r.no_tags()?;
        Ok(broker)
    }
}

impl MetadataPartition {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.error_code(self.error_code);
        out.i32(self.partition_index);
        out.i32(self.leader_id);
        if out.version >= 7 {
            out.i32(self.leader_epoch);
        }
        out.i32_array(&self.replica_nodes, "replicas")?;
        out.i32_array(&self.isr_nodes, "replicas in sync")?;
        if out.version >= 5 {
            out.i32_array(&self.offline_replicas, "offline replicas")?;
        }
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let partition = Self {
            error_code: r.error_code("partition's error code")?,
            partition_index: r.i32("partition index")?,
            leader_id: r.i32("leader id")?,
            leader_epoch: if version >= 7 {
                r.i32("leader epoch")?
            } else {
                -1
            },
            replica_nodes: r.i32_array("replicas")?,
            isr_nodes: r.i32_array("replicas in sync")?,
            offline_replicas: if version >= 5 {
                r.i32_array("offline replicas")?
            } else {
                Vec::new()
            },
        };
        r.no_tags()?;
        Ok(partition)
    }
}

impl MetadataTopic {
    #[cfg(feature = "broker")]
    fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {
        out.error_code(self.error_code);
        let name = self.name.as_deref();
        if out.version >= 12 {
            out.nullable_string(name, "topic name")?;
        } else {
            out.required_string(name, "topic name")?;
        }
        if out.version >= 10 {
            out.uuid(self.topic_id);
        }
        out.bool(self.is_internal);
        out.array(&self.partitions, "partitions", |out, partition| {
            partition.write(out)
        })?;
        if out.version >= 8 {
            out.i32(self.topic_authorized_operations);
        }
        out.no_tags();
        Ok(())
    }

    fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {
        let version = r.version;
        let error_code = r.error_code("topic's error code")?;
        let name = if version >= 12 {
            r.nullable_string("topic name")?
        } else {
            Some(r.string("topic name")?)
        };
        let mut topic = Self {
            error_code,
            name,
            ..Self::default()
        };
        if version >= 10 {
            topic.topic_id = r.uuid("topic id")?;
        }
        topic.is_internal = r.bool("is_internal")?;
        topic.partitions = r.array(18, "partitions", MetadataPartition::read)?;
        if version >= 8 {
            topic.topic_authorized_operations = r.i32("topic's authorized operations")?;
        }
        r.no_tags()?;
        Ok(topic)
    }
}

#[cfg(feature = "broker")]
impl Encode for MetadataResponse {
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        let mut out = MessageWriter::new(out, ApiKey::Metadata, version, "MetadataResponse")?;
        if version >= 3 {
            out.i32(self.throttle_time_ms);
        }
        out.array(&self.brokers, "brokers", |out, broker| broker.write(out))?;
        if version >= 2 {
            out.nullable_string(self.cluster_id.as_deref(), "cluster id")?;
        }
        out.i32(self.controller_id);
        out.array(&self.topics, "topics", |out, topic| topic.write(out))?;
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
        let mut response = Self::default();
        if version >= 3 {
            response.throttle_time_ms = r.i32("throttle time")?;
        }
        response.brokers = r.array(11, "brokers", MetadataBroker::read)?;
        if version >= 2 {
            response.cluster_id = r.nullable_string("cluster id")?;
        }
        response.controller_id = r.i32("controller id")?;
        response.topics = r.array(9, "topics", MetadataTopic::read)?;
        if (8..=10).contains(&version) {
            response.cluster_authorized_operations = r.i32("cluster's authorized operations")?;
        }
        if version >= 13 {
            response.error_code = r.error_code("error code")?;
        }
        r.no_tags()?;
        Ok(response)
    }
}
