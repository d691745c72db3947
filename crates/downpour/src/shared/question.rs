//! A question of one caller's to the I/O thread, and the place where its answer is left.
//!
//! The commands that carry them are in `mailbox`; whoever answers is in `io::questions`.

use std::task::{Poll, Waker};

use downpour_core::client::partition_info::PartitionInfo;
use downpour_wire::error_code::ErrorCode;

use crate::sys::lock::lock;
use crate::sys::sync::Mutex;
use crate::sys::wake;

/// Who holds a topic's partitions, or why the cluster does not say.
pub(crate) type Holders = Result<Vec<PartitionInfo>, ErrorCode>;

/// A question that is answered once.
#[derive(Debug)]
pub(crate) struct Question<T> {
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    answer: Option<T>,
    waker: Option<Waker>,
}

impl<T> Default for Question<T> {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                answer: None,
                waker: None,
            }),
        }
    }
}

impl<T> Question<T> {
    /// Leaves the answer for the caller, who is to be woken.
    pub(crate) fn answer(&self, answer: T, woken: &mut Vec<Waker>) {
        let mut inner = lock(&self.inner);
        inner.answer = Some(answer);
        woken.extend(inner.waker.take());
    }

    /// The answer, once; before it a waker is left.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<T> {
        wake::leave(waker, false, |own| {
            let mut inner = lock(&self.inner);
            if let Some(answer) = inner.answer.take() {
                return Some(Poll::Ready(answer));
            }
            let known = inner.waker.as_ref();
            if !known.is_some_and(|known| known.will_wake(waker)) {
                let new = own.take()?;
                *own = inner.waker.replace(new);
            }
            Some(Poll::Pending)
        })
    }

    /// Takes the waker back: nobody waits any more.
    pub(crate) fn forget(&self) {
        let waker = lock(&self.inner).waker.take();
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::sys::wake::fixtures::{at_drop, in_time};

    #[test]
    fn an_answer_is_taken_once_and_wakes_who_waits() {
        let question = Question::default();
        assert!(question.poll(Waker::noop()).is_pending());
        let mut woken = Vec::new();
        question.answer(7, &mut woken);
        assert_eq!(woken.len(), 1);
        assert_eq!(question.poll(Waker::noop()), Poll::Ready(7));
        assert!(question.poll(Waker::noop()).is_pending());
    }

    #[test]
    fn a_waker_that_is_replaced_or_taken_back_is_dropped_without_the_lock() {
        let question = Arc::new(Question::<()>::default());
        let waker = || {
            let own = question.clone();
            at_drop(move || own.forget())
        };
        assert!(question.poll(&waker()).is_pending());
        let (last, own) = (waker(), question.clone());
        in_time(move || {
            assert!(own.poll(&last).is_pending());
            drop(last);
            own.forget();
        });
    }
}
