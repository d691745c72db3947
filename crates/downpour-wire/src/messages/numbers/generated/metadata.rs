//! The numbers of Metadata's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for MetadataResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        if version >= 3 {
            each(
                "MetadataResponse.throttle_time_ms",
                Number::from(&mut self.throttle_time_ms),
            );
        }
        for it in self.brokers.iter_mut() {
            it.each_number(version, each);
        }
        each(
            "MetadataResponse.controller_id",
            Number::from(&mut self.controller_id),
        );
        for it in self.topics.iter_mut() {
            it.each_number(version, each);
        }
        if (8..=10).contains(&version) {
            each(
                "MetadataResponse.cluster_authorized_operations",
                Number::from(&mut self.cluster_authorized_operations),
            );
        }
        if version >= 13 {
            each(
                "MetadataResponse.error_code",
                Number::from(&mut self.error_code),
            );
        }
    }
}

impl Numbers for MetadataBroker {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each("MetadataBroker.node_id", Number::from(&mut self.node_id));
        each("MetadataBroker.port", Number::from(&mut self.port));
    }
}

impl Numbers for MetadataTopic {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        each(
            "MetadataTopic.error_code",
            Number::from(&mut self.error_code),
        );
        for it in self.partitions.iter_mut() {
            it.each_number(version, each);
        }
        if version >= 8 {
            each(
                "MetadataTopic.topic_authorized_operations",
                Number::from(&mut self.topic_authorized_operations),
            );
        }
    }
}

impl Numbers for MetadataPartition {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        each(
            "MetadataPartition.error_code",
            Number::from(&mut self.error_code),
        );
        each(
            "MetadataPartition.partition_index",
            Number::from(&mut self.partition_index),
        );
        each(
            "MetadataPartition.leader_id",
            Number::from(&mut self.leader_id),
        );
        if version >= 7 {
            each(
                "MetadataPartition.leader_epoch",
                Number::from(&mut self.leader_epoch),
            );
        }
        for it in self.replica_nodes.iter_mut() {
            each("MetadataPartition.replica_nodes", Number::from(it));
        }
        for it in self.isr_nodes.iter_mut() {
            each("MetadataPartition.isr_nodes", Number::from(it));
        }
        if version >= 5 {
            for it in self.offline_replicas.iter_mut() {
                each("MetadataPartition.offline_replicas", Number::from(it));
            }
        }
    }
}
