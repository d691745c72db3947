//! The numbers of SaslHandshake's answer. Written by `cargo xtask messages`: what is changed here by hand is lost.

use super::{EachNumber, Number, Numbers};
use crate::messages::*;

impl Numbers for SaslHandshakeResponse {
    fn each_number(&mut self, _: i16, each: EachNumber<'_>) {
        each(
            "SaslHandshakeResponse.error_code",
            Number::from(&mut self.error_code),
        );
    }
}
