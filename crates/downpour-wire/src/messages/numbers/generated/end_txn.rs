//! The numbers of EndTxn's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for EndTxnResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        each(
            "EndTxnResponse.throttle_time_ms",
            Number::from(&mut self.throttle_time_ms),
        );
        each(
            "EndTxnResponse.error_code",
            Number::from(&mut self.error_code),
        );
        if version >= 5 {
            each(
                "EndTxnResponse.producer_id",
                Number::from(&mut self.producer_id),
            );
        }
        if version >= 5 {
            each(
                "EndTxnResponse.producer_epoch",
                Number::from(&mut self.producer_epoch),
            );
        }
    }
}
