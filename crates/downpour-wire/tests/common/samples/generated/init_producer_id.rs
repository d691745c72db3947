//! Samples of InitProducerId. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for InitProducerIdRequest {
    const KEY: ApiKey = ApiKey::InitProducerId;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            transactional_id: e.option(Entropy::string),
            transaction_timeout_ms: e.i32(),
            producer_id: if version >= 3 { e.i64() } else { -1 },
            producer_epoch: if version >= 3 { e.i16() } else { -1 },
        }
    }
}

impl Sample for InitProducerIdResponse {
    const KEY: ApiKey = ApiKey::InitProducerId;

    fn sample(e: &mut Entropy<'_>, _: i16) -> Self {
        Self {
            throttle_time_ms: e.i32(),
            error_code: e.error(),
            producer_id: e.i64(),
            producer_epoch: e.i16(),
        }
    }
}
