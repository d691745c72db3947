//! No wake is lost on a thread that parks: what it waits for comes before, while and after it looks;
//! the end of a producer reaches all who wait for it, and an answer who asked.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::explore::{OFTEN, explore};
use crate::record::unfinished::Unfinished;
use crate::shared::question::Question;
use crate::shared::termination::Termination;
use crate::sys::lock::lock;
use crate::sys::park::block_on;
use crate::sys::sync::atomic::{AtomicU32, Ordering};
use crate::sys::sync::{Mutex, thread};
use crate::sys::wake;

#[derive(Default)]
struct Flag {
    count: AtomicU32,
    waiting: Mutex<Option<Waker>>,
}

impl Flag {
    fn raise(&self) {
        self.count.fetch_add(1, Ordering::Release);
        let waker = lock(&self.waiting).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn wait_for(&self, count: u32) {
        block_on(poll_fn(|context| {
            *lock(&self.waiting) = Some(context.waker().clone());
            match self.count.load(Ordering::Acquire) >= count {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }))
        .unwrap();
    }
}

#[test]
fn an_answer_reaches_who_asked() {
    explore(OFTEN, || {
        let question = Arc::new(Question::default());
        let asked = question.clone();
        let answers = thread::spawn(move || {
            let mut woken = Vec::new();
            asked.answer(7, &mut woken);
            wake::wake_all(&mut woken);
        });
        let answer = block_on(poll_fn(|context| question.poll(context.waker())));
        assert_eq!(answer, Some(7));
        question.forget();
        answers.join().unwrap();
    });
}

#[test]
fn a_thread_that_parks_loses_no_wake() {
    explore(OFTEN, || {
        let (flag, inner) = <(Arc<Flag>, Arc<Flag>)>::default();
        let raisers = [&flag, &inner, &flag].map(|flag| {
            let flag = flag.clone();
            thread::spawn(move || flag.raise())
        });
        // What a thread parks with is made at its first wait and kept.
        block_on(std::future::ready(()));
        // Within a poll, as by a waker's owner who waits for something else: a wait of its own.
        block_on(poll_fn(|context| {
            *lock(&flag.waiting) = Some(context.waker().clone());
            let is_up = flag.count.load(Ordering::Acquire) == 2;
            inner.wait_for(1);
            match is_up {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }));
        raisers
            .into_iter()
            .for_each(|raiser| raiser.join().unwrap());
    });
}

#[test]
fn the_end_reaches_all_who_wait_for_it() {
    explore(OFTEN, || {
        let end = Arc::new(Termination::default());
        let waiters = [0; 2].map(|_| {
            let end = end.clone();
            thread::spawn(move || {
                let mut key = None;
                let _ = block_on(poll_fn(|context| end.poll(&mut key, context.waker()))).unwrap();
            })
        });
        let own = end.clone();
        let goes = thread::spawn(move || {
            let mut key = None;
            let _ = own.poll(&mut key, Waker::noop());
            key.into_iter().for_each(|key| own.forget(key));
        });
        let mut woken = Vec::new();
        end.finish(Unfinished::default(), &mut woken);
        wake::wake_all(&mut woken);
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
        goes.join().unwrap();
    });
}
