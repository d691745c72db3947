//! The I/O thread and the pool, run by hand: when they get up, and what they left to be done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use downpour::simulation::{self, Sleep};
use downpour_wire::codec::Compressor;

use crate::world::desk::Note;
use crate::world::state::{Event, World};
use crate::world::wire::Deed;

/// Rounds at one instant before that counts as spinning. Answers of one instant come far below it.
const ROUNDS_AT_ONCE_MAX: u64 = 5_000;

impl World {
    /// The I/O thread gets up, if this was its last word.
    pub(crate) fn get_up(&mut self, get_up: u64) {
        if get_up != self.get_up || self.gets_up_at.is_none() {
            return;
        }
        self.gets_up_at = None;
        self.count_round();
        let events = self.wires.take_events();
        self.trace
            .note(self.now, || format!("io gets up for {events:?}"));
        let sleep = self.io.get_up(events);
        let base = self.clocks.base();
        self.trace.note(self.now, || match sleep {
            Sleep::Until(at) => {
                let at = at.saturating_duration_since(base);
                format!("io sleeps until {:.6}s", at.as_secs_f64())
            }
            other => format!("io sleeps: {other:?}"),
        });
        match sleep {
            Sleep::Never => self.io_ended = true,
            Sleep::UntilWoken => self.check_memory(),
            Sleep::Until(at) => {
                let at = at.saturating_duration_since(base);
                if at > self.now {
                    self.check_memory();
                }
                let late = self.jitter();
                self.get_up_at(at.max(self.now) + late);
            }
            Sleep::Pause(time) => {
                self.pauses_until = self.now + time;
                self.get_up_at(self.pauses_until);
            }
        }
    }

    /// Memory is where it was lent, once the I/O thread has done all that it had to. Looked at once
    /// in a while, since it takes time.
    fn check_memory(&mut self) {
        if self.rounds % 8 != 0 {
            return;
        }
        let checked = self.producer.as_ref().map(simulation::check_memory);
        if let Some(Err(broken)) = checked {
            self.fail(broken);
        }
    }

    fn count_round(&mut self) {
        self.rounds += 1;
        if self.last_round == self.now {
            self.rounds_at_once += 1;
        } else {
            (self.last_round, self.rounds_at_once) = (self.now, 0);
        }
        if self.rounds_at_once > ROUNDS_AT_ONCE_MAX {
            self.fail("time does not go on".to_owned());
        }
    }

    /// The I/O thread gets up then, or before if it was to do so anyway.
    fn get_up_at(&mut self, at: Duration) {
        let at = at.max(self.pauses_until);
        if self.gets_up_at.is_some_and(|earlier| earlier <= at) {
            return;
        }
        self.gets_up_at = Some(at);
        self.get_up += 1;
        self.at(at, Event::GetUp(self.get_up));
    }

    /// Sees to what the producer and its callers did in the last event.
    pub(crate) fn settle(&mut self) {
        for deed in self.wires.take_deeds() {
            self.trace.note(self.now, || match &deed {
                Deed::Begun(id, request) => {
                    format!("link {id}: client begins a request of {}", request.len())
                }
                Deed::Written(id, bytes) => format!("link {id} takes {} bytes", bytes.len()),
                other => format!("client: {other:?}"),
            });
            match deed {
                Deed::Connect(id, address) => self.connect(id, address),
                Deed::Begun(id, request) => self.begun(id, &request),
                Deed::Written(id, bytes) => self.written(id, bytes),
                Deed::Full(id) => self.full(id),
                Deed::Close(id, is_whole) => {
                    self.company.closed(id, is_whole);
                    self.disconnect(id);
                }
            }
        }
        let refused = self.pool.take_refused();
        self.tally.add("pool: no thread", refused);
        self.load.attempt(refused);
        for job in self.pool.take() {
            let time = if job.blocks {
                self.plan.net.lookup
            } else {
                self.plan.net.sealing
            };
            let id = self.next_job;
            self.next_job += 1;
            let blocks = job.blocks;
            // It may serve a broker's own connection and one of the bootstrap.
            self.load.attempt(2 * u64::from(blocks));
            self.jobs.insert(id, job);
            if blocks {
                self.past.lookups.insert(id, (self.now, None));
            }
            if blocks && self.rng.percent(self.plan.net.lookup_lost) {
                self.tally.count("pool: a look-up never came back");
                continue;
            }
            let time = self.rng.time(Duration::ZERO, time);
            self.after(time, Event::Job(id));
        }
        let spawned = std::mem::take(&mut self.desk.borrow_mut().spawned);
        for task in spawned {
            let id = self.tasks.add(task);
            self.schedule(id, Duration::ZERO);
        }
        for (time, waker) in self.sleeps.take() {
            self.after(time, Event::Slept(waker));
        }
        for id in self.tasks.take_woken() {
            let late = self.jitter();
            self.schedule(id, late);
        }
        let notes = std::mem::take(&mut self.desk.borrow_mut().notes);
        for note in notes {
            self.heed(note);
        }
        if self.woken.swap(false, Ordering::Relaxed) || self.wires.has_events() {
            let late = self.jitter();
            if self.io.is_running() {
                self.get_up_at(self.now + late);
            }
        }
    }

    fn heed(&mut self, note: Note) {
        match note {
            Note::Accepted(id) => {
                self.tally.count("records: accepted");
                self.trace
                    .note(self.now, || format!("record {id} is accepted"));
                self.begin_trouble();
            }
            Note::Verdict(id) => self.judge(id),
            Note::Counted(what) => self.tally.count(what),
            Note::Said(what) => self.trace.note(self.now, || what),
            Note::Broken(what) => self.fail(what),
        }
    }

    fn schedule(&mut self, id: usize, pause: Duration) {
        if self.scheduled.insert(id) {
            self.after(pause, Event::Task(id));
        }
    }

    pub(crate) fn go_on(&mut self, id: usize) {
        self.scheduled.remove(&id);
        self.tasks.poll(id);
    }

    /// A thread of the pool does a job.
    pub(crate) fn run_job(&mut self, id: u64) {
        if let Some((_, ended)) = self.past.lookups.get_mut(&id) {
            *ended = Some(self.now);
        }
        let Some(job) = self.jobs.remove(&id) else {
            return;
        };
        let panics = job.blocks && self.rng.percent(self.plan.net.lookup_panics);
        if panics {
            // The pool contains it, and nobody hears of the job again.
            self.tally.count("pool: a look-up panicked");
            return;
        }
        self.tally.count(if job.blocks {
            "pool: look-ups"
        } else {
            "pool: batches compressed"
        });
        let work = AssertUnwindSafe(|| (job.work)(&mut Compressor::new()));
        if catch_unwind(work).is_err() {
            self.fail("a job of the pool panicked".to_owned());
        }
    }
}
