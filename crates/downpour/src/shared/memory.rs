//! The producer's memory: credit in order, and chunks that are used again.
//!
//! Credit is taken one chunk at a time. Who waits, in which line and who is next is
//! `downpour-core`'s; this file adds the lock and the memory itself. How a wait goes is told at
//! `accept::wait`.

use std::sync::Arc;
use std::task::Waker;

use downpour_core::callers::budget::{Budget, WaitKey};
use downpour_core::ids::MemoryLine;
use downpour_core::queue::{Chunk, ChunkNeed, Turn};

use crate::shared::unusual::{Reason, Unusual};
use crate::sys::lock::lock;
use crate::sys::sync::atomic::{AtomicU64, Ordering};
use crate::sys::sync::{Mutex, MutexGuard};
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
    /// Told whether somebody waits.
    unusual: Arc<Unusual>,
    /// Lines in which somebody waits, a bit each; some share one. Copied from the budget under its
    /// lock, whenever that may have changed.
    contended: AtomicU64,
    capacity: usize,
}

/// The bit of a line.
fn bit(line: MemoryLine) -> u64 {
    let number = line.0.unwrap_or(-1).rem_euclid(64);
    1 << number
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
    pub(crate) fn new(capacity: usize, unusual: Arc<Unusual>) -> Self {
        let inner = Inner {
            budget: Budget::new(capacity),
            classes: Default::default(),
            pooled: 0,
        };
        Self {
            inner: Mutex::new(inner),
            unusual,
            contended: AtomicU64::new(0),
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
        self.unusual.is(Reason::Contended)
    }

    /// Whether anybody waits in this line.
    pub(crate) fn is_contended_in(&self, line: MemoryLine) -> bool {
        let may_be = self.contended.load(Ordering::Relaxed) & bit(line) != 0;
        may_be && self.lock().budget.is_contended(line)
    }

    /// The lines whose open batches are to leave at once.
    pub(crate) fn list_pressed(&self, pressed: &mut Vec<MemoryLine>) {
        if self.is_contended() {
            self.lock().budget.list_pressed(pressed);
        } else {
            pressed.clear();
        }
    }

    /// The lines that hold something, and how much.
    pub(crate) fn holders(&self) -> Vec<(MemoryLine, usize)> {
        self.lock().budget.holders().collect()
    }

    /// A chunk of at least so much, its credit reserved; `None` if its caller must wait.
    pub(crate) fn try_chunk(&self, line: MemoryLine, need: impl Into<ChunkNeed>) -> Option<Chunk> {
        let ChunkNeed { memory, credit } = rounded_up(need.into());
        let mut inner = self.lock();
        if !inner.budget.try_reserve(line, credit) {
            return None;
        }
        let memory = inner.chunk(memory);
        Some(Chunk {
            memory,
            credit,
            line,
        })
    }

    /// Waits for a chunk: joins the line's end on the first call. The grant is a chunk.
    pub(crate) fn poll_chunk(
        &self,
        line: MemoryLine,
        need: impl Into<ChunkNeed>,
        key: &mut Option<WaitKey>,
        waker: &Waker,
    ) -> Option<Chunk> {
        let need = rounded_up(need.into());
        wake::leave(waker, key.is_none(), |own| {
            let mut inner = self.lock();
            let in_line = match *key {
                Some(in_line) => in_line,
                None => {
                    let (in_line, unused) = inner.budget.wait(line, need.credit, own.take()?);
                    *own = unused;
                    *key = Some(in_line);
                    in_line
                }
            };
            let granted = inner.budget.collect(in_line).map(|credit| {
                *key = None;
                let line = in_line.line();
                let memory = inner.chunk(need.memory);
                Chunk {
                    memory,
                    credit,
                    line,
                }
            });
            if let Some(old) = inner.budget.waker_mut(in_line) {
                if !old.as_ref().is_some_and(|old| old.will_wake(waker)) {
                    let new = own.take()?;
                    *own = old.replace(new);
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
    pub(crate) fn give_back(&self, chunk: Chunk, woken: &mut Vec<Waker>) {
        let Chunk {
            memory,
            credit,
            line,
        } = chunk;
        let mut inner = self.lock();
        inner.budget.release(line, credit, woken);
        inner.keep(memory);
        self.note(&inner);
    }

    /// Takes chunks back, and so much credit of this line.
    pub(crate) fn give_back_all(
        &self,
        chunks: &mut Vec<Vec<u8>>,
        (line, bytes): (MemoryLine, usize),
        woken: &mut Vec<Waker>,
    ) {
        let mut inner = self.lock();
        inner.budget.release(line, bytes, woken);
        for chunk in chunks.drain(..) {
            inner.keep(chunk);
        }
        self.note(&inner);
    }

    /// A partition is known from now on; this is its line.
    pub(crate) fn add_partition(&self, line: MemoryLine) {
        self.lock().budget.add_partition(line);
    }

    /// A partition turned to another line. Called under its lock: what it gives back in the new line
    /// must be there.
    pub(crate) fn turn(&self, turn: Turn, woken: &mut Vec<Waker>) {
        let Turn { from, to, bytes } = turn;
        let mut inner = self.lock();
        inner.budget.move_partition(from, to, bytes, woken);
        self.note(&inner);
    }

    /// A broker became silent, or is not any more.
    pub(crate) fn set_silent(&self, broker: i32, is_silent: bool, woken: &mut Vec<Waker>) {
        let mut inner = self.lock();
        let line = MemoryLine(Some(broker));
        inner.budget.set_silent(line, is_silent, woken);
        self.note(&inner);
    }

    fn note(&self, inner: &Inner) {
        let has_waiters = inner.budget.has_waiters();
        if has_waiters || self.is_contended() {
            let bits = inner
                .budget
                .contended()
                .fold(0, |bits, line| bits | bit(line));
            self.contended.store(bits, Ordering::Relaxed);
        }
        self.unusual.copy(Reason::Contended, has_waiters);
    }
}

/// A chunk as it is lent, and credit for all of it.
fn rounded_up(need: ChunkNeed) -> ChunkNeed {
    let memory = match need.memory {
        0 => 0,
        bytes => rounded(bytes),
    };
    ChunkNeed {
        memory,
        credit: need.credit.max(memory),
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

    const LINE: MemoryLine = MemoryLine(Some(1));

    fn memory(capacity: usize) -> Memory {
        Memory::new(capacity, Arc::new(Unusual::new()))
    }

    #[test]
    fn wakers_that_are_replaced_or_taken_back_are_dropped_without_the_lock() {
        for replaced in [false, true] {
            let memory = Arc::new(memory(1 << 20));
            let all = memory.try_chunk(LINE, 1 << 20).unwrap();
            let own = memory.clone();
            let waker = at_drop(move || assert!(own.used() > 0));
            let mut key = None;
            assert!(memory.poll_chunk(LINE, 512, &mut key, &waker).is_none());
            drop(waker);
            in_time(move || {
                if replaced {
                    let again = memory.poll_chunk(LINE, 512, &mut key, Waker::noop());
                    assert!(again.is_none());
                }
                memory.cancel(key.unwrap(), &mut Vec::new());
                memory.give_back(all, &mut Vec::new());
            });
        }
    }

    #[test]
    fn a_chunk_that_came_back_is_used_again() {
        let memory = memory(1 << 20);
        let chunk = memory.try_chunk(LINE, 5000).unwrap();
        let address = chunk.memory.as_ptr();
        assert_eq!((chunk.memory.capacity(), memory.used()), (8192, 8192));
        memory.give_back(chunk, &mut Vec::new());
        assert_eq!(memory.used(), 0);
        let again = memory.try_chunk(LINE, 8000).unwrap();
        assert_eq!(again.memory.as_ptr(), address);
    }

    #[test]
    fn idle_chunks_are_bounded() {
        let memory = memory(64 << 10);
        let chunks: Vec<_> = (0..16)
            .map(|_| memory.try_chunk(LINE, 4096).unwrap())
            .collect();
        for chunk in chunks {
            memory.give_back(chunk, &mut Vec::new());
        }
        assert_eq!(memory.lock().pooled, 16 << 10);
    }

    #[test]
    fn kept_chunks_and_lent_ones_together_are_no_more_than_the_budget() {
        let memory = memory(1 << 20);
        let small: Vec<_> = (0..255)
            .map(|_| memory.try_chunk(LINE, 4096).unwrap())
            .collect();
        let last = memory.try_chunk(LINE, 4096).unwrap();
        for chunk in small {
            memory.give_back(chunk, &mut Vec::new());
        }
        assert_eq!(memory.lock().pooled, 255 << 12, "all are kept under load");
        let _large: Vec<_> = std::iter::from_fn(|| memory.try_chunk(LINE, 64 << 10)).collect();
        drop(last);
        assert!(memory.used() + memory.lock().pooled <= 1 << 20);
    }

    #[test]
    fn contention_lasts_while_somebody_waits() {
        let memory = memory(512);
        let chunk = memory.try_chunk(LINE, 1).unwrap();
        let mut key = None;
        assert!(
            memory
                .poll_chunk(LINE, 1, &mut key, Waker::noop())
                .is_none()
        );
        assert!(memory.is_contended());
        memory.give_back(chunk, &mut Vec::new());
        assert!(
            memory.try_chunk(LINE, 1).is_none(),
            "the one that waits is first"
        );
        assert!(
            memory
                .poll_chunk(LINE, 1, &mut key, Waker::noop())
                .is_some()
        );
        assert!(!memory.is_contended());
    }

    #[test]
    fn a_line_is_contended_while_somebody_waits_in_it_and_in_no_other() {
        let memory = memory(4096);
        // The last shares its bit with the first.
        let lines = [1, 2, 65].map(|broker| MemoryLine(Some(broker)));
        lines.iter().for_each(|line| memory.add_partition(*line));
        let chunk = memory.try_chunk(LINE, 2048).unwrap();
        let mut key = None;
        let waits = memory.poll_chunk(LINE, 512, &mut key, Waker::noop());
        assert!(waits.is_none() && memory.is_contended());
        let contended = lines.map(|line| memory.is_contended_in(line));
        assert_eq!(contended, [true, false, false]);
        assert!(memory.try_chunk(lines[1], 512).is_some());
        memory.give_back(chunk, &mut Vec::new());
        assert!(memory.is_contended_in(LINE), "granted and not collected");
        let granted = memory.poll_chunk(LINE, 512, &mut key, Waker::noop());
        assert!(granted.is_some() && !memory.is_contended_in(LINE));
    }
}
