//! Samples of SaslHandshake. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;

use super::{Entropy, Sample};

impl Sample for SaslHandshakeRequest {
    const KEY: ApiKey = ApiKey::SaslHandshake;

    fn sample(e: &mut Entropy<'_>, _: i16) -> Self {
        Self {
            mechanism: e.string(),
        }
    }
}

impl Sample for SaslHandshakeResponse {
    const KEY: ApiKey = ApiKey::SaslHandshake;

    fn sample(e: &mut Entropy<'_>, _: i16) -> Self {
        Self {
            error_code: e.error(),
            mechanisms: e.vec(Entropy::string),
        }
    }
}
