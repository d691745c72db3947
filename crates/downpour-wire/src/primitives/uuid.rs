//! A topic id. Making new ones is the fake's part.

use std::fmt;

/// A 128-bit id, as Kafka gives to topics.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// The id that means "none".
    pub const ZERO: Self = Self([0; 16]);

    /// Whether this is [`Uuid::ZERO`].
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        u128::from_be_bytes(self.0) == 0
    }
}

/// Kafka's form: 22 characters of URL-safe base64 without padding.
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits = u128::from_be_bytes(self.0);
        let mut text = [0_u8; 22];
        for (i, slot) in text.iter_mut().enumerate() {
            // 128 bits are 21 groups of six and a last one of two, filled up with zeros below.
            let group = if i < 21 {
                bits >> (122 - 6 * i)
            } else {
                bits << 4
            };
            *slot = ALPHABET[(group & 63) as usize];
        }
        for byte in text {
            fmt::Write::write_char(f, char::from(byte))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
