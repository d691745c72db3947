//! Bytes are conserved and whoever waits for them is woken: callers in two lines that wait, give
//! up and give back, while brokers fall silent.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use downpour_core::ids::MemoryLine;

use super::explore::{OFTEN, explore};
use crate::shared::memory::Memory;
use crate::shared::unusual::{Reason, Unusual};
use crate::sys::park::block_on;
use crate::sys::sync::thread;
use crate::sys::wake;

const LINES: [MemoryLine; 2] = [MemoryLine(Some(1)), MemoryLine(Some(2))];
const CAPACITY: usize = 2048;

struct World {
    memory: Memory,
    /// Not shuttle's: it is the model's own, and no place where threads meet.
    lent: AtomicUsize,
}

impl World {
    /// Waits for a chunk, and gives it back.
    fn borrow(&self, line: MemoryLine, bytes: usize) {
        let mut key = None;
        let chunk = match self.memory.try_chunk(line, bytes) {
            Some(chunk) => chunk,
            None => block_on(poll_fn(|context| {
                let chunk = self
                    .memory
                    .poll_chunk(line, bytes, &mut key, context.waker());
                chunk.map_or(Poll::Pending, Poll::Ready)
            }))
            .unwrap(),
        };
        let size = chunk.memory.capacity();
        let lent = self.lent.fetch_add(size, Ordering::SeqCst) + size;
        assert!(lent <= CAPACITY, "{lent} bytes are lent");
        thread::yield_now();
        self.lent.fetch_sub(size, Ordering::SeqCst);
        let mut woken = Vec::new();
        self.memory.give_back(chunk, &mut woken);
        wake::wake_all(&mut woken);
    }

    /// Joins a line and leaves it, perhaps with a grant.
    fn give_up(&self, line: MemoryLine, bytes: usize) {
        let mut key = None;
        let mut woken = Vec::new();
        let chunk = self.memory.poll_chunk(line, bytes, &mut key, Waker::noop());
        thread::yield_now();
        if let Some(chunk) = chunk {
            self.memory.give_back(chunk, &mut woken);
        } else if let Some(key) = key {
            self.memory.cancel(key, &mut woken);
        }
        wake::wake_all(&mut woken);
    }

    /// A broker owes an answer for too long, and gives it.
    fn fall_silent(&self, broker: i32) {
        for is_silent in [true, false] {
            let mut woken = Vec::new();
            self.memory.set_silent(broker, is_silent, &mut woken);
            wake::wake_all(&mut woken);
        }
    }
}

#[test]
fn bytes_are_conserved_and_whoever_waits_is_woken() {
    explore(OFTEN, || {
        let unusual = Arc::new(Unusual::new());
        let world = Arc::new(World {
            memory: Memory::new(CAPACITY, unusual.clone()),
            lent: AtomicUsize::new(0),
        });
        LINES
            .iter()
            .for_each(|line| world.memory.add_partition(*line));
        let callers: [fn(&World); 6] = [
            |world| world.borrow(LINES[0], 2048),
            |world| world.borrow(LINES[0], 512),
            |world| world.borrow(LINES[1], 1024),
            |world| world.borrow(LINES[1], 1024),
            |world| world.give_up(LINES[0], 1024),
            |world| world.fall_silent(1),
        ];
        let callers = callers.map(|call| {
            let world = world.clone();
            thread::spawn(move || call(&world))
        });
        callers
            .into_iter()
            .for_each(|caller| caller.join().unwrap());
        let memory = &world.memory;
        assert_eq!((memory.used(), memory.holders()), (0, Vec::new()));
        assert!(!memory.is_contended() && !unusual.is(Reason::Contended));
        assert!(!LINES.iter().any(|line| memory.is_contended_in(*line)));
        let all = memory.try_chunk(LINES[1], CAPACITY);
        assert!(all.is_some(), "all of it can be lent again");
    });
}
