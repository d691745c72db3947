//! The numbers of TxnOffsetCommit's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for TxnOffsetCommitResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        each(
            "TxnOffsetCommitResponse.throttle_time_ms",
            Number::from(&mut self.throttle_time_ms),
        );
        for it in self.topics.iter_mut() {
            it.each_number(version, each);
        }
    }
}

impl Numbers for TxnOffsetCommitResponseTopic {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        for it in self.partitions.iter_mut() {
            it.each_number(version, each);
        }
    }
}

impl Numbers for TxnOffsetCommitResponsePartition {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each(
            "TxnOffsetCommitResponsePartition.partition_index",
            Number::from(&mut self.partition_index),
        );
        each(
            "TxnOffsetCommitResponsePartition.error_code",
            Number::from(&mut self.error_code),
        );
    }
}
