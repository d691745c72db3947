//! Switches for mistakes that are made on purpose: the simulator has to find every one of them.
//!
//! Each stands where the mistake would be made, with a number. What the numbers mean is told in
//! `sim/src/mutants.rs`. Only `--cfg downpour_mutants` compiles them in; otherwise a switch is the
//! constant `false`, and nothing is left of it.

#[cfg(downpour_mutants)]
use std::sync::atomic::{AtomicU32, Ordering};

/// The mistake that this process makes; 0 is none.
#[cfg(downpour_mutants)]
static CHOSEN: AtomicU32 = AtomicU32::new(0);

/// Whether the mistake with this number is made.
#[cfg(downpour_mutants)]
pub fn is(number: u32) -> bool {
    CHOSEN.load(Ordering::Relaxed) == number
}

/// Whether the mistake with this number is made: never.
#[cfg(not(downpour_mutants))]
#[inline(always)]
pub const fn is(_number: u32) -> bool {
    false
}

/// One value if the mistake with this number is made, and the other, which is right, if not.
#[inline(always)]
pub fn pick<T>(number: u32, wrong: T, right: T) -> T {
    if is(number) { wrong } else { right }
}

/// Makes this mistake from now on, everywhere in the process; 0 makes none.
#[cfg(downpour_mutants)]
pub fn choose(number: u32) {
    CHOSEN.store(number, Ordering::Relaxed);
}
