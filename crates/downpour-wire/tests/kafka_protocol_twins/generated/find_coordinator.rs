//! Twins of FindCoordinator. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for FindCoordinatorRequest {
    type Twin = theirs::FindCoordinatorRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::FindCoordinatorRequest {
                key: text(&self.key),
                key_type: self.key_type,
                coordinator_keys: all(&self.coordinator_keys, |it| text(it)),
            }
        )
    }
}

impl Twin for FindCoordinatorResponse {
    type Twin = theirs::FindCoordinatorResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::FindCoordinatorResponse {
                throttle_time_ms: self.throttle_time_ms,
                error_code: self.error_code.0,
                error_message: some_text(&self.error_message),
                node_id: theirs::BrokerId(self.node_id),
                host: text(&self.host),
                port: self.port,
                coordinators: all(&self.coordinators, |it| coordinator(it, tags)),
            }
        )
    }
}

fn coordinator(it: &Coordinator, tags: bool) -> theirs::find_coordinator_response::Coordinator {
    make!(
        tags,
        theirs::find_coordinator_response::Coordinator {
            key: text(&it.key),
            node_id: theirs::BrokerId(it.node_id),
            host: text(&it.host),
            port: it.port,
            error_code: it.error_code.0,
            error_message: some_text(&it.error_message),
        }
    )
}
