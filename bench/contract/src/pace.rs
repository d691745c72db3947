//! Handles that were not awaited yet: a window that is awaited in the order of the sends.

use std::collections::VecDeque;

/// At most so many handles at once.
#[derive(Debug)]
pub struct Pace<T> {
    window: usize,
    handles: VecDeque<T>,
}

impl<T> Pace<T> {
    /// An empty window.
    #[must_use]
    pub fn new(window: usize) -> Self {
        let window = window.max(1);
        Self {
            window,
            handles: VecDeque::with_capacity(window),
        }
    }

    /// Adds a handle, and gives the oldest back to be awaited if there was no room.
    #[inline]
    pub fn push(&mut self, handle: T) -> Option<T> {
        let oldest = if self.handles.len() >= self.window {
            self.handles.pop_front()
        } else {
            None
        };
        self.handles.push_back(handle);
        oldest
    }

    /// The oldest, at the end.
    pub fn pop(&mut self) -> Option<T> {
        self.handles.pop_front()
    }
}
