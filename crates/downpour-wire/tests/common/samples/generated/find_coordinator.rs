//! Samples of FindCoordinator. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            key: if version <= 3 {
                e.string()
            } else {
                String::new()
            },
            key_type: if version >= 1 { e.i8() } else { 0 },
            coordinator_keys: if version >= 4 {
                e.vec(Entropy::string)
            } else {
                Vec::new()
            },
        }
    }
}

impl Sample for FindCoordinatorResponse {
    const KEY: ApiKey = ApiKey::FindCoordinator;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            throttle_time_ms: if version >= 1 { e.i32() } else { 0 },
            error_code: if version <= 3 {
                e.error()
            } else {
                ErrorCode::NONE
            },
            error_message: if (1..=3).contains(&version) {
                e.option(Entropy::string)
            } else {
                Some(String::new())
            },
            node_id: if version <= 3 { e.i32() } else { 0 },
            host: if version <= 3 {
                e.string()
            } else {
                String::new()
            },
            port: if version <= 3 { e.i32() } else { 0 },
            coordinators: if version >= 4 {
                e.vec(|e| coordinator(e, version))
            } else {
                Vec::new()
            },
        }
    }
}

fn coordinator(e: &mut Entropy<'_>, _: i16) -> Coordinator {
    Coordinator {
        key: e.string(),
        node_id: e.i32(),
        host: e.string(),
        port: e.i32(),
        error_code: e.error(),
        error_message: e.option(Entropy::string),
    }
}
