//! Parts of the public interface that not every run uses: how often a seed uses each, and which
//! records it hits. Drawing them is `additions`'s.

use crate::rng::Rng;

/// Of a hundred each time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extras {
    /// Records that name no partition.
    pub(crate) free: u64,
    /// Records with headers, and a label.
    pub(crate) dressed: u64,
    /// Waits for a verdict that are given up and begun anew.
    pub(crate) fickle: u64,
    /// Reads and writes that are interrupted, and events that tell of nothing.
    pub(crate) interrupted: u64,
    /// Records that cannot be: too large, or for a partition that is not there.
    pub(crate) impossible: u64,
    /// The caller's own partitioner chooses for records that name no partition.
    pub(crate) own_partitioner: bool,
}

impl Extras {
    /// The headers that a record of this number carries.
    pub(crate) fn headers_of(&self, id: u32) -> Vec<(String, Option<Vec<u8>>)> {
        if !is_one_of(self.dressed, id, 0x9e37_79b1) {
            return Vec::new();
        }
        let mut headers = vec![("number".to_owned(), Some(id.to_be_bytes().to_vec()))];
        if id % 3 == 0 {
            // A name may occur twice, and null is not empty.
            headers.push(("number".to_owned(), None));
            headers.push((String::new(), Some(Vec::new())));
        }
        headers
    }
}

/// Whether it is one of the so many of a hundred; each salt has others.
pub(crate) fn is_one_of(chance: u64, id: u32, salt: u32) -> bool {
    chance > 0 && Rng::new(u64::from(id) << 32 | u64::from(salt)).percent(chance)
}
