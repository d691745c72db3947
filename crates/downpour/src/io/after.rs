//! What leaves the driver's lock: all that a round wants done and that is other people's code, or
//! that takes longer than a round may.
//!
//! It is filled under the lock, and carried out without any lock by whoever ran the round. Each
//! part is contained by itself: one that panics keeps none of the others from running, and ends
//! nothing. A connection's requests are written within the round, before any of this.

use std::sync::Arc;
use std::task::Waker;

use downpour_wire::codec::Compressor;

use crate::io::opening::Opening;
use crate::io::pool::{Pool, Work, no_thread};
use crate::label::Label;
use crate::observe::log::{Line, Lines};
use crate::shared::shared::Shared;
use crate::sys::{callback, wake};

/// What is to be done after a round.
#[derive(Default)]
pub(super) struct After {
    /// Those whose wait is over.
    pub(super) wakers: Vec<Waker>,
    /// What users gave with their records and nobody else has any more.
    pub(super) labels: Vec<Label>,
    lines: Lines,
    calls: Vec<Call>,
    /// Set where there are calls.
    pool: Option<Arc<dyn Pool>>,
    /// Whose I/O thread is to look around.
    unpark: Option<Arc<Shared>>,
}

/// Something for the pool.
enum Call {
    Compress(Work),
    Open(Opening),
}

impl After {
    /// A line for the log, behind those before it.
    pub(super) fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// A batch is to be compressed on the pool.
    pub(super) fn compress(&mut self, pool: &Arc<dyn Pool>, work: Work) {
        self.call(pool, Call::Compress(work));
    }

    /// A connection is to be opened, as far as that may block.
    pub(super) fn open(&mut self, pool: &Arc<dyn Pool>, opening: Opening) {
        self.call(pool, Call::Open(opening));
    }

    fn call(&mut self, pool: &Arc<dyn Pool>, call: Call) {
        self.pool.get_or_insert_with(|| pool.clone());
        self.calls.push(call);
    }

    /// The I/O thread is to look around.
    pub(super) fn unpark(&mut self, shared: &Arc<Shared>) {
        self.unpark.get_or_insert_with(|| shared.clone());
    }

    /// What a caller carries out after its round: everything but the lines, which the I/O thread
    /// writes. With two writers a connection could be said to be open before it was said to be
    /// opened, and a subscriber that blocks would hold a caller that only sends.
    pub(super) fn take_for_caller(&mut self, shared: &Arc<Shared>) -> Self {
        let mut taken = std::mem::take(self);
        self.lines = std::mem::take(&mut taken.lines);
        if !self.lines.is_empty() {
            taken.unpark(shared);
        }
        taken
    }

    /// Adds what another one has, behind what is here.
    pub(super) fn append(&mut self, mut other: Self) {
        self.wakers.append(&mut other.wakers);
        self.labels.append(&mut other.labels);
        self.calls.append(&mut other.calls);
        self.lines.append(other.lines);
        self.pool = self.pool.take().or(other.pool);
        self.unpark = self.unpark.take().or(other.unpark);
    }

    fn is_empty(&self) -> bool {
        let asked = self.pool.is_some() || self.unpark.is_some();
        !asked && self.wakers.is_empty() && self.labels.is_empty() && self.lines.is_empty()
    }

    /// Does it all. The caller holds no lock.
    ///
    /// Wakers come before the log, so that no verdict waits for a line to be written.
    pub(super) fn carry_out(mut self) {
        if self.is_empty() {
            return;
        }
        if let Some(shared) = &self.unpark {
            shared.mailbox.unpark();
        }
        if let Some(pool) = self.pool.take() {
            for call in self.calls.drain(..) {
                hand_over(&*pool, call);
            }
        }
        let in_wakers = wake::run_all(&mut self.wakers);
        let dropped = |label| u32::from(callback::run(|| drop(label)).is_none());
        let in_drops: u32 = self.labels.drain(..).map(dropped).sum();
        let in_lines = self.lines.write();
        if in_wakers + in_drops + in_lines > 0 {
            callback::say(|| {
                tracing::error!(
                    in_wakers,
                    in_drops,
                    in_lines,
                    "wakers, drops of labels or log subscribers panicked; it was contained"
                );
            });
        }
    }
}

fn hand_over(pool: &dyn Pool, call: Call) {
    match call {
        Call::Compress(work) => {
            if let Err(work) = pool.compute(work) {
                work(&mut Compressor::new());
            }
        }
        Call::Open(opening) => {
            let own = opening.clone();
            let job = opening.into_job();
            if let Err(work) = pool.block(Box::new(move |_| job())) {
                own.fail(&no_thread());
                drop(work);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::task::Wake;

    /// Notes that it ran, then panics.
    struct Panics(Arc<Mutex<Vec<(&'static str, bool)>>>, &'static str);

    impl Panics {
        fn note(&self) {
            let running = callback::is_running();
            self.0.lock().unwrap().push((self.1, running));
        }
    }

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.note();
            panic!("on purpose")
        }
    }

    struct AtDrop(Panics);

    impl Drop for AtDrop {
        fn drop(&mut self) {
            self.0.note();
            panic!("on purpose")
        }
    }

    #[test]
    fn each_part_runs_as_a_callback_whatever_those_before_it_do() {
        let seen = Arc::default();
        let panics = |name| Panics(Arc::clone(&seen), name);
        let wakers = ["first", "second"].map(|name| Waker::from(Arc::new(panics(name))));
        let labels = ["third", "fourth"].map(|name| Arc::new(AtDrop(panics(name))) as Label);
        let after = After {
            wakers: wakers.into(),
            labels: labels.into(),
            ..After::default()
        };
        after.carry_out();
        let expected = ["first", "second", "third", "fourth"].map(|name| (name, true));
        assert_eq!(*seen.lock().unwrap(), expected);
        assert!(!callback::is_running());
    }
}
