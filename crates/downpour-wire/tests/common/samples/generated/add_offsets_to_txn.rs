//! Samples of AddOffsetsToTxn. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for AddOffsetsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddOffsetsToTxn;

    fn sample(e: &mut Entropy<'_>, _: i16) -> Self {
        Self {
            transactional_id: e.string(),
            producer_id: e.i64(),
            producer_epoch: e.i16(),
            group_id: e.string(),
        }
    }
}

impl Sample for AddOffsetsToTxnResponse {
    const KEY: ApiKey = ApiKey::AddOffsetsToTxn;

    fn sample(e: &mut Entropy<'_>, _: i16) -> Self {
        Self {
            throttle_time_ms: e.i32(),
            error_code: e.error(),
        }
    }
}
