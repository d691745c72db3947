//! The numbers of SaslAuthenticate's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for SaslAuthenticateResponse {
    fn each_number(&mut self, version: i16, each: EachNumber<'_>) {
        each(
            "SaslAuthenticateResponse.error_code",
            Number::from(&mut self.error_code),
        );
        if version >= 1 {
            each(
                "SaslAuthenticateResponse.session_lifetime_ms",
                Number::from(&mut self.session_lifetime_ms),
            );
        }
    }
}
