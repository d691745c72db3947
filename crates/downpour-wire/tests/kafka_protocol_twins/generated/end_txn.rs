//! Twins of EndTxn. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for EndTxnRequest {
    type Twin = theirs::EndTxnRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::EndTxnRequest {
                transactional_id: theirs::TransactionalId(text(&self.transactional_id)),
                producer_id: theirs::ProducerId(self.producer_id),
                producer_epoch: self.producer_epoch,
                committed: self.committed,
            }
        )
    }
}

impl Twin for EndTxnResponse {
    type Twin = theirs::EndTxnResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::EndTxnResponse {
                throttle_time_ms: self.throttle_time_ms,
                error_code: self.error_code.0,
                producer_id: theirs::ProducerId(self.producer_id),
                producer_epoch: self.producer_epoch,
            }
        )
    }
}
