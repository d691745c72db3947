//! The producer's memory as bytes of credit, lent first-in-first-out.
//!
//! A plain state machine: locks, wakers' calls and allocation belong to the shell. Credit is
//! taken a chunk at a time, never a record at a time. *Invariant:* `used` is the sum of what
//! was reserved or granted and not yet released; it never exceeds the capacity, but for one
//! loan larger than the whole capacity while nothing else is lent.

use std::collections::VecDeque;

/// Names one waiting caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitKey(u64);

#[derive(Debug)]
struct Waiter<W> {
    key: u64,
    bytes: usize,
    waker: W,
}

/// Byte credit with its waiters. `W` is whatever wakes one.
#[derive(Debug)]
pub struct Budget<W> {
    capacity: usize,
    used: usize,
    next_key: u64,
    waiting: VecDeque<Waiter<W>>,
    /// Granted and not yet collected; as many as were waiting at most.
    granted: Vec<(u64, usize)>,
    granted_bytes: usize,
}

impl<W> Budget<W> {
    /// A budget of so many bytes, all of it free.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            used: 0,
            next_key: 0,
            waiting: VecDeque::new(),
            granted: Vec::new(),
            granted_bytes: 0,
        }
    }

    /// All bytes, lent or not.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that are lent.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Bytes that were granted and not yet collected; they are among those that are lent.
    pub fn granted(&self) -> usize {
        self.granted_bytes
    }

    /// Whether anybody waits or has a grant that it did not collect yet.
    ///
    /// Both count: a caller that took credit between a grant and its collection would
    /// overtake the one that waited.
    pub fn has_waiters(&self) -> bool {
        !self.waiting.is_empty() || !self.granted.is_empty()
    }

    /// Lends `bytes` at once, unless there is not enough or somebody waits already.
    pub fn try_reserve(&mut self, bytes: usize) -> bool {
        if self.has_waiters() || !self.fits(bytes) {
            return false;
        }
        self.used += bytes;
        true
    }

    /// Joins the end of the queue. The waker comes back, to be dropped without the lock, if the
    /// bytes were granted at once: nobody will be woken then.
    pub fn wait(&mut self, bytes: usize, waker: W) -> (WaitKey, Option<W>) {
        let key = self.next_key;
        self.next_key += 1;
        self.waiting.push_back(Waiter { key, bytes, waker });
        // Nobody may be ahead, and the bytes may have come back since the caller looked. Whoever
        // was ahead and is small enough has its grant already.
        let mut granted = Vec::new();
        self.grant(&mut granted);
        debug_assert!(granted.len() <= 1, "somebody waited for what was free");
        (WaitKey(key), granted.pop())
    }

    /// The waker of a caller that still waits, to be replaced by a newer one.
    pub fn waker_mut(&mut self, key: WaitKey) -> Option<&mut W> {
        let waiter = self.waiting.iter_mut().find(|w| w.key == key.0)?;
        Some(&mut waiter.waker)
    }

    /// Stops waiting; a grant that was not collected goes back. The caller's waker comes back, to
    /// be dropped without the lock.
    pub fn cancel(&mut self, key: WaitKey, woken: &mut Vec<W>) -> Option<W> {
        if let Some(bytes) = self.collect(key) {
            self.release(bytes, woken);
            return None;
        }
        let at = self.waiting.iter().position(|w| w.key == key.0)?;
        let left = self.waiting.remove(at);
        // The one that left may have been too large for what is free.
        self.grant(woken);
        left.map(|waiter| waiter.waker)
    }

    /// Takes bytes back and grants them onwards, in order.
    pub fn release(&mut self, bytes: usize, woken: &mut Vec<W>) {
        debug_assert!(bytes <= self.used, "more came back than was lent");
        self.used = self.used.saturating_sub(bytes);
        self.grant(woken);
    }

    /// Collects a grant: the bytes are the caller's now, and it does not wait any more. `None` while
    /// others are first, or there is not enough yet.
    pub fn collect(&mut self, key: WaitKey) -> Option<usize> {
        let at = self.granted.iter().position(|&(k, _)| k == key.0)?;
        let (_, bytes) = self.granted.swap_remove(at);
        self.granted_bytes -= bytes;
        Some(bytes)
    }

    fn fits(&self, bytes: usize) -> bool {
        // A record larger than the whole capacity is refused before it comes here; a chunk
        // that is rounded up past it must not wait forever.
        self.used == 0 || bytes <= self.capacity.saturating_sub(self.used)
    }

    fn grant(&mut self, woken: &mut Vec<W>) {
        while let Some(first) = self.waiting.front() {
            if !self.fits(first.bytes) {
                break;
            }
            let Some(waiter) = self.waiting.pop_front() else {
                break;
            };
            self.used += waiter.bytes;
            self.granted.push((waiter.key, waiter.bytes));
            self.granted_bytes += waiter.bytes;
            woken.push(waiter.waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_is_lent_up_to_the_capacity() {
        let mut budget = Budget::<u8>::new(100);
        assert!(budget.try_reserve(60));
        assert!(!budget.try_reserve(41));
        assert!(budget.try_reserve(40));
        budget.release(100, &mut Vec::new());
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_small_wish_does_not_overtake_a_large_one() {
        let mut budget = Budget::new(100);
        assert!(budget.try_reserve(90));
        let (large, _) = budget.wait(50, "large");
        assert!(!budget.try_reserve(1));
        let (small, _) = budget.wait(1, "small");
        let mut woken = Vec::new();
        budget.release(20, &mut woken);
        assert!(woken.is_empty());
        budget.release(40, &mut woken);
        assert_eq!(woken, ["large", "small"]);
        // Granted and not collected: nobody may slip in between.
        assert!(!budget.try_reserve(1));
        assert_eq!(budget.collect(large), Some(50));
        assert_eq!(budget.collect(small), Some(1));
        assert!(budget.try_reserve(1));
    }

    #[test]
    fn a_cancelled_grant_goes_to_the_next() {
        let mut budget = Budget::new(10);
        assert!(budget.try_reserve(10));
        let (first, _) = budget.wait(10, "first");
        let (second, _) = budget.wait(10, "second");
        let mut woken = Vec::new();
        budget.release(10, &mut woken);
        budget.cancel(first, &mut woken);
        assert_eq!(woken, ["first", "second"]);
        assert_eq!(budget.collect(second), Some(10));
        budget.release(10, &mut woken);
        assert_eq!(budget.used(), 0);
        assert!(!budget.has_waiters());
    }

    #[test]
    fn a_waiter_that_leaves_lets_the_smaller_one_behind_it_through() {
        let mut budget = Budget::new(10);
        assert!(budget.try_reserve(5));
        let (large, _) = budget.wait(10, "large");
        let (small, _) = budget.wait(5, "small");
        let mut woken = Vec::new();
        assert_eq!(budget.cancel(large, &mut woken), Some("large"));
        assert_eq!(woken, ["small"]);
        assert_eq!(budget.collect(small), Some(5));
    }

    #[test]
    fn a_wish_larger_than_everything_is_granted_when_nothing_is_lent() {
        let mut budget = Budget::new(10);
        assert!(budget.try_reserve(4));
        let (key, _) = budget.wait(20, "huge");
        let mut woken = Vec::new();
        budget.release(4, &mut woken);
        assert_eq!(budget.collect(key), Some(20));
    }
}
