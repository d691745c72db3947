//! The partitioners that librdkafka names, for those whose keys lie where it put them.

use crate::callers::partitioner::{Choice, crc32, fnv1a, murmur2};

/// How a key becomes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Crc32,
    Fnv1a,
    Murmur2,
    /// Not at all: every record goes where the sticky one goes.
    Ignored,
}

/// What becomes of a record without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keyless {
    /// What becomes of an empty key.
    AsEmpty,
    /// Whatever partition is being filled.
    Sticky,
    /// The same, and for an empty key, too.
    StickyIfEmpty,
}

/// One of librdkafka's partitioners. Where that draws a partition at random, this one is sticky.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    hash: Hash,
    keyless: Keyless,
}

/// The partitioner of this name.
pub fn of(name: &str) -> Option<Named> {
    let (hash, keyless) = match name {
        "consistent" => (Hash::Crc32, Keyless::AsEmpty),
        "consistent_random" => (Hash::Crc32, Keyless::StickyIfEmpty),
        "murmur2" => (Hash::Murmur2, Keyless::AsEmpty),
        "murmur2_random" => (Hash::Murmur2, Keyless::Sticky),
        "fnv1a" => (Hash::Fnv1a, Keyless::AsEmpty),
        "fnv1a_random" => (Hash::Fnv1a, Keyless::Sticky),
        "random" => (Hash::Ignored, Keyless::Sticky),
        _ => return None,
    };
    Some(Named { hash, keyless })
}

impl Named {
    /// Where a record with this key goes, among so many partitions.
    pub fn choose(self, key: Option<&[u8]>, partitions: u32) -> Choice {
        let key = match (self.keyless, key) {
            (Keyless::AsEmpty, None) => b"",
            (Keyless::StickyIfEmpty, Some(b"")) | (_, None) => return Choice::Sticky,
            (_, Some(key)) => key,
        };
        Choice::Partition(match self.hash {
            Hash::Crc32 => crc32::for_key(key, partitions),
            Hash::Fnv1a => fnv1a::for_key(key, partitions),
            Hash::Murmur2 => murmur2::for_key(key, partitions),
            Hash::Ignored => return Choice::Sticky,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a partitioner puts no key, an empty one and `123456789` among a thousand.
    fn places(name: &str) -> [Choice; 3] {
        let named = of(name).unwrap();
        let keys: [Option<&[u8]>; 3] = [None, Some(b""), Some(b"123456789")];
        keys.map(|key| named.choose(key, 1000))
    }

    #[test]
    fn records_go_where_librdkafka_puts_them() {
        use Choice::{Partition, Sticky};
        // The hashes themselves are asserted beside them.
        let crc = Partition((0xcbf4_3926_u32 % 1000) as i32);
        let (fnv, no_fnv) = (
            fnv1a::for_key(b"123456789", 1000),
            fnv1a::for_key(b"", 1000),
        );
        let (mur, no_mur) = (
            murmur2::for_key(b"123456789", 1000),
            murmur2::for_key(b"", 1000),
        );
        assert_eq!(places("consistent"), [Partition(0), Partition(0), crc]);
        assert_eq!(places("consistent_random"), [Sticky, Sticky, crc]);
        assert_eq!(places("fnv1a"), [no_fnv, no_fnv, fnv].map(Partition));
        assert_eq!(
            places("fnv1a_random"),
            [Sticky, Partition(no_fnv), Partition(fnv)]
        );
        assert_eq!(places("murmur2"), [no_mur, no_mur, mur].map(Partition));
        assert_eq!(
            places("murmur2_random"),
            [Sticky, Partition(no_mur), Partition(mur)]
        );
        assert_eq!(places("random"), [Sticky; 3]);
        assert_eq!(of("murmur3"), None);
    }
}
