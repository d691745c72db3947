//! The course of a run: phases, the end, and what must be true then.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::checker::check;
use crate::plan::End;
use crate::world::state::{Event, Sender, World};

/// Events that one run may have.
const STEPS_MAX: u64 = 1_000_000;

impl World {
    /// Runs to the end, or until something is broken.
    pub(crate) fn run(&mut self) {
        self.after(Duration::ZERO, Event::Phase);
        self.go(false, Self::may_end);
        if self.violation.is_none() && !self.client_over {
            self.finish();
        }
        if self.violation.is_none() {
            self.check_client();
        }
        if self.violation.is_none() && !self.client_over {
            self.watch();
        }
        if self.violation.is_some() {
            return;
        }
        self.client_over = true;
        // What is still on its way arrives.
        self.go(true, |_| false);
        self.check_logs();
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
                    let open = self.open;
                    self.fail(format!("nothing happens any more, {open} records are open"));
                }
                return;
            };
            self.now = at;
            self.handle(event);
        }
        let open = self.open;
        self.fail(format!("no end after {STEPS_MAX} steps, {open} open"));
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
            End::Drain => self.engine.drain(),
            End::Flush => self.flush(),
            End::Wait | End::Abort(_) => {}
        }
        self.turn();
        if self.plan.calm {
            self.finish_promptly();
        }
        let longest = self.plan.options.iter().map(|o| o.delivery_timeout).max();
        let limit = self.now + longest.unwrap_or_default() + self.tolerance();
        self.go(true, |world| world.open == 0 || world.now > limit);
        if self.open > 0 && self.violation.is_none() {
            let open = self.open;
            self.fail(format!("{open} records have no verdict when all should"));
        }
        // A batch that expired in flight keeps its memory until its request ends; what has
        // nothing to send any more is noticed at the next visit.
        let config = &self.plan.config;
        let slack = config.request_timeout + config.connect_timeout + config.reconnect_backoff.1;
        let limit = self.now + slack + self.tolerance() + Duration::from_secs(1);
        self.go(true, |world| world.is_empty() || world.now > limit);
        if !self.is_empty() && self.violation.is_none() && !self.client_over {
            let used = self.budget.used();
            let idle = self.engine.is_idle();
            self.fail(format!(
                "every record has its verdict, but {used} bytes are lent and idle is {idle}"
            ));
        }
    }

    /// Without any trouble nothing takes longer than its linger and its turn; the sweep that
    /// looks at everything once in a while must not be what keeps records going.
    fn finish_promptly(&mut self) {
        let net = self.plan.net;
        let open = self.batches.iter().filter(|b| !b.completion.is_complete());
        let turns = open.count() as u32 + 3;
        let turn = 2 * net.latency.1 + 2 * net.service.1 + net.sealing + 5 * net.jitter;
        let piecemeal = if net.piecemeal > 0 { turns * 20 } else { 0 };
        let linger = match self.plan.end {
            End::Wait => self.plan.config.linger.duration(),
            _ => Duration::ZERO,
        };
        let due = linger
            + turns * (turn + Duration::from_millis(1))
            + Duration::from_millis(u64::from(piecemeal) * 4);
        self.tally.count("runs: calm to the end");
        let limit = self.now + due;
        self.go(true, |world| world.open == 0 || world.now > limit);
        if self.open > 0 && self.violation.is_none() {
            let open = self.open;
            self.fail(format!(
                "{open} records take longer than {due:?} without any trouble"
            ));
        }
    }

    /// Whether nothing is left of what was sent.
    fn is_empty(&self) -> bool {
        self.client_over
            || (self.jobs.is_empty()
                && self.budget.used() == 0
                && self.partitions.queues.values().all(|q| q.is_empty())
                && (self.plan.end != End::Drain || self.engine.is_idle()))
    }

    fn abort(&mut self) {
        if self.client_over {
            return;
        }
        self.trace.note(self.now, || "ABORT".to_owned());
        self.tally.count("client: aborted");
        self.aborting = true;
        for at in 0..self.senders.len() {
            let sender = &mut self.senders[at];
            sender.next = sender.records.len();
            let (key, chunk) = (sender.waits.take(), sender.chunk.take());
            if let Some(key) = key {
                let mut woken = Vec::new();
                self.budget.cancel(key, &mut woken);
            }
            if let Some(chunk) = chunk {
                self.release(chunk.line, chunk.memory.capacity());
            }
        }
        self.abort_again();
    }

    /// A batch that is being compressed survives an abort; it is asked for again when it is back.
    pub(crate) fn abort_again(&mut self) {
        let now = self.instant();
        let unsent = self.engine.abort(now, &mut self.partitions);
        self.carry_out();
        for batch in &unsent {
            self.take_back(batch);
        }
        drop(unsent);
        self.client_over = self.partitions.queues.values().all(|q| q.is_empty());
        if self.client_over && !self.jobs.is_empty() {
            self.fail("queues are empty, but batches are still being compressed".to_owned());
        }
    }

    /// What must be true of the client once every record has its verdict.
    fn check_client(&mut self) {
        let used = self.budget.used();
        if used != 0 {
            self.fail(format!("{used} bytes of memory never came back"));
        }
        if self.budget.has_waiters() {
            self.fail("somebody still waits for memory".to_owned());
        }
        let incomplete = self.batches.iter().position(|b| {
            b.owes_wake
                || !b.completion.is_complete()
                || b.completion.resolved() as usize != b.records.len()
        });
        if let Some(ticket) = incomplete {
            let batch = &self.batches[ticket];
            let what = format!("batch {ticket} never completed: {batch:?}");
            self.fail(what);
        }
    }

    /// An idle producer keeps its metadata fresh and does nothing else.
    fn watch(&mut self) {
        let watch = self.plan.watch;
        let (until, before) = (self.now + watch, self.polls);
        self.go(true, |world| world.now >= until);
        let age = self.plan.config.metadata_max_age;
        let due = 500 + 40 * (watch.as_millis() / age.as_millis().max(1)) as u64;
        let polls = self.polls - before;
        if polls > due && self.violation.is_none() {
            self.fail(format!("{polls} polls in {watch:?} with nothing to do"));
        }
    }

    fn check_logs(&mut self) {
        let mut logs = BTreeMap::new();
        for (number, topic) in (0..).zip(&self.plan.topics) {
            let partitions = self.cluster.partition_count(&topic.name).unwrap_or(0);
            for partition in 0..partitions {
                let log = self.cluster.records(&topic.name, partition);
                logs.insert((number, partition), log);
            }
        }
        let broken = self.cluster.violations().next().cloned();
        if let Some(broken) = broken {
            self.fail(format!("no sound client does this: {broken}"));
        }
        if let Err(broken) = check(&self.history, &logs, self.plan.expect) {
            self.fail(broken);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Sender(at) => self.step(at),
            Event::GiveUp { sender, record } => self.give_up(sender, record),
            Event::Ready(partition) => self.ready(partition),
            Event::Pressure => self.turn(),
            Event::Sealed(job) => self.sealed(job),
            Event::Wake(wake) => self.woken(wake),
            Event::Connect(connection) if !self.client_over => self.connected(connection),
            Event::Accept(connection) if !self.client_over => self.accept(connection),
            Event::Arrive(connection, frame) => self.arrive(connection, frame),
            Event::Serve(connection) => self.serve(connection),
            Event::Resume(connection, frame, until) => self.resume(connection, &frame, until),
            Event::Answer(connection, answer) if !self.client_over => {
                self.answered(connection, &answer)
            }
            Event::Closed(connection, why) if !self.client_over => self.closed(connection, why),
            Event::Connect(_) | Event::Accept(_) | Event::Answer(..) | Event::Closed(..) => {}
            Event::Trouble(at) => self.happen(at),
            Event::Restart(node) => self.restart(node),
            Event::Heal => self.heal(),
            Event::Phase => self.begin_phase(),
            Event::TroubleBegins => self.begin_trouble(),
            Event::Abort => self.abort(),
        }
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
        let plan = &self.plan.phases[self.phase];
        let mut senders = Vec::new();
        for records in plan.senders.clone() {
            let count = records.len() as u32;
            senders.push(Sender {
                records,
                first_id: self.next_id,
                next: 0,
                chunk: None,
                waits: None,
                blocked: None,
            });
            self.next_id += count;
        }
        self.senders = senders;
        for at in 0..self.senders.len() {
            self.soon(Event::Sender(at));
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
        if let End::Abort(after) = self.plan.end {
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
            && self.open == 0
    }

    fn next_phase(&mut self) {
        self.phase += 1;
        self.running = false;
        let lull = self.plan.phases[self.phase].lull;
        self.after(lull, Event::Phase);
    }

    fn senders_are_done(&self) -> bool {
        !self.senders.is_empty() && self.senders.iter().all(|s| s.next == s.records.len())
    }
}
