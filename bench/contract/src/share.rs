//! A run split among threads that send at the same time.

use std::thread;

use crate::payloads::Payloads;
use crate::result::Tally;
use crate::run::Run;

/// What one thread sends.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    thread: u64,
    threads: u64,
    /// How many records.
    pub records: u64,
    /// How many handles may be open.
    pub window: usize,
}

impl Share {
    /// That of each thread of the run.
    #[must_use]
    pub fn of(run: &Run, records: u64) -> Vec<Self> {
        let threads = run.threads.max(1);
        let share = |thread| Self {
            thread,
            threads,
            records: records.saturating_sub(thread).div_ceil(threads),
            window: (run.window / threads as usize).max(1),
        };
        (0..threads).map(share).collect()
    }

    /// The numbers of its records, which are interleaved with those of the others.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        let Self {
            thread, threads, ..
        } = *self;
        (0..self.records).map(move |index| index * threads + thread)
    }
}

/// Sends in as many threads as the run says; one thread is the caller's.
pub fn in_threads(
    run: &Run,
    payloads: &mut Payloads,
    records: u64,
    send: impl Fn(&mut Payloads, Share) -> Tally + Sync,
) -> Tally {
    let shares = Share::of(run, records);
    if let [all] = shares.as_slice() {
        return send(payloads, *all);
    }
    let mut whole = Tally::default();
    thread::scope(|scope| {
        let send = &send;
        let spawn = |(index, share)| {
            let mut payloads = payloads.another(index);
            scope.spawn(move || send(&mut payloads, share))
        };
        let threads: Vec<_> = shares.into_iter().enumerate().map(spawn).collect();
        for thread in threads {
            match thread.join() {
                Ok(tally) => whole.add(tally),
                Err(_) => whole.fail("a sending thread panicked"),
            }
        }
    });
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::run;

    #[test]
    fn the_shares_are_the_whole() {
        let run = run("--threads 4 --window 10");
        let shares = Share::of(&run, 10);
        let records: Vec<_> = shares.iter().map(|share| share.records).collect();
        assert_eq!(records, [3, 3, 2, 2]);
        assert_eq!(shares[1].numbers().collect::<Vec<_>>(), [1, 5, 9]);
        assert!(shares.iter().all(|share| share.window == 2));
        assert_eq!(Share::of(&run, 2)[3].records, 0);
    }

    #[test]
    fn what_threads_report_is_added_up() {
        let run = run("--threads 3");
        let mut payloads = Payloads::of(b"abcd".to_vec(), 2);
        let tally = in_threads(&run, &mut payloads, 7, |payloads, share| {
            let mut tally = Tally::default();
            for number in share.numbers() {
                assert_eq!(payloads.borrowed().len(), 2);
                tally.latencies.push(number);
            }
            tally.fail(share.records);
            tally
        });
        let mut numbers = tally.latencies.clone();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!((tally.errors, tally.first_error.as_deref()), (3, Some("3")));
    }
}
