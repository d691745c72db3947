//! Records that say who they are: partition and number in key, header and value, and a value whose
//! every byte follows from the two. Sending them is `load`'s.

use std::fmt::Write as _;

use kafka_harness::Record;

use crate::random::Random;

/// The shortest value in bytes.
pub const VALUE_MIN: usize = 100;

/// The longest value in bytes.
pub const VALUE_MAX: usize = 2000;

/// The header that repeats the key.
pub const HEADER: &str = "id";

/// Who a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The partition that it was sent to.
    pub partition: i32,
    /// Its place among all that were sent to that partition, from 0 on.
    pub number: u64,
}

impl Identity {
    /// Writes its key into `key`, in the place of what is there.
    pub fn key(self, key: &mut String) {
        key.clear();
        // Writing to a String cannot fail.
        let _ = write!(key, "{}-{}", self.partition, self.number);
    }

    /// Writes its value into `value`, in the place of what is there.
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

    /// Who a record that was read says it is; `None` if it is none of ours, or was damaged.
    pub fn of(record: &Record, scratch: &mut Vec<u8>) -> Option<Self> {
        let key = std::str::from_utf8(record.key.as_deref()?).ok()?;
        let (partition, number) = key.split_once('-')?;
        let identity = Self {
            partition: partition.parse().ok()?,
            number: number.parse().ok()?,
        };
        identity.value(scratch);
        let [(name, Some(repeated))] = record.headers.as_slice() else {
            return None;
        };
        let is_whole = record.value.as_deref() == Some(scratch.as_slice())
            && name == HEADER
            && repeated == key.as_bytes()
            && record.partition == identity.partition;
        is_whole.then_some(identity)
    }
}

/// A record as a consumer would hand it over; for the tests of whoever judges records.
#[cfg(test)]
pub(crate) fn as_read(identity: Identity, offset: i64) -> Record {
    let (mut key, mut value) = (String::new(), Vec::new());
    identity.key(&mut key);
    identity.value(&mut value);
    Record {
        partition: identity.partition,
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
    fn a_record_knows_who_it_is_unless_a_byte_changed() {
        let identity = Identity {
            partition: 3,
            number: 77,
        };
        let whole = as_read(identity, 5);
        let scratch = &mut Vec::new();
        assert_eq!(Identity::of(&whole, scratch), Some(identity));
        let mut damaged = whole.clone();
        if let Some(last) = damaged.value.as_mut().and_then(|value| value.last_mut()) {
            *last ^= 1;
        }
        assert_eq!(Identity::of(&damaged, scratch), None);
        let mut elsewhere = whole.clone();
        elsewhere.partition = 4;
        assert_eq!(Identity::of(&elsewhere, scratch), None);
        let mut bare = whole;
        bare.headers.clear();
        assert_eq!(Identity::of(&bare, scratch), None);
    }

    #[test]
    fn values_have_every_length_between_the_limits() {
        let mut value = Vec::new();
        let mut lens = std::collections::BTreeSet::new();
        for number in 0..50_000 {
            Identity {
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
