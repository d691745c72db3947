//! Who holds a topic's partitions, as a broker told it when it was asked: types that users see.
//!
//! What is kept of that, which is the leaders alone, is in `cluster`.

use std::collections::BTreeMap;

use downpour_wire::messages::{MetadataResponse, MetadataTopic};

use crate::client::cluster::address;
use crate::config::Address;

/// A partition of a topic, and the brokers that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionInfo {
    /// Its number.
    pub partition: i32,
    /// The broker that takes its records; `None` while there is none.
    pub leader: Option<BrokerInfo>,
    /// The ids of the brokers that are to have a copy, the preferred leader first.
    pub replicas: Vec<i32>,
    /// The ids of those whose copy has all that was acknowledged with `acks=all`.
    pub in_sync_replicas: Vec<i32>,
}

/// A broker, and where it says that it can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BrokerInfo {
    /// Its id.
    pub id: i32,
    /// Host and port as it advertises them.
    pub address: Address,
}

/// The partitions of a topic of this answer, in order.
pub(crate) fn partitions_of(
    response: &MetadataResponse,
    topic: &MetadataTopic,
) -> Vec<PartitionInfo> {
    let told = response.brokers.iter().filter_map(|told| {
        let address = address(&told.host, told.port)?;
        Some((told.node_id, address))
    });
    let told: BTreeMap<i32, Address> = told.collect();
    let broker = |id: i32| {
        let address = told.get(&id)?.clone();
        Some(BrokerInfo { id, address })
    };
    let partitions = topic.partitions.iter().map(|partition| PartitionInfo {
        partition: partition.partition_index,
        leader: broker(partition.leader_id),
        replicas: partition.replica_nodes.clone(),
        in_sync_replicas: partition.isr_nodes.clone(),
    });
    let mut partitions: Vec<_> = partitions.collect();
    partitions.sort_by_key(|known| known.partition);
    partitions
}
