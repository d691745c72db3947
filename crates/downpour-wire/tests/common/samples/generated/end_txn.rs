//! Samples of EndTxn. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for EndTxnRequest {
    const KEY: ApiKey = ApiKey::EndTxn;

    fn sample(e: &mut Entropy<'_>, _: i16) -> Self {
        Self {
            transactional_id: e.string(),
            producer_id: e.i64(),
            producer_epoch: e.i16(),
            committed: e.bool(),
        }
    }
}

impl Sample for EndTxnResponse {
    const KEY: ApiKey = ApiKey::EndTxn;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            throttle_time_ms: e.i32(),
            error_code: e.error(),
            producer_id: if version >= 5 { e.i64() } else { -1 },
            producer_epoch: if version >= 5 { e.i16() } else { -1 },
        }
    }
}
