//! What callers compress with: contexts that are large and used again.
//!
//! They are the producer's. Kept by each thread that sends, hundreds of threads that block would keep
//! hundreds of them, for as long as they live. The pool and the I/O thread have their own.

use downpour_wire::codec::Compressor;

use crate::sys::lock::lock;
use crate::sys::sync::Mutex;

/// Compressors that nobody uses at the moment.
#[derive(Debug)]
pub(crate) struct Compressors {
    idle: Mutex<Vec<Compressor>>,
    /// More never compress at the same time, but for moments.
    max: usize,
}

impl Default for Compressors {
    fn default() -> Self {
        let processors = std::thread::available_parallelism();
        Self {
            idle: Mutex::default(),
            max: processors.map_or(1, usize::from),
        }
    }
}

impl Compressors {
    /// Does something with one, the one that was used last if there is one. No lock is held.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Compressor) -> R) -> R {
        let idle = lock(&self.idle).pop();
        let mut compressor = idle.unwrap_or_default();
        let done = work(&mut compressor);
        let mut idle = lock(&self.idle);
        if idle.len() < self.max {
            idle.push(compressor);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_kept_than_there_are_processors_and_one_alone_is_used_again() {
        let compressors = Compressors::default();
        let idle = || lock(&compressors.idle).len();
        for _ in 0..10 {
            compressors.with(|_| assert_eq!(idle(), 0));
        }
        assert_eq!(idle(), 1);
        fn nest(compressors: &Compressors, depth: usize) {
            if depth > 0 {
                compressors.with(|_| nest(compressors, depth - 1));
            }
        }
        nest(&compressors, 2 * compressors.max);
        assert_eq!(idle(), compressors.max);
    }
}
