//! A small seeded generator for jitter and first choices; not for secrets.

/// SplitMix64: one word of state, a different stream for each seed.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A stream of its own for this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which must not be zero.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next_u64() % n
    }

    /// The pause before attempt number `attempts + 1`: doubling from `first` up to `most`,
    /// give or take a fifth, so that many producers do not come back in step.
    pub fn backoff(
        &mut self,
        (first, most): (std::time::Duration, std::time::Duration),
        attempts: u32,
    ) -> std::time::Duration {
        let doubled = first
            .saturating_mul(1u32 << attempts.saturating_sub(1).min(20))
            .min(most);
        doubled.mul_f64(0.8 + 0.4 * (self.below(1001) as f64 / 1000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn backoff_doubles_up_to_its_limit_within_a_fifth() {
        let mut rng = Rng::new(1);
        let limits = (Duration::from_millis(100), Duration::from_secs(1));
        for (attempts, plain) in [
            (0, 100),
            (1, 100),
            (2, 200),
            (4, 800),
            (5, 1000),
            (4000, 1000),
        ] {
            for _ in 0..50 {
                let pause = rng.backoff(limits, attempts).as_millis();
                assert!(
                    (plain * 8 / 10..=plain * 12 / 10).contains(&pause),
                    "{attempts}: {pause}"
                );
            }
        }
    }
}
