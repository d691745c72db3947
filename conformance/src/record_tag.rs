//! The tag of a test record: its partition and number, which key, header and value repeat, and from
//! which every byte of the value follows. Records are sent by `load`.

use std::fmt::Write as _;

use kafka_harness::Record;

use crate::random::Random;

/// The shortest value in bytes.
pub const VALUE_MIN: usize = 100;

/// The longest value in bytes.
pub const VALUE_MAX: usize = 2000;

/// The header that repeats the key.
pub const HEADER: &str = "id";

/// Which record of a load it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordTag {
    /// The partition that it was sent to.
    pub partition: i32,
    /// How many records were sent to that partition before it.
    pub number: u64,
}

impl RecordTag {
    /// Writes the record's key into `key`, replacing what is there.
    pub fn key(self, key: &mut String) {
        key.clear();
        // Writing to a String cannot fail.
        let _ = write!(key, "{}-{}", self.partition, self.number);
    }

    /// Writes the record's value into `value`, replacing what is there.
    pub fn value(self, value: &mut Vec<u8>) {
        let mut random = Random::new(((self.partition as u64) << 48) ^ self.number);
        let len = VALUE_MIN + random.below((VALUE_MAX - VALUE_MIN + 1) as u64) as usize;
        value.clear();
        value.extend(self.partition.to_be_bytes());
        value.extend(self.number.to_be_bytes());
        while value.len() < len {
            // Half of the bytes repeat, so that codecs have something to do.
            let noise = random.next_u64() as u32;
            value.extend(noise.to_le_bytes());
            value.extend(b"drop");
        }
        value.truncate(len);
    }

    /// The tag of a record that was read; `None` if it is no record of a load, or was damaged.
    /// `scratch` is used for the expected value, so that each call needs no memory of its own.
    pub fn of(record: &Record, scratch: &mut Vec<u8>) -> Option<Self> {
        let key = std::str::from_utf8(record.key.as_deref()?).ok()?;
        let (partition, number) = key.split_once('-')?;
        let tag = Self {
            partition: partition.parse().ok()?,
            number: number.parse().ok()?,
        };
        tag.value(scratch);
        let [(name, Some(repeated))] = record.headers.as_slice() else {
            return None;
        };
        let is_whole = record.value.as_deref() == Some(scratch.as_slice())
            && name == HEADER
            && repeated == key.as_bytes()
            && record.partition == tag.partition;
        is_whole.then_some(tag)
    }
}

/// A record as a consumer hands it over, for tests of those who judge records.
#[cfg(test)]
pub(crate) fn as_read(tag: RecordTag, offset: i64) -> Record {
    let (mut key, mut value) = (String::new(), Vec::new());
    tag.key(&mut key);
    tag.value(&mut value);
    Record {
        partition: tag.partition,
        offset,
        timestamp_ms: 0,
        is_append_time: false,
        key: Some(key.clone().into_bytes()),
        value: Some(value),
        headers: vec![(HEADER.to_owned(), Some(key.into_bytes()))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_read_unless_a_byte_changed() {
        let tag = RecordTag {
            partition: 3,
            number: 77,
        };
        let whole = as_read(tag, 5);
        let scratch = &mut Vec::new();
        assert_eq!(RecordTag::of(&whole, scratch), Some(tag));
        let mut damaged = whole.clone();
        if let Some(last) = damaged.value.as_mut().and_then(|value| value.last_mut()) {
            *last ^= 1;
        }
        assert_eq!(RecordTag::of(&damaged, scratch), None);
        let mut elsewhere = whole.clone();
        elsewhere.partition = 4;
        assert_eq!(RecordTag::of(&elsewhere, scratch), None);
        let mut bare = whole;
        bare.headers.clear();
        assert_eq!(RecordTag::of(&bare, scratch), None);
    }

    #[test]
    fn values_have_every_length_between_the_limits() {
        let mut value = Vec::new();
        let mut lens = std::collections::BTreeSet::new();
        for number in 0..50_000 {
            RecordTag {
                partition: 1,
                number,
            }
            .value(&mut value);
            lens.insert(value.len());
        }
        assert_eq!(
            (lens.first(), lens.last()),
            (Some(&VALUE_MIN), Some(&VALUE_MAX))
        );
    }
}
