//! Batches on the wire: a reader thread retires the oldest with each answer.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::connection::read_answer;
use crate::requests;

/// What a handle looks at.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    is_done: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    in_flight: VecDeque<Arc<Slot>>,
    failed: u64,
    is_closed: bool,
}

/// Shared by the sender and the reader.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    state: Mutex<State>,
    changed: Condvar,
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until(&self, is_met: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let wait = |state| {
            let is_waiting = |state: &mut State| !state.is_closed && !is_met(state);
            self.changed.wait_while(state, is_waiting)
        };
        wait(self.state()).unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place on the wire, when fewer than `most` are taken.
    pub(crate) fn enter(&self, slot: Arc<Slot>, most: usize) {
        self.wait_until(|state| state.in_flight.len() < most)
            .in_flight
            .push_back(slot);
    }

    /// Waits for a batch.
    #[inline]
    pub(crate) fn wait(&self, slot: &Slot) {
        if !slot.is_done.load(Ordering::Acquire) {
            drop(self.wait_until(|_| slot.is_done.load(Ordering::Acquire)));
        }
    }

    /// Waits for all, and tells how many batches failed.
    pub(crate) fn drain(&self) -> u64 {
        let mut state = self.wait_until(|state| state.in_flight.is_empty());
        let unanswered = state.in_flight.len() as u64;
        std::mem::take(&mut state.failed) + unanswered
    }

    /// The reader's work.
    pub(crate) fn read(&self, mut socket: TcpStream, topic: &str) {
        let mut answer = Vec::new();
        while read_answer(&mut socket, &mut answer).is_ok() {
            let mut state = self.state();
            if requests::produce_error(&answer, topic) != 0 {
                state.failed += 1;
            }
            if let Some(slot) = state.in_flight.pop_front() {
                slot.is_done.store(true, Ordering::Release);
            }
            drop(state);
            self.changed.notify_one();
        }
        self.state().is_closed = true;
        self.changed.notify_one();
    }
}
