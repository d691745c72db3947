//! The numbers of AddPartitionsToTxn's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for AddPartitionsToTxnResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        each(
            "AddPartitionsToTxnResponse.throttle_time_ms",
            Number::from(&mut self.throttle_time_ms),
        );
        for it in self.results_by_topic.iter_mut() {
            it.each_number(version, each);
        }
    }
}

impl Numbers for AddPartitionsToTxnTopicResult {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        for it in self.results_by_partition.iter_mut() {
            it.each_number(version, each);
        }
    }
}

impl Numbers for AddPartitionsToTxnPartitionResult {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each(
            "AddPartitionsToTxnPartitionResult.partition_index",
            Number::from(&mut self.partition_index),
        );
        each(
            "AddPartitionsToTxnPartitionResult.partition_error_code",
            Number::from(&mut self.partition_error_code),
        );
    }
}
