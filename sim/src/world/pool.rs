//! The pool as the producer is given it: jobs that the world runs when it likes, or never.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use downpour::simulation::{Pool, Work};

use crate::rng::Rng;

/// A job and whether it may block.
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) blocks: bool,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    refused: u64,
}

/// Jobs that were handed over since the world looked last.
pub(crate) struct Jobs {
    state: Mutex<State>,
    rng: Mutex<Rng>,
    /// Of a hundred jobs so many find no thread.
    refuses: u64,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl Jobs {
    pub(crate) fn new(seed: u64, refuses: u64) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            rng: Mutex::new(Rng::new(seed)),
            refuses,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self) -> Vec<Job> {
        std::mem::take(&mut self.lock().jobs)
    }

    /// How many found no thread since it was asked last.
    pub(crate) fn take_refused(&self) -> u64 {
        std::mem::take(&mut self.lock().refused)
    }

    fn add(&self, work: Work, blocks: bool) -> Result<(), Work> {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = rng.percent(self.refuses);
        drop(rng);
        if refused {
            self.lock().refused += 1;
            return Err(work);
        }
        self.lock().jobs.push(Job { work, blocks });
        Ok(())
    }
}

impl Pool for Jobs {
    fn compute(&self, work: Work) -> Result<(), Work> {
        self.add(work, false)
    }

    fn block(&self, work: Work) -> Result<(), Work> {
        self.add(work, true)
    }
}
