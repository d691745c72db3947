//! Every waiter of a batch is woken, finds its verdict, and leaves no waker behind: handles that
//! wait, change their minds and go, against the I/O thread that resolves.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use downpour_core::ids::PartitionId;
use downpour_core::outcome::{Cause, Failure, Verdict};

use super::explore::{OFTEN, explore};
use crate::delivery::batch_state::BatchState;
use crate::sys::park::block_on;
use crate::sys::sync::thread;
use crate::sys::wake;

const RECORDS: u32 = 3;

type Caller = Box<dyn FnOnce(&BatchState) + Send>;

/// A waker whose clones can be counted.
struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

fn delivered(first: u32) -> Verdict {
    Verdict::Delivered {
        base_offset: Some(40 + i64::from(first)),
        log_append_time: None,
    }
}

fn resolve(batch: &BatchState, first: u32, count: u32, verdict: Verdict) {
    let mut woken = Vec::new();
    let resolved = batch.resolve((first, count), RECORDS, verdict, &mut woken);
    assert!(resolved.is_ok(), "a second verdict");
    wake::wake_all(&mut woken);
}

fn whole(batch: &BatchState) {
    resolve(batch, 0, RECORDS, delivered(0));
}

/// In parts, the last one first.
fn parts(batch: &BatchState) {
    resolve(batch, 1, 2, delivered(1));
    resolve(batch, 0, 1, delivered(0));
}

/// A part, and the thread is gone.
fn abandoned(batch: &BatchState) {
    resolve(batch, 1, 1, delivered(1));
    let failure = Failure::new(Cause::Closed { last: None }, Arc::from("t"), 0);
    let mut woken = Vec::new();
    batch.abandon(Verdict::Unknown(Arc::new(failure)), &mut woken);
    wake::wake_all(&mut woken);
}

fn wait_for_one(batch: &BatchState, index: u32) -> Option<i64> {
    let mut waiter = None;
    let end = block_on(poll_fn(|context| {
        let end = batch.end(index, 0);
        let end = end.or_else(|| batch.poll(index, 0, &mut waiter, context.waker()));
        end.map_or(Poll::Pending, Poll::Ready)
    }));
    end.unwrap().ok().and_then(|report| report.offset())
}

fn wait_for_run(batch: &BatchState) {
    let mut waiter = None;
    let run = |context: &mut Context<'_>| batch.poll_run(0..2, &mut waiter, context.waker());
    let _ = block_on(poll_fn(run)).unwrap();
    assert!((0..2).all(|index| batch.end(index, 0).is_some()));
}

fn wait_for_all(batch: &BatchState) {
    let mut waiter = None;
    block_on(poll_fn(|context| {
        match batch.poll_complete(&mut waiter, context.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }));
    assert!((0..RECORDS).all(|index| batch.end(index, 0).is_some()));
}

/// Leaves one waker, another one in its place, and goes.
fn change_mind(batch: &BatchState, idle: [&Waker; 2]) {
    let mut waiter = None;
    for waker in idle {
        if batch.poll(2, 0, &mut waiter, waker).is_some() {
            return;
        }
    }
    if let Some(waiter) = waiter {
        batch.forget(waiter);
    }
}

fn every_waiter_is_woken(end: fn(&BatchState), is_delivered: bool) {
    explore(OFTEN / 2, move || {
        let id = PartitionId { topic: 0, index: 0 };
        let batch = BatchState::new(Arc::from("t"), id);
        let idle = [Arc::new(Idle), Arc::new(Idle)];
        let own = idle.clone().map(Waker::from);
        let callers: [Caller; 6] = [
            Box::new(move |batch| {
                let offset = is_delivered.then_some(40);
                assert_eq!(wait_for_one(batch, 0), offset);
            }),
            Box::new(move |batch| assert_eq!(wait_for_one(batch, 1), Some(41))),
            Box::new(wait_for_run),
            Box::new(wait_for_all),
            Box::new(move |batch| change_mind(batch, [&own[0], &own[1]])),
            Box::new(end),
        ];
        let callers = callers.map(|call| {
            let batch = batch.clone();
            thread::spawn(move || call(&batch))
        });
        callers
            .into_iter()
            .for_each(|caller| caller.join().unwrap());
        let left = idle.each_ref().map(Arc::strong_count);
        assert_eq!(left, [1, 1], "a waker was left behind");
    });
}

#[test]
fn every_waiter_is_woken_by_a_batch_in_one_piece() {
    every_waiter_is_woken(whole, true);
}

#[test]
fn every_waiter_is_woken_by_a_batch_in_parts() {
    every_waiter_is_woken(parts, true);
}

#[test]
fn every_waiter_is_woken_by_a_batch_that_is_abandoned() {
    every_waiter_is_woken(abandoned, false);
}
