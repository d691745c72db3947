//! The numbers of AddOffsetsToTxn's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for AddOffsetsToTxnResponse {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each(
            "AddOffsetsToTxnResponse.throttle_time_ms",
            Number::from(&mut self.throttle_time_ms),
        );
        each(
            "AddOffsetsToTxnResponse.error_code",
            Number::from(&mut self.error_code),
        );
    }
}
