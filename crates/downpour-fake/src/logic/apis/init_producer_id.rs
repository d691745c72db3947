//! InitProducerId: a fresh producer id for an idempotent producer. Transactions are not served.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{InitProducerIdRequest, InitProducerIdResponse};

use crate::logic::context::RequestContext;
use crate::logic::state::State;

pub(crate) fn init_producer_id(
    state: &mut State,
    call: &RequestContext<'_>,
    request: &InitProducerIdRequest,
) -> InitProducerIdResponse {
    let refused = |error_code| InitProducerIdResponse {
        error_code,
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    };
    if let Some(code) = call.scripted_error_at_all() {
        return refused(code);
    }
    // KafkaApis.handleInitProducerIdRequest: both or none.
    if (request.producer_id == -1) != (request.producer_epoch == -1) {
        return refused(ErrorCode::INVALID_REQUEST);
    }
    match request.transactional_id.as_deref() {
        // Whatever id and epoch come with it: without a transactional id, Kafka gives out a new one.
        None => InitProducerIdResponse {
            error_code: ErrorCode::NONE,
            producer_id: state.new_producer_id(),
            producer_epoch: 0,
            ..InitProducerIdResponse::default()
        },
        Some("") => refused(ErrorCode::INVALID_REQUEST),
        // Final for a client, so that a test that needs transactions fails at once.
        Some(_) => refused(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
    }
}
