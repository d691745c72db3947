//! Numbers that nobody can foresee, good enough to spread load and not for secrets.

use std::cell::Cell;

use downpour_core::rng::Rng;

thread_local! {
    static RANDOM: Cell<u64> = Cell::new(random_seed());
}

/// A different number each time, from the keys that the standard library draws per process.
pub(crate) fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0u8)
}

/// The next number of this thread.
pub(crate) fn random() -> u32 {
    RANDOM.with(|state| {
        let mut rng = Rng::new(state.get());
        let number = rng.next_u64();
        state.set(number);
        (number >> 32) as u32
    })
}

/// This thread's next numbers follow from the seed.
#[cfg(feature = "simulation")]
pub(crate) fn reseed(seed: u64) {
    RANDOM.set(seed);
}
