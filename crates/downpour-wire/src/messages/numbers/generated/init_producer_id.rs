//! The numbers of InitProducerId's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for InitProducerIdResponse {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each(
            "InitProducerIdResponse.throttle_time_ms",
            Number::from(&mut self.throttle_time_ms),
        );
        each(
            "InitProducerIdResponse.error_code",
            Number::from(&mut self.error_code),
        );
        each(
            "InitProducerIdResponse.producer_id",
            Number::from(&mut self.producer_id),
        );
        each(
            "InitProducerIdResponse.producer_epoch",
            Number::from(&mut self.producer_epoch),
        );
    }
}
