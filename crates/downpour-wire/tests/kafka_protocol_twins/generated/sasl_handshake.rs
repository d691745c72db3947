//! Twins of SaslHandshake. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for SaslHandshakeRequest {
    type Twin = theirs::SaslHandshakeRequest;

    fn twin(&self, _: bool) -> Self::Twin {
        make!(theirs::SaslHandshakeRequest {
            mechanism: text(&self.mechanism),
        })
    }
}

impl Twin for SaslHandshakeResponse {
    type Twin = theirs::SaslHandshakeResponse;

    fn twin(&self, _: bool) -> Self::Twin {
        make!(theirs::SaslHandshakeResponse {
            error_code: self.error_code.0,
            mechanisms: all(&self.mechanisms, |it| text(it)),
        })
    }
}
