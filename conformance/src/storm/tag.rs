//! The tag of a storm's record: who wrote it, and the how manyth of that writer's it is. Key, header
//! and every byte of the value follow from it. Also Kafka's hash of keys, written here once more,
//! because the judge may not ask the producer.

use kafka_harness::Record;

use crate::random::Random;

/// How a value begins.
const MAGIC: u32 = 0xd0c4_a05e;

/// The least that a value holds: magic, writer, number.
pub const VALUE_MIN: usize = 10;

/// Keys per writer.
const KEYS: u64 = 40;

/// The header that every third record has.
pub const HEADER: &str = "n";

/// Which record of a storm it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The writer's place in the plan.
    pub writer: u16,
    /// How many records it sent before.
    pub number: u32,
}

impl Tag {
    fn random(self) -> Random {
        Random::new((u64::from(self.writer) << 32) | u64::from(self.number))
    }

    /// The key of a record that has one.
    pub fn key(self) -> String {
        format!("w{}-k{}", self.writer, self.random().below(KEYS))
    }

    /// The value of every header that it has.
    pub fn header(self) -> Option<String> {
        (self.number % 3 == 0).then(|| self.number.to_string())
    }

    /// Writes the value into `value`, replacing what is there; it has at most `most` bytes.
    pub fn value(self, most: usize, value: &mut Vec<u8>) {
        let mut random = self.random();
        let room = most.saturating_sub(VALUE_MIN) as u64;
        let len = VALUE_MIN + random.below(room + 1) as usize;
        value.clear();
        value.extend(MAGIC.to_be_bytes());
        value.extend(self.writer.to_be_bytes());
        value.extend(self.number.to_be_bytes());
        while value.len() < len {
            // Half of the bytes repeat, so that codecs have something to do.
            value.extend((random.next_u64() as u32).to_le_bytes());
            value.extend(b"rain");
        }
        value.truncate(len);
    }

    /// The tag that a value begins with.
    pub fn of(record: &Record) -> Option<Self> {
        let value = record.value.as_deref()?;
        let (magic, rest) = value.split_first_chunk()?;
        let (writer, rest) = rest.split_first_chunk()?;
        let (number, _) = rest.split_first_chunk()?;
        (u32::from_be_bytes(*magic) == MAGIC).then_some(Self {
            writer: u16::from_be_bytes(*writer),
            number: u32::from_be_bytes(*number),
        })
    }

    /// Whether a record is, byte for byte, what was sent under this tag. `scratch` is used for the
    /// expected value.
    pub fn is_whole(
        self,
        record: &Record,
        is_keyed: bool,
        most: usize,
        scratch: &mut Vec<u8>,
    ) -> bool {
        self.value(most, scratch);
        let key = is_keyed.then(|| self.key().into_bytes());
        let header = self.header();
        let headers = match (record.headers.as_slice(), &header) {
            ([], None) => true,
            ([(name, Some(value))], Some(expected)) => {
                name == HEADER && value == expected.as_bytes()
            }
            _ => false,
        };
        headers && record.key == key && record.value.as_deref() == Some(scratch.as_slice())
    }
}

/// The partition of a key among so many.
pub fn partition_of_key(key: &[u8], count: u32) -> i32 {
    let hash = murmur2(key) & 0x7fff_ffff;
    hash.checked_rem(count).unwrap_or_default() as i32
}

/// Kafka's variant of MurmurHash2, as its Java client describes it.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        k = k.wrapping_mul(M);
        k ^= k >> 24;
        k = k.wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (at, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * at);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_of_kafkas_own_tests() {
        // Out of UtilsTest.java, which has them signed.
        for (text, expected) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()), expected as u32, "{text}");
        }
    }

    #[test]
    fn values_differ_and_tell_their_tag() {
        let mut value = Vec::new();
        let tag = Tag {
            writer: 3,
            number: 9,
        };
        tag.value(300, &mut value);
        let mut record = Record {
            partition: 0,
            offset: 0,
            timestamp_ms: 0,
            is_append_time: false,
            key: Some(tag.key().into_bytes()),
            value: Some(value.clone()),
            headers: vec![(HEADER.to_owned(), Some(b"9".to_vec()))],
        };
        assert_eq!(Tag::of(&record), Some(tag));
        let scratch = &mut Vec::new();
        assert!(tag.is_whole(&record, true, 300, scratch));
        assert!(!tag.is_whole(&record, false, 300, scratch));
        if let Some(last) = record.value.as_mut().and_then(|value| value.last_mut()) {
            *last ^= 1;
        }
        assert!(!tag.is_whole(&record, true, 300, scratch));
    }
}
