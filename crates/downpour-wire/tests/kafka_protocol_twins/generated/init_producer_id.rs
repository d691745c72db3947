//! Twins of InitProducerId. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for InitProducerIdRequest {
    type Twin = theirs::InitProducerIdRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::InitProducerIdRequest {
                transactional_id: some_text(&self.transactional_id).map(theirs::TransactionalId),
                transaction_timeout_ms: self.transaction_timeout_ms,
                producer_id: theirs::ProducerId(self.producer_id),
                producer_epoch: self.producer_epoch,
            }
        )
    }
}

impl Twin for InitProducerIdResponse {
    type Twin = theirs::InitProducerIdResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::InitProducerIdResponse {
                throttle_time_ms: self.throttle_time_ms,
                error_code: self.error_code.0,
                producer_id: theirs::ProducerId(self.producer_id),
                producer_epoch: self.producer_epoch,
            }
        )
    }
}
