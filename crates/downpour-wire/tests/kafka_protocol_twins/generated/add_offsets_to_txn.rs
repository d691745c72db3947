//! Twins of AddOffsetsToTxn. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for AddOffsetsToTxnRequest {
    type Twin = theirs::AddOffsetsToTxnRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::AddOffsetsToTxnRequest {
                transactional_id: theirs::TransactionalId(text(&self.transactional_id)),
                producer_id: theirs::ProducerId(self.producer_id),
                producer_epoch: self.producer_epoch,
                group_id: theirs::GroupId(text(&self.group_id)),
            }
        )
    }
}

impl Twin for AddOffsetsToTxnResponse {
    type Twin = theirs::AddOffsetsToTxnResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::AddOffsetsToTxnResponse {
                throttle_time_ms: self.throttle_time_ms,
                error_code: self.error_code.0,
            }
        )
    }
}
