//! CRC-32 as librdkafka's `consistent` partitioners apply it to keys.
//!
//! It is zlib's: reflected, of the polynomial that IEEE 802.3 has.

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// The checksum of a key.
pub fn crc32(key: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
    !key.iter().fold(!0, step)
}

/// The partition of a key among `partitions`, which must not be zero.
pub fn for_key(key: &[u8], partitions: u32) -> i32 {
    (crc32(key) % partitions) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_zlibs() {
        // The check value of the catalogue of CRCs, and zlib's own word on nothing.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(for_key(b"", 7), 0);
    }
}
