//! The producer's memory: credit in order, and chunks that are used again.
//!
//! Credit is taken one chunk at a time. Who waits and who is next is `downpour-core`'s; this file
//! adds the lock and the memory itself. How a wait goes is told at `accept::wait`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

use downpour_core::callers::budget::{Budget, WaitKey};

use crate::sys::lock::lock;
use crate::sys::wake;

/// Chunks of 512 bytes to 1 MiB are kept, each size apart.
const SMALLEST: u32 = 9;
const LARGEST: u32 = 20;
/// Bytes of chunks that are kept while none is in use.
const IDLE_MAX: usize = 16 << 20;
const CLASSES: usize = (LARGEST - SMALLEST + 1) as usize;

/// Credit and chunks.
#[derive(Debug)]
pub(crate) struct Memory {
    inner: Mutex<Inner>,
    /// Whether somebody waits, copied from the budget whenever that may have changed. It is read
    /// for every record without the lock, and may be late: then a record finds room in an open
    /// batch a moment after somebody began to wait. If it were never set, those who come later
    /// would fill the open batches for ever and keep them from leaving.
    contended: AtomicBool,
    capacity: usize,
}

struct Inner {
    budget: Budget<Waker>,
    classes: [Vec<Vec<u8>>; CLASSES],
    pooled: usize,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("used", &self.budget.used())
            .field("pooled", &self.pooled)
            .finish()
    }
}

impl Memory {
    pub(crate) fn new(capacity: usize) -> Self {
        let inner = Inner {
            budget: Budget::new(capacity),
            classes: Default::default(),
            pooled: 0,
        };
        Self {
            inner: Mutex::new(inner),
            contended: AtomicBool::new(false),
            capacity,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that are lent.
    pub(crate) fn used(&self) -> usize {
        self.lock().budget.used()
    }

    /// Whether anybody waits.
    pub(crate) fn is_contended(&self) -> bool {
        self.contended.load(Ordering::Relaxed)
    }

    /// A chunk of at least so many bytes, its capacity reserved; `None` if its caller must wait.
    pub(crate) fn try_chunk(&self, bytes: usize) -> Option<Vec<u8>> {
        let bytes = rounded(bytes);
        let mut inner = self.lock();
        if !inner.budget.try_reserve(bytes) {
            return None;
        }
        Some(inner.chunk(bytes))
    }

    /// Waits for a chunk: joins the queue's end on the first call. The grant is a chunk.
    pub(crate) fn poll_chunk(
        &self,
        bytes: usize,
        key: &mut Option<WaitKey>,
        waker: &Waker,
    ) -> Option<Vec<u8>> {
        wake::leave(waker, key.is_none(), |own| {
            let mut inner = self.lock();
            let in_line = match *key {
                Some(in_line) => in_line,
                None => {
                    let (in_line, unused) = inner.budget.wait(rounded(bytes), own.take()?);
                    *own = unused;
                    *key = Some(in_line);
                    in_line
                }
            };
            let granted = inner.budget.collect(in_line).map(|granted| {
                *key = None;
                inner.chunk(granted)
            });
            if let Some(old) = inner.budget.waker_mut(in_line) {
                if !old.will_wake(waker) {
                    *own = Some(std::mem::replace(old, own.take()?));
                }
            }
            self.note(&inner);
            Some(granted)
        })
    }

    /// Leaves the queue; a grant goes to the next.
    pub(crate) fn cancel(&self, key: WaitKey, woken: &mut Vec<Waker>) {
        let mut inner = self.lock();
        let waker = inner.budget.cancel(key, woken);
        self.note(&inner);
        // Dropped without the lock: its drop is the caller's code.
        drop(inner);
        drop(waker);
    }

    /// Takes a chunk back with its credit.
    pub(crate) fn give_back(&self, chunk: Vec<u8>, woken: &mut Vec<Waker>) {
        let mut inner = self.lock();
        inner.budget.release(chunk.capacity(), woken);
        inner.keep(chunk);
        self.note(&inner);
    }

    /// Takes chunks back, and so much credit.
    pub(crate) fn give_back_all(
        &self,
        chunks: &mut Vec<Vec<u8>>,
        bytes: usize,
        woken: &mut Vec<Waker>,
    ) {
        let mut inner = self.lock();
        inner.budget.release(bytes, woken);
        for chunk in chunks.drain(..) {
            inner.keep(chunk);
        }
        self.note(&inner);
    }

    fn note(&self, inner: &Inner) {
        self.contended
            .store(inner.budget.has_waiters(), Ordering::Relaxed);
    }
}

/// Sizes that can be used again are powers of two.
fn rounded(bytes: usize) -> usize {
    if bytes > 1 << LARGEST {
        bytes
    } else {
        bytes.max(1 << SMALLEST).next_power_of_two()
    }
}

fn class(capacity: usize) -> Option<usize> {
    let bits = capacity.trailing_zeros();
    (capacity.is_power_of_two() && (SMALLEST..=LARGEST).contains(&bits))
        .then(|| (bits - SMALLEST) as usize)
}

impl Inner {
    fn chunk(&mut self, bytes: usize) -> Vec<u8> {
        if let Some(chunk) = class(bytes).and_then(|c| self.classes[c].pop()) {
            self.pooled -= chunk.capacity();
            return chunk;
        }
        self.shrink(self.budget.capacity().saturating_sub(self.in_use()));
        // Touched in full when a batch takes it, so the zeroes cost nothing twice.
        Vec::with_capacity(bytes)
    }

    fn keep(&mut self, chunk: Vec<u8>) {
        let Some(class) = class(chunk.capacity()) else {
            return;
        };
        self.pooled += chunk.capacity();
        self.classes[class].push(chunk);
        let in_use = self.in_use();
        self.shrink(if in_use == 0 {
            (self.budget.capacity() / 4).min(IDLE_MAX)
        } else {
            self.budget.capacity().saturating_sub(in_use)
        });
    }

    /// Bytes of chunks that are with callers and batches; a grant has none before it is collected.
    fn in_use(&self) -> usize {
        self.budget.used() - self.budget.granted()
    }

    /// Keeps no more than so many bytes. Idle chunks and those in use together are never more
    /// than the budget; below that all are kept, because giving pages back under a flood and
    /// asking for them again costs a tenth of its time.
    fn shrink(&mut self, most: usize) {
        while self.pooled > most {
            let Some(chunk) = self.classes.iter_mut().rev().find_map(Vec::pop) else {
                return;
            };
            self.pooled -= chunk.capacity();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::wake::fixtures::{at_drop, in_time};

    #[test]
    fn wakers_that_are_replaced_or_taken_back_are_dropped_without_the_lock() {
        for replaced in [false, true] {
            let memory = std::sync::Arc::new(Memory::new(1 << 20));
            let all = memory.try_chunk(1 << 20).unwrap();
            let own = memory.clone();
            let waker = at_drop(move || assert!(own.used() > 0));
            let mut key = None;
            assert!(memory.poll_chunk(512, &mut key, &waker).is_none());
            drop(waker);
            in_time(move || {
                if replaced {
                    let again = memory.poll_chunk(512, &mut key, Waker::noop());
                    assert!(again.is_none());
                }
                memory.cancel(key.unwrap(), &mut Vec::new());
                memory.give_back(all, &mut Vec::new());
            });
        }
    }

    #[test]
    fn a_chunk_that_came_back_is_used_again() {
        let memory = Memory::new(1 << 20);
        let chunk = memory.try_chunk(5000).unwrap();
        let address = chunk.as_ptr();
        assert_eq!((chunk.capacity(), memory.used()), (8192, 8192));
        memory.give_back(chunk, &mut Vec::new());
        assert_eq!(memory.used(), 0);
        let again = memory.try_chunk(8000).unwrap();
        assert_eq!(again.as_ptr(), address);
    }

    #[test]
    fn idle_chunks_are_bounded() {
        let memory = Memory::new(64 << 10);
        let chunks: Vec<_> = (0..16).map(|_| memory.try_chunk(4096).unwrap()).collect();
        for chunk in chunks {
            memory.give_back(chunk, &mut Vec::new());
        }
        assert_eq!(memory.lock().pooled, 16 << 10);
    }

    #[test]
    fn kept_chunks_and_lent_ones_together_are_no_more_than_the_budget() {
        let memory = Memory::new(1 << 20);
        let small: Vec<_> = (0..255).map(|_| memory.try_chunk(4096).unwrap()).collect();
        let last = memory.try_chunk(4096).unwrap();
        for chunk in small {
            memory.give_back(chunk, &mut Vec::new());
        }
        assert_eq!(memory.lock().pooled, 255 << 12, "all are kept under load");
        let _large: Vec<_> = std::iter::from_fn(|| memory.try_chunk(64 << 10)).collect();
        drop(last);
        assert!(memory.used() + memory.lock().pooled <= 1 << 20);
    }

    #[test]
    fn contention_lasts_while_somebody_waits() {
        let memory = Memory::new(512);
        let chunk = memory.try_chunk(1).unwrap();
        let mut key = None;
        assert!(memory.poll_chunk(1, &mut key, Waker::noop()).is_none());
        assert!(memory.is_contended());
        memory.give_back(chunk, &mut Vec::new());
        assert!(memory.try_chunk(1).is_none(), "the one that waits is first");
        assert!(memory.poll_chunk(1, &mut key, Waker::noop()).is_some());
        assert!(!memory.is_contended());
    }
}
