//! The course of a run: phases, the end, and what must be true then.

use std::collections::BTreeMap;
use std::time::Duration;

use downpour::simulation;

use crate::checker::{Logged, check};
use crate::judge::judge;
use crate::plan::End;
use crate::world::state::{Event, World};
use downpour_fake::FakeRecord;

use crate::history::Place;

/// Events that one run may have.
const STEPS_MAX: u64 = 1_000_000;

/// What a batch is lent to begin with, also where `buffer_memory` is less.
const FIRST_CHUNK: usize = 512;

/// A closing with a deadline is over so long after it.
const CLOSE_LATE: Duration = Duration::from_millis(100);

impl World {
    /// Runs to the end, or until something is broken.
    pub(crate) fn run(&mut self) {
        self.after(Duration::ZERO, Event::Phase);
        self.go(false, Self::may_end);
        if self.is_sound() && !self.client_over {
            self.finish();
        }
        if self.is_sound() {
            self.check_client();
        }
        if self.is_sound() {
            self.end_again();
        }
        if self.is_sound() && !self.client_over {
            self.watch();
        }
        if self.is_sound() && !self.client_over {
            self.probe();
        }
        if self.is_sound() {
            self.let_go();
        }
        if self.is_sound() {
            // What is still on its way arrives.
            self.go(true, |_| false);
        }
        if self.is_sound() {
            self.check_logs();
        }
        // They hold the producer, which holds the sockets.
        self.tasks.clear();
    }

    fn is_sound(&self) -> bool {
        self.violation.is_none()
    }

    /// Lets events happen until `over`. That there are none left is fine if `may_stop` says so.
    fn go(&mut self, may_stop: bool, over: impl Fn(&Self) -> bool) {
        for _ in 0..STEPS_MAX {
            if self.violation.is_some() || over(self) {
                return;
            }
            if self.is_quiet() {
                self.next_phase();
            }
            let Some(((at, _), event)) = self.events.pop_first() else {
                if !may_stop {
                    let open = self.open();
                    self.fail(format!("nothing happens any more, {open} records are open"));
                }
                return;
            };
            self.now = at;
            if self.is_suspended(&event) {
                self.at(self.suspended_until, event);
                continue;
            }
            self.show_time();
            let lends = matches!(event, Event::Task(_) | Event::GetUp(_));
            self.handle(event);
            self.settle();
            self.check_mail();
            if lends {
                self.check_budget();
            }
        }
        let open = self.open();
        self.fail(format!("no end after {STEPS_MAX} steps, {open} open"));
    }

    /// Lets events happen until `over`, for so long at most, in which the client's process is awake.
    pub(crate) fn go_for(&mut self, time: Duration, over: impl Fn(&Self) -> bool) {
        let began = self.now;
        self.go(true, |world| {
            over(world) || world.now > began.max(world.suspended_until) + time
        });
    }

    /// Whether the event is a step of the client's process, which stands still.
    fn is_suspended(&self, event: &Event) -> bool {
        let own = matches!(
            event,
            Event::Task(_) | Event::Slept(_) | Event::GetUp(_) | Event::Job(_) | Event::Abort
        );
        own && self.now < self.suspended_until
    }

    fn is_last_phase(&self) -> bool {
        self.phase + 1 == self.plan.phases.len()
    }

    fn may_end(&self) -> bool {
        let waited = self.healed || self.plan.hasty;
        self.client_over
            || (self.running && self.is_last_phase() && waited && self.senders_are_done())
    }

    /// Everything that was accepted gets its verdict, in time, and nothing is left behind.
    fn finish(&mut self) {
        let end = self.plan.end;
        self.trace.note(self.now, || format!("END {end:?}"));
        match end {
            End::Drain => self.close(None),
            End::Flush => self.flush(),
            End::Wait | End::Abort(..) => {}
        }
        self.settle();
        if self.plan.calm {
            self.finish_promptly();
        }
        let longest = self.plan.options.iter().map(|o| o.delivery_timeout).max();
        let patience = longest.unwrap_or_default() + self.tolerance();
        self.go_for(patience, Self::all_ended);
        if !self.all_ended() && self.is_sound() {
            let open = self.open();
            self.fail(format!(
                "records have no verdict when all should, {open} of them waited for"
            ));
        }
        if end == End::Drain {
            let patience = self.tolerance();
            let began = self.now;
            self.go(true, |world| {
                world.client_over || world.now > began.max(world.suspended_until) + patience
            });
            if !self.client_over && self.is_sound() {
                self.fail("the closing goes on after the last verdict".to_owned());
            }
        }
        // A batch that expired in flight keeps its memory until its request ends; what has
        // nothing to send any more is noticed at the next visit.
        let config = &self.plan.config;
        let slack = config.request_timeout + config.connect_timeout + config.reconnect_backoff.1;
        let slack = slack + self.tolerance() + Duration::from_secs(1);
        let over = |world: &Self| match end {
            End::Drain => world.client_over && world.lent() == 0,
            _ => world.lent() == 0,
        };
        self.go_for(slack, over);
        if !over(self) && self.is_sound() {
            let (lent, closed) = (self.lent(), self.client_over);
            self.fail(format!(
                "every record has its verdict, but {lent} bytes are lent and closed is {closed}"
            ));
        }
    }

    /// Without any trouble nothing takes longer than its linger and its turn; the sweep that
    /// looks at everything once in a while must not be what keeps records going.
    fn finish_promptly(&mut self) {
        let linger = match self.plan.end {
            End::Wait => self.plan.config.linger.duration(),
            _ => Duration::ZERO,
        };
        let due = linger + {
            let desk = self.desk.borrow();
            self.plan.turns_take(desk.open, desk.open_bytes)
        };
        self.tally.count("runs: calm to the end");
        self.go_for(due, |world| world.open() == 0);
        let open = self.open();
        if open > 0 && self.is_sound() {
            self.fail(format!(
                "{open} records take longer than {due:?} without any trouble"
            ));
        }
    }

    /// Whoever posts while the I/O thread sleeps wakes it.
    fn check_mail(&mut self) {
        let producer = self.producer.as_ref().filter(|_| !self.io_ended);
        if producer.is_some_and(simulation::is_mail_slept_on) {
            self.fail("the I/O thread sleeps on mail".to_owned());
        }
    }

    /// What is lent is never more than there is, but for one chunk that is larger.
    fn check_budget(&mut self) {
        let (lent, memory) = (self.lent(), self.plan.memory);
        if lent > memory.max(FIRST_CHUNK) {
            self.fail(format!("{lent} bytes are lent of {memory}"));
        }
    }

    /// Whether every record has its verdict, those included that nobody waits for.
    pub(crate) fn all_ended(&self) -> bool {
        self.open() == 0 && self.ended() == self.history().entries.len() as u64
    }

    /// Records that have a verdict, as the producer counts them.
    fn ended(&self) -> u64 {
        let Some(producer) = &self.producer else {
            return 0;
        };
        let total = producer.statistics().total;
        total.delivered + total.failed + total.unknown
    }

    /// Bytes of memory that are in use.
    fn lent(&self) -> usize {
        self.producer.as_ref().map_or(0, |p| p.buffered_bytes())
    }

    /// Closes the producer, with so long for it if that is said.
    fn close(&mut self, within: Option<Duration>) {
        let Some(producer) = self.producer.clone() else {
            return;
        };
        let desk = self.desk.clone();
        desk.borrow_mut().ending += 1;
        let task = async move {
            let unfinished = match within {
                Some(time) => producer.close_within(time).await,
                None => {
                    producer.close().await;
                    downpour::Unfinished::default()
                }
            };
            let mut desk = desk.borrow_mut();
            desk.unfinished = Some(unfinished);
            desk.ending -= 1;
        };
        let id = self.tasks.add(Box::pin(task));
        self.scheduled.insert(id);
        self.after(Duration::ZERO, Event::Task(id));
    }

    fn abort(&mut self) {
        let End::Abort(_, within) = self.plan.end else {
            return;
        };
        if self.client_over || self.producer.is_none() {
            return;
        }
        self.trace.note(self.now, || "ABORT".to_owned());
        self.tally.count("client: closed in a hurry");
        self.closed_at = Some(self.now + within);
        self.close(Some(within));
        let time = within + CLOSE_LATE + self.plan.net.sealing + 6 * self.plan.net.jitter;
        self.go_for(time, |world| world.client_over);
        if !self.client_over && self.is_sound() {
            self.fail(format!("closing within {within:?} is not over in time"));
        }
    }

    /// The closing is over: what it handed back, and what it must have settled.
    fn closed_at_last(&mut self) {
        let Some(unfinished) = self.desk.borrow_mut().unfinished.take() else {
            return;
        };
        self.trace
            .note(self.now, || format!("closed, left {unfinished:?}"));
        self.client_over = true;
        if self.plan.end == End::Drain && !unfinished.is_empty() {
            self.fail("a closing without a deadline left something".to_owned());
        }
        self.left = unfinished;
    }

    /// What must be true of the client once every record has its verdict.
    fn check_client(&mut self) {
        // A sender may be about to pause, or to try again a few times.
        let patience = self.tolerance() + Duration::from_secs(60);
        self.go_for(patience, |world| {
            let ended = world.desk.borrow().ending == 0;
            world.open() == 0 && world.lent() == 0 && world.senders_are_done() && ended
        });
        if !self.is_sound() {
            return;
        }
        // Who sends many at once hears only at last which were accepted.
        let left = std::mem::take(&mut self.left);
        self.take_back(&left);
        let (open, lent) = (self.open(), self.lent());
        if open > 0 {
            self.fail(format!("{open} records never got a verdict"));
        } else if lent > 0 {
            self.fail(format!("{lent} bytes of memory never came back"));
        } else if !self.senders_are_done() {
            self.fail("a sender waits for ever".to_owned());
        } else if self.desk.borrow().ending > 0 {
            self.fail("a flush or a closing goes on with nothing to wait for".to_owned());
        }
    }

    /// With nothing on its way a flush is over at once, and so is closing what was closed before.
    fn end_again(&mut self) {
        if self.client_over {
            self.close(None);
        }
        self.flush();
        let time = 4 * self.plan.net.jitter + Duration::from_millis(20);
        self.go_for(time, |world| world.desk.borrow().ending == 0);
        if self.desk.borrow().ending > 0 && self.is_sound() {
            self.fail("a flush or a closing takes its time with nothing to wait for".to_owned());
        }
    }

    /// An idle producer keeps its metadata fresh and does nothing else.
    fn watch(&mut self) {
        let watch = self.plan.watch;
        let (until, before) = (self.now + watch, self.rounds);
        self.go(true, |world| world.now >= until);
        let age = self.plan.config.metadata_max_age;
        let due = 500 + 40 * (watch.as_millis() / age.as_millis().max(1)) as u64;
        let rounds = self.rounds - before;
        if rounds > due && self.is_sound() {
            self.fail(format!("{rounds} rounds in {watch:?} with nothing to do"));
        }
    }

    /// The last handle of the producer goes, and its thread ends.
    fn let_go(&mut self) {
        self.note_statistics();
        self.tasks.clear();
        self.producer = None;
        self.settle();
        if !self.io.is_running() {
            return;
        }
        let config = &self.plan.config;
        let time = config.request_timeout + self.tolerance() + Duration::from_secs(2);
        self.go_for(time, |world| world.io_ended);
        if !self.io_ended && self.is_sound() {
            self.fail("the I/O thread goes on without a producer".to_owned());
        }
    }

    fn note_statistics(&mut self) {
        let Some(producer) = &self.producer else {
            return;
        };
        let statistics = producer.statistics();
        let lost: u64 = statistics.brokers.iter().map(|b| b.lost).sum();
        self.tally.add("client: retries", statistics.total.retries);
        self.tally.add("client: requests without an answer", lost);
        let desk = self.desk.borrow();
        let ended = statistics.total.delivered + statistics.total.failed + statistics.total.unknown;
        let accepted = desk.history.entries.len() as u64;
        drop(desk);
        if ended != accepted {
            self.fail(format!("{ended} records are counted of {accepted}"));
        }
    }

    fn check_logs(&mut self) {
        let mut logs: BTreeMap<Place, Vec<Logged>> = BTreeMap::new();
        let mut undressed = None;
        let mut all = std::mem::take(&mut self.former);
        all.extend((0..self.plan.topics.len()).map(|topic| self.logs_of(topic)));
        for (place, log) in all.into_iter().flatten() {
            undressed = undressed.or_else(|| self.find_undressed(&log));
            let logged = log.into_iter().map(|record| Logged {
                offset: record.offset,
                key: record.key,
                value: record.value.unwrap_or_default(),
            });
            logs.entry(place).or_default().extend(logged);
        }
        let broken = self.cluster.violations().next().cloned();
        if let Some(broken) = broken {
            self.fail(format!("no sound client does this: {broken}"));
        }
        if let Some(undressed) = undressed {
            self.fail(undressed);
        }
        let checked = check(&self.history(), &logs, self.plan.expect);
        if let Err(broken) = checked {
            self.fail(broken);
        }
        let circumstances = self.circumstances();
        let judged = judge(&self.history(), &self.past, &circumstances);
        if let Err(broken) = judged {
            self.fail(broken);
        }
        self.check_flushes();
    }

    /// What lies in a topic's partitions now.
    pub(crate) fn logs_of(&self, topic: usize) -> Vec<(Place, Vec<FakeRecord>)> {
        let name = &self.plan.topics[topic].name;
        let partitions = self.cluster.partition_count(name).unwrap_or(0);
        let log = |partition| {
            let place = (topic as u32, partition);
            (place, self.cluster.records(name, partition))
        };
        (0..partitions).map(log).collect()
    }

    /// No flush came back before what it had to wait for.
    fn check_flushes(&mut self) {
        let desk = self.desk.borrow();
        let open = desk.flushed.iter().flatten().find(|id| {
            let entry = desk.history.entries.get(*id);
            entry.is_some_and(|entry| entry.watched && entry.fate.is_none())
        });
        let open = open.copied();
        drop(desk);
        if let Some(id) = open {
            self.fail(format!("a flush came back without record {id}"));
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Task(id) => self.go_on(id),
            Event::Slept(waker) => waker.wake(),
            Event::GetUp(get_up) => self.get_up(get_up),
            Event::Job(job) => self.run_job(job),
            Event::Connect(link) => self.connected(link),
            Event::Room(link) => self.wires.make_room(link),
            Event::Arrive(link, bytes) => self.arrive(link, &bytes),
            Event::Serve(link) => self.serve(link),
            Event::Resume(link, frame, until) => self.resume(link, &frame, until),
            Event::Answer(link, bytes) => self.answered(link, &bytes),
            Event::Closed(link, why) => self.closed(link, why),
            Event::Heard(link, heard) => self.check_heard(link, heard),
            Event::Trouble(at) => self.happen(at),
            Event::Restart(node) => self.restart(node),
            Event::Remake(topic) => self.remake(topic),
            Event::Heal => self.heal(),
            Event::Phase => self.begin_phase(),
            Event::TroubleBegins => self.begin_trouble(),
            Event::Abort => self.abort(),
        }
        self.closed_at_last();
    }

    fn begin_phase(&mut self) {
        if self.phase > 0 && self.plan.phases[self.phase].forget {
            self.tally.count("faults: producers forgotten in a lull");
            for topic in self.cluster.topics() {
                let partitions = self.cluster.partition_count(&topic).unwrap_or(0);
                for partition in 0..partitions {
                    self.cluster.expire_producer_state(&topic, partition);
                }
            }
        }
        self.trace
            .note(self.now, || format!("PHASE {} begins", self.phase));
        self.healed = false;
        self.running = true;
        self.senders.clear();
        let senders = self.plan.phases[self.phase].senders.clone();
        for (number, records) in senders.into_iter().enumerate() {
            let first = self.next_id;
            self.next_id += records.len() as u32;
            self.add_sender(number, first, records);
        }
        self.troubled = false;
        let patience = if self.plan.early || self.phase > 0 {
            Duration::ZERO
        } else {
            5 * self.plan.phases[0].heal_after
        };
        self.after(patience, Event::TroubleBegins);
        // Scripts that count requests are there from the beginning.
        self.schedule_trouble(true);
    }

    fn schedule_trouble(&mut self, at_once: bool) {
        let trouble = &self.plan.phases[self.phase].trouble;
        let due: Vec<(usize, Duration)> = trouble
            .iter()
            .map(|(at, _)| *at)
            .enumerate()
            .filter(|(_, at)| at.is_zero() == at_once)
            .collect();
        for (at, time) in due {
            self.after(time, Event::Trouble(at));
        }
    }

    /// The time of trouble begins, once a phase.
    pub(crate) fn begin_trouble(&mut self) {
        if !self.running || std::mem::replace(&mut self.troubled, true) {
            return;
        }
        self.schedule_trouble(false);
        let heal_after = self.plan.phases[self.phase].heal_after;
        if self.plan.heals || !self.is_last_phase() {
            self.after(heal_after, Event::Heal);
        }
        if let End::Abort(after, _) = self.plan.end {
            if self.is_last_phase() {
                self.after(after, Event::Abort);
            }
        }
    }

    /// Whether a phase is done: trouble is over and every record has its verdict.
    fn is_quiet(&self) -> bool {
        self.running
            && !self.is_last_phase()
            && self.healed
            && self.senders_are_done()
            && self.open() == 0
            && self.lent() == 0
    }

    fn next_phase(&mut self) {
        self.phase += 1;
        self.running = false;
        let lull = self.plan.phases[self.phase].lull;
        self.after(lull, Event::Phase);
    }

    pub(crate) fn senders_are_done(&self) -> bool {
        self.senders.iter().all(|id| self.tasks.is_over(*id))
    }
}
