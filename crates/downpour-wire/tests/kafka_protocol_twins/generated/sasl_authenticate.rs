//! Twins of SaslAuthenticate. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for SaslAuthenticateRequest {
    type Twin = theirs::SaslAuthenticateRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::SaslAuthenticateRequest {
                auth_bytes: self.auth_bytes.clone().into(),
            }
        )
    }
}

impl Twin for SaslAuthenticateResponse {
    type Twin = theirs::SaslAuthenticateResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::SaslAuthenticateResponse {
                error_code: self.error_code.0,
                error_message: some_text(&self.error_message),
                auth_bytes: self.auth_bytes.clone().into(),
                session_lifetime_ms: self.session_lifetime_ms,
            }
        )
    }
}
