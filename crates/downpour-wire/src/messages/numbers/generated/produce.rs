//! The numbers of Produce's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for ProduceResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        for it in self.topics.iter_mut() {
            it.each_number(version, each);
        }
        each(
            "ProduceResponse.throttle_time_ms",
            Number::from(&mut self.throttle_time_ms),
        );
        if version >= 10 {
            for it in self.node_endpoints.iter_mut() {
                it.each_number(version, each);
            }
        }
    }
}

impl Numbers for TopicProduceResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        for it in self.partitions.iter_mut() {
            it.each_number(version, each);
        }
    }
}

impl Numbers for PartitionProduceResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        each(
            "PartitionProduceResponse.index",
            Number::from(&mut self.index),
        );
        each(
            "PartitionProduceResponse.error_code",
            Number::from(&mut self.error_code),
        );
        each(
            "PartitionProduceResponse.base_offset",
            Number::from(&mut self.base_offset),
        );
        each(
            "PartitionProduceResponse.log_append_time_ms",
            Number::from(&mut self.log_append_time_ms),
        );
        if version >= 5 {
            each(
                "PartitionProduceResponse.log_start_offset",
                Number::from(&mut self.log_start_offset),
            );
        }
        if version >= 8 {
            for it in self.record_errors.iter_mut() {
                it.each_number(version, each);
            }
        }
        if version >= 10 {
            if let Some(it) = &mut self.current_leader {
                it.each_number(version, each);
            }
        }
    }
}

impl Numbers for RecordError {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each(
            "RecordError.batch_index",
            Number::from(&mut self.batch_index),
        );
    }
}

impl Numbers for LeaderIdAndEpoch {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each(
            "LeaderIdAndEpoch.leader_id",
            Number::from(&mut self.leader_id),
        );
        each(
            "LeaderIdAndEpoch.leader_epoch",
            Number::from(&mut self.leader_epoch),
        );
    }
}

impl Numbers for NodeEndpoint {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each("NodeEndpoint.node_id", Number::from(&mut self.node_id));
        each("NodeEndpoint.port", Number::from(&mut self.port));
    }
}
