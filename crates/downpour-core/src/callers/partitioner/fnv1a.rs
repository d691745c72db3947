//! FNV-1a as Sarama and librdkafka's `fnv1a` partitioners apply it to keys.

/// The absolute value of the 32-bit hash of a key, read as a number with a sign.
pub fn fnv1a(key: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    let hash = key.iter().fold(0x811c_9dc5, step);
    (hash as i32).unsigned_abs()
}

/// The partition of a key among `partitions`, which must not be zero.
pub fn for_key(key: &[u8], partitions: u32) -> i32 {
    (fnv1a(key) % partitions) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_sarama() {
        // Values asserted by librdkafka's unit test, which had them from Go.
        let cases: [(&[u8], u32); 5] = [
            (b"kafka", 0x0d33_c4e1),
            (b"giberish123456789", 0x77a5_8295),
            (b"1234", 0x023b_dd03),
            (b"234", 0x2dea_3cd2),
            (b"", 0x7ee3_623b),
        ];
        for (key, hash) in cases {
            assert_eq!(fnv1a(key), hash, "{key:?}");
        }
    }
}
