//! Records without a key stay on one partition until a batch's worth of bytes went there.
//!
//! Uniform bytes, not records (KIP-794). The state is one word, so that the shell can keep one
//! a sending thread in an atomic: threads that fill one partition wait for its lock.

/// The partition that is being filled, and with how many bytes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sticky {
    /// `u32::MAX` before the first choice.
    partition: u32,
    bytes: u32,
}

impl Default for Sticky {
    fn default() -> Self {
        Self {
            partition: u32::MAX,
            bytes: 0,
        }
    }
}

impl Sticky {
    /// The state as one word.
    pub fn to_bits(self) -> u64 {
        (u64::from(self.partition) << 32) | u64::from(self.bytes)
    }

    /// The state from one word.
    pub fn from_bits(bits: u64) -> Self {
        Self {
            partition: (bits >> 32) as u32,
            bytes: bits as u32,
        }
    }

    /// The partition that is being filled; `None` before the first choice.
    pub fn partition(self) -> Option<i32> {
        i32::try_from(self.partition).ok()
    }

    /// The partition for a record of this size; `None` if none is available.
    ///
    /// `random` is asked only when the partition changes.
    pub fn choose(
        &mut self,
        record_bytes: usize,
        batch_size: usize,
        random: impl FnOnce() -> u32,
        partitions: u32,
        available: &[i32],
    ) -> Option<i32> {
        if self.partition >= partitions || self.bytes as usize >= batch_size {
            self.partition = if available.is_empty() {
                // No partition has a leader: any may get one before the records expire.
                (partitions > 0).then(|| random() % partitions)?
            } else {
                available[random() as usize % available.len()] as u32
            };
            self.bytes = 0;
        }
        let record_bytes = u32::try_from(record_bytes).unwrap_or(u32::MAX);
        self.bytes = self.bytes.saturating_add(record_bytes);
        Some(self.partition as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_kept_until_a_batch_of_bytes_went_there() {
        let mut sticky = Sticky::default();
        let mut random = [2u32, 0, 1].into_iter();
        let mut chosen = Vec::new();
        for _ in 0..9 {
            chosen.push(
                sticky
                    .choose(40, 100, || random.next().unwrap(), 3, &[0, 1, 2])
                    .unwrap(),
            );
        }
        assert_eq!(chosen, [2, 2, 2, 0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn partitions_without_a_leader_are_left_out() {
        let mut sticky = Sticky::default();
        for random in 0..20 {
            assert_eq!(sticky.choose(100, 100, || random, 8, &[5]), Some(5));
        }
        assert_eq!(Sticky::default().choose(1, 100, || 9, 8, &[]), Some(1));
        assert_eq!(Sticky::default().choose(1, 100, || 9, 0, &[]), None);
    }

    #[test]
    fn the_state_survives_its_word() {
        let mut sticky = Sticky::default();
        sticky.choose(77, 100, || 1, 3, &[0, 1, 2]);
        assert_eq!(Sticky::from_bits(sticky.to_bits()), sticky);
        assert_eq!(
            Sticky::from_bits(Sticky::default().to_bits()),
            Sticky::default()
        );
    }
}
