//! What a record has beside its value: the number that spreads it, its key, its headers. All of
//! it is made once and lives as long as the process, so that no peer pays for making it.

/// A header; every record has the same.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: &'static [u8],
}

const HEADER_VALUE: &[u8] = b"0123456789abcdef";

const KEY_LEN: usize = 16;

/// A number that looks random, of 32 bits, so that every language computes the same.
#[inline]
#[must_use]
pub const fn hash(number: u64) -> u32 {
    // The low half is what is wanted.
    let mut x = (number as u32).wrapping_mul(2_654_435_761);
    x ^= x >> 16;
    x = x.wrapping_mul(0x85eb_ca6b);
    x ^ x >> 13
}

/// All keys, side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys(&'static [u8]);

impl Keys {
    pub(crate) fn new(count: u32) -> Self {
        let keys: String = (0..count).map(|key| format!("key-{key:012}")).collect();
        Self(keys.into_bytes().leak())
    }

    #[inline]
    pub(crate) fn of(self, number: u64) -> Option<&'static [u8]> {
        let count = self.0.len() / KEY_LEN;
        if count == 0 {
            return None;
        }
        let at = hash(number) as usize % count * KEY_LEN;
        Some(&self.0[at..at + KEY_LEN])
    }
}

pub(crate) fn headers(count: u32) -> &'static [Header] {
    let header = |index| Header {
        name: format!("header-{index}").leak(),
        value: HEADER_VALUE,
    };
    (0..count).map(header).collect::<Vec<_>>().leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_of_all_languages() {
        let hashes = [0, 1, 2, 1_999_999].map(hash);
        assert_eq!(hashes, [0, 1_678_549_374, 4_256_427_940, 864_597_734]);
    }

    #[test]
    fn keys_are_as_long_as_all_and_chosen_by_the_hash() {
        let keys = Keys::new(10_000);
        assert_eq!(keys.of(0), Some(b"key-000000000000".as_slice()));
        assert_eq!(keys.of(1), Some(b"key-000000009374".as_slice()));
        assert_eq!(Keys::new(0).of(1), None);
    }

    #[test]
    fn headers_are_numbered() {
        let headers = headers(3);
        assert_eq!(headers.len(), 3);
        assert_eq!(headers[2].name, "header-2");
        assert_eq!(headers[2].value.len(), 16);
    }
}
