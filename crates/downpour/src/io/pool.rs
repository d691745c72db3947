//! Threads for what takes long or blocks: compression, names, custom connectors.
//!
//! Started when needed, ended with the producer. Two at most compress, and beside them as many may
//! block as there are look-ups at once, so that a slow name server delays no batch.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use downpour_wire::codec::Compressor;

use crate::sys::callback;
use crate::sys::lock::{lock, wait_timeout};
use crate::sys::sync::{Condvar, Mutex, MutexGuard};

/// What a job has at hand.
pub type Work = Box<dyn FnOnce(&mut Compressor) + Send>;

/// Threads for what keeps a processor busy.
const BUSY_MAX: usize = 2;
/// Jobs that block at the same time. A look-up takes five seconds and more where the first name server
/// is dead.
pub(super) const BLOCKED_MAX: usize = 8;
/// Jobs that may wait for such a thread. There are more only if some never come back.
const WAITING_MAX: usize = 64;
/// Idle compression contexts are not kept forever.
const IDLE: Duration = Duration::from_secs(30);

/// Threads of producers that have ended, in jobs that block still: nothing ends a look-up of a name
/// before the resolver does. A program that makes producers and closes them while its name server is
/// silent would otherwise have ever more of them.
static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);
/// While there are so many, nobody begins anything that may block.
const LEFT_BEHIND_MAX: usize = 64;
/// How often it is looked whether they have become fewer. It is nobody's event.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Default)]
struct State {
    busy: VecDeque<Work>,
    blocking: VecDeque<Work>,
    threads: usize,
    idle: usize,
    /// Threads that run a blocking job.
    blocked: usize,
    ended: bool,
}

struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

/// Where jobs run beside the rounds.
pub trait Pool: std::fmt::Debug + Send + Sync {
    /// Runs something that keeps a processor busy. Bounded by the batches in memory.
    ///
    /// # Errors
    /// It cannot be run; it comes back, to be run by the caller.
    fn compute(&self, work: Work) -> Result<(), Work>;

    /// Runs something that may block. Bounded by the look-ups at once.
    ///
    /// # Errors
    /// It cannot be run. It comes back, and must not be run where blocking matters.
    fn block(&self, work: Work) -> Result<(), Work>;
}

/// The pool of threads.
pub(super) struct ThreadPool {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThreadPool")
            .field("threads", &self.inner.lock().threads)
            .finish()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl ThreadPool {
    pub(super) fn new() -> Self {
        let inner = Inner {
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    fn push(&self, work: Work, may_block: bool) -> Result<(), Work> {
        let mut state = self.inner.lock();
        let is_wanted = if may_block {
            state.blocked + state.blocking.len() < BLOCKED_MAX
        } else {
            state.threads - state.blocked < BUSY_MAX
        };
        let started = match is_wanted {
            true => self.ensure_thread(&mut state),
            false => Ok(()),
        };
        // A thread that blocks may do so for long.
        let is_full = may_block && state.blocking.len() >= WAITING_MAX;
        let is_served = state.threads > if may_block { 0 } else { state.blocked };
        let rest = if is_served && !is_full {
            match may_block {
                true => state.blocking.push_back(work),
                false => state.busy.push_back(work),
            }
            self.inner.changed.notify_one();
            Ok(())
        } else {
            Err(work)
        };
        drop(state);
        if let Err(error) = started {
            callback::say(|| tracing::warn!(%error, "no thread for the pool"));
        }
        rest
    }

    fn ensure_thread(&self, state: &mut State) -> io::Result<()> {
        let waiting = state.busy.len() + state.blocking.len();
        if state.idle > waiting || state.threads >= BUSY_MAX + BLOCKED_MAX {
            return Ok(());
        }
        let inner = self.inner.clone();
        let builder = std::thread::Builder::new().name("downpour-pool".into());
        builder.spawn(move || run(&inner))?;
        state.threads += 1;
        Ok(())
    }
}

impl Pool for ThreadPool {
    fn compute(&self, work: Work) -> Result<(), Work> {
        self.push(work, false)
    }

    fn block(&self, work: Work) -> Result<(), Work> {
        self.push(work, true)
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        state.ended = true;
        LEFT_BEHIND.fetch_add(state.blocked, Ordering::Relaxed);
        let waiting = std::mem::take(&mut state.blocking);
        drop(state);
        self.inner.changed.notify_all();
        // Nobody wants them any more, and what they hold may be the caller's own.
        callback::run(|| drop(waiting));
    }
}

fn run(inner: &Inner) {
    let mut compressor = Compressor::new();
    let mut state = inner.lock();
    loop {
        let is_full = LEFT_BEHIND.load(Ordering::Relaxed) >= LEFT_BEHIND_MAX;
        let may_block = state.blocked < BLOCKED_MAX && !is_full;
        let (work, blocks) = match state.busy.pop_front() {
            Some(work) => (work, false),
            None => match may_block.then(|| state.blocking.pop_front()).flatten() {
                Some(work) => (work, true),
                None => {
                    if state.ended {
                        break;
                    }
                    state.idle += 1;
                    let time = match is_full && !state.blocking.is_empty() {
                        true => LOOK_AGAIN,
                        false => IDLE,
                    };
                    let (back, timed_out) = wait_timeout(&inner.changed, state, time);
                    state = back;
                    state.idle -= 1;
                    if timed_out && state.busy.is_empty() && state.blocking.is_empty() {
                        break;
                    }
                    continue;
                }
            },
        };
        state.blocked += usize::from(blocks);
        drop(state);
        // A custom connector is foreign code.
        if callback::run(|| work(&mut compressor)).is_none() {
            callback::say(|| tracing::error!("a job of the pool panicked"));
            compressor = Compressor::new();
        }
        state = inner.lock();
        if blocks {
            state.blocked -= 1;
            if state.ended {
                LEFT_BEHIND.fetch_sub(1, Ordering::Relaxed);
            }
            inner.changed.notify_one();
        }
    }
    state.threads -= 1;
}

/// The error of a job that could not be started.
pub(super) fn no_thread() -> io::Error {
    io::Error::other("no thread could be started for it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Jobs that block until they are let go, and how many of them have begun.
    fn block(pool: &ThreadPool, jobs: usize) -> (mpsc::Sender<()>, mpsc::Receiver<()>) {
        let (release, blocked) = mpsc::channel::<()>();
        let blocked = Arc::new(Mutex::new(blocked));
        let (begin, begun) = mpsc::channel();
        for _ in 0..jobs {
            let (blocked, begin) = (blocked.clone(), begin.clone());
            let wait = move |_: &mut Compressor| {
                let _ = begin.send(());
                // Without the lock, by which they would wait for each other.
                while blocked.lock().unwrap().try_recv() == Err(mpsc::TryRecvError::Empty) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            };
            assert!(pool.block(Box::new(wait)).is_ok());
        }
        (release, begun)
    }

    #[test]
    fn blocked_name_servers_leave_a_thread_for_compression() {
        let pool = ThreadPool::new();
        let (release, begun) = block(&pool, 3 * BLOCKED_MAX);
        // They do not wait for each other, but there are only so many.
        for _ in 0..BLOCKED_MAX {
            begun.recv_timeout(Duration::from_secs(5)).unwrap();
        }
        let (done, finished) = mpsc::channel();
        let work = move |_: &mut Compressor| done.send(()).unwrap();
        assert!(pool.compute(Box::new(work)).is_ok());
        finished.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(begun.try_recv().is_err());
        drop(release);
    }

    #[test]
    fn what_waits_for_a_thread_that_blocks_is_bounded_and_ends_with_the_pool() {
        let pool = ThreadPool::new();
        let (release, begun) = block(&pool, BLOCKED_MAX);
        for _ in 0..BLOCKED_MAX {
            begun.recv_timeout(Duration::from_secs(5)).unwrap();
        }
        let held = Arc::new(());
        let waits = || {
            let held = held.clone();
            pool.block(Box::new(move |_| drop(held)))
        };
        for _ in 0..WAITING_MAX {
            assert!(waits().is_ok());
        }
        assert!(waits().is_err());
        drop(pool);
        assert_eq!(Arc::strong_count(&held), 1, "nobody wants them any more");
        drop(release);
    }

    #[test]
    fn what_ended_producers_leave_behind_is_bounded() {
        let (release, blocked) = mpsc::channel::<()>();
        let blocked = Arc::new(Mutex::new(blocked));
        let released = Arc::new(AtomicUsize::new(0));
        let (begin, begun) = mpsc::channel();
        for _ in 0..LEFT_BEHIND_MAX {
            let (blocked, begin) = (blocked.clone(), begin.clone());
            let job = move |_: &mut Compressor| {
                begin.send(0).unwrap();
                let _ = blocked.lock().unwrap().recv();
            };
            let pool = ThreadPool::new();
            assert!(pool.block(Box::new(job)).is_ok());
            begun.recv().unwrap();
        }
        let pool = ThreadPool::new();
        let is_released = released.clone();
        let job = move |_: &mut Compressor| {
            begin.send(is_released.load(Ordering::SeqCst)).unwrap();
        };
        assert!(pool.block(Box::new(job)).is_ok());
        // Both of its threads have been past it.
        let (done, finished) = mpsc::channel();
        for _ in 0..20 {
            let done = done.clone();
            let work = move |_: &mut Compressor| done.send(()).unwrap();
            assert!(pool.compute(Box::new(work)).is_ok());
            finished.recv().unwrap();
        }
        released.store(1, Ordering::SeqCst);
        drop(release);
        assert_eq!(begun.recv(), Ok(1), "it began beside all of them");
    }

    #[test]
    fn a_job_that_panics_does_not_end_the_pool() {
        let pool = ThreadPool::new();
        assert!(pool.block(Box::new(|_| panic!("on purpose"))).is_ok());
        let (done, finished) = mpsc::channel();
        assert!(
            pool.block(Box::new(move |_| done.send(()).unwrap()))
                .is_ok()
        );
        finished.recv_timeout(Duration::from_secs(5)).unwrap();
    }
}
