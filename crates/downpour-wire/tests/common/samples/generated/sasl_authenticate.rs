//! Samples of SaslAuthenticate. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for SaslAuthenticateRequest {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;

    fn sample(e: &mut Entropy<'_>, _: i16) -> Self {
        Self {
            auth_bytes: e.bytes(),
        }
    }
}

impl Sample for SaslAuthenticateResponse {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;

    fn sample(e: &mut Entropy<'_>, version: i16) -> Self {
        Self {
            error_code: e.error(),
            error_message: e.option(Entropy::string),
            auth_bytes: e.bytes(),
            session_lifetime_ms: if version >= 1 { e.i64() } else { 0 },
        }
    }
}
