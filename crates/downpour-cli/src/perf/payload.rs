//! Values to send: random text, which compresses less than logs do, the same in every run.

/// Bytes from which values of one size are cut, each at another place.
#[derive(Debug)]
pub(super) struct Payload {
    bytes: Vec<u8>,
    size: usize,
}

/// How many different values there are.
const VARIETY: usize = 4096;

impl Payload {
    pub(super) fn new(size: usize) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,";
        let bytes = (0..size + VARIETY)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                letters[(state >> 58) as usize]
            })
            .collect();
        Self { bytes, size }
    }

    pub(super) fn value(&self, record: u64) -> &[u8] {
        let at = (record.wrapping_mul(31) % VARIETY as u64) as usize;
        &self.bytes[at..at + self.size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_size_and_differ() {
        let payload = Payload::new(10);
        assert!((0..10_000).all(|record| payload.value(record).len() == 10));
        assert_ne!(payload.value(0), payload.value(1));
        assert_eq!(Payload::new(0).value(7), b"");
    }
}
