//! CRC-32C (Castagnoli), as Kafka's record batches of magic 2 use it: whole, appended and combined.
//! The CRC-32 of gzip and the xxHash of LZ4 frames live with their codecs.
//!
//! Combining is what lets a sealed body keep its checksum while its header is stamped anew for
//! every attempt. A checksum is a polynomial over GF(2), so appending `n` bytes to it multiplies
//! it by x^(8n). [`Shift`] is that factor, worked out once per body: then a header costs a single
//! multiplication.

/// The polynomial 0x1EDC6F41, with the highest power in the lowest bit.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// The CRC-32C of `bytes`.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    ::crc32c::crc32c(bytes)
}

/// The CRC-32C of some bytes followed by `bytes`, from the CRC-32C of the former.
#[must_use]
pub fn append(crc: u32, bytes: &[u8]) -> u32 {
    ::crc32c::crc32c_append(crc, bytes)
}

/// The CRC-32C of two runs of bytes in a row, from that of each and the length of the second.
#[must_use]
pub fn combine(first: u32, second: u32, second_len: usize) -> u32 {
    Shift::of(second_len).combine(first, second)
}

/// What a number of appended bytes does to a checksum, ready to be applied many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift(u32);

impl Shift {
    /// The shift of `len` bytes: at most one multiplication per non-zero byte of `len`.
    #[must_use]
    pub fn of(len: usize) -> Self {
        let mut rest = len as u64;
        let mut factor = ONE;
        for row in &POWERS {
            if rest == 0 {
                break;
            }
            let digit = (rest & 0xFF) as usize;
            if digit != 0 {
                factor = multiply(factor, row[digit]);
            }
            rest >>= 8;
        }
        Self(factor)
    }

    /// The CRC-32C of two runs of bytes in a row, where this is the shift of the second's length.
    #[must_use]
    pub const fn combine(self, first: u32, second: u32) -> u32 {
        multiply(self.0, first) ^ second
    }
}

/// x^0.
const ONE: u32 = 1 << 31;

/// `POWERS[k][d]` is x^(8 * d * 256^k): the shift for each digit of a length in base 256.
static POWERS: [[u32; 256]; 8] = powers();

const fn powers() -> [[u32; 256]; 8] {
    let mut table = [[ONE; 256]; 8];
    // x^8: one byte.
    let mut unit = ONE >> 8;
    let mut row = 0;
    while row < 8 {
        let mut digit = 1;
        while digit < 256 {
            table[row][digit] = multiply(table[row][digit - 1], unit);
            digit += 1;
        }
        unit = multiply(table[row][255], unit);
        row += 1;
    }
    table
}

/// The product of two polynomials, modulo the polynomial of the checksum. No branch depends on
/// the operands, so it costs the same each time.
const fn multiply(a: u32, b: u32) -> u32 {
    let mut product = 0;
    let mut shifted = b;
    let mut bit = 0;
    while bit < 32 {
        product ^= shifted & (0u32.wrapping_sub((a >> (31 - bit)) & 1));
        shifted = (shifted >> 1) ^ (POLYNOMIAL & 0u32.wrapping_sub(shifted & 1));
        bit += 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_is_castagnolis() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    }

    #[test]
    fn combined_equals_whole_at_every_cut() {
        let bytes: Vec<u8> = (0..1000u32).map(|i| (i * 31 % 251) as u8).collect();
        let whole = crc32c(&bytes);
        for cut in 0..=bytes.len() {
            let (a, b) = bytes.split_at(cut);
            assert_eq!(combine(crc32c(a), crc32c(b), b.len()), whole, "cut {cut}");
            assert_eq!(append(crc32c(a), b), whole, "cut {cut}");
        }
    }

    #[test]
    fn combine_agrees_with_the_matrix_method_for_long_tails() {
        for len in [1usize, 255, 256, 65_535, 65_536, 1 << 24, (1 << 31) - 1] {
            assert_eq!(
                combine(0x1234_5678, 0x9ABC_DEF0, len),
                ::crc32c::crc32c_combine(0x1234_5678, 0x9ABC_DEF0, len),
                "length {len}"
            );
        }
    }
}
