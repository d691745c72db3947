//! Sends records at a steady pace, takes their verdicts as they come and writes them down.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use downpour::blocking::Producer;
use downpour::{Delivery, Record};

use crate::identity::{HEADER, Identity};
use crate::ledger::Ledger;
use crate::random::Random;

/// How often records are sent; a shorter time makes a steadier pace.
const TICK: Duration = Duration::from_millis(5);

/// Whoever is later than this does not catch up, so that a wait is not followed by a flood.
const LATE_MAX: Duration = Duration::from_millis(100);

/// What is sent.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where to.
    pub topic: String,
    /// How many partitions it has.
    pub partitions: i32,
    /// At least so many records.
    pub records: u64,
    /// At most so many in a second.
    pub per_second: u64,
    /// A verdict that takes longer than this never comes.
    pub verdict_within: Duration,
}

/// A load on its way.
struct Sending<'a> {
    load: &'a Load,
    producer: &'a Producer,
    ledger: Ledger,
    /// Records without verdict, a partition an entry, in the order in which they were sent.
    pending: Vec<VecDeque<(u64, Delivery)>>,
    random: Random,
    key: String,
    value: Vec<u8>,
}

impl Load {
    /// Sends until enough was sent and `is_over`, which is asked from then on, says so; then waits
    /// for every verdict.
    pub fn run(&self, producer: &Producer, is_over: impl Fn() -> bool) -> Ledger {
        let mut sending = Sending {
            load: self,
            producer,
            ledger: Ledger::new(self.partitions),
            pending: (0..self.partitions).map(|_| VecDeque::new()).collect(),
            random: Random::new(self.records),
            key: String::new(),
            value: Vec::new(),
        };
        let mut sent = 0;
        let mut due = 0.0;
        let mut tick = Instant::now();
        while sent < self.records || !is_over() {
            due += self.per_second as f64 * TICK.as_secs_f64();
            while due >= 1.0 {
                sending.send();
                sent += 1;
                due -= 1.0;
            }
            sending.harvest();
            tick += TICK;
            let now = Instant::now();
            match tick.checked_duration_since(now) {
                Some(early) => thread::sleep(early),
                None if now - tick > LATE_MAX => tick = now,
                None => {}
            }
        }
        sending.finish()
    }
}

impl Sending<'_> {
    fn send(&mut self) {
        let partition = self.random.below(self.load.partitions as u64) as i32;
        let number = self.ledger.begin(partition);
        let identity = Identity { partition, number };
        identity.key(&mut self.key);
        identity.value(&mut self.value);
        let record = Record::to(&self.load.topic)
            .partition(partition)
            .key(&self.key)
            .value(&self.value)
            .header(HEADER, self.key.as_str());
        self.ledger.bytes += (2 * self.key.len() + self.value.len() + HEADER.len()) as u64;
        match self.producer.produce_async(record) {
            Ok(delivery) => self.pending[partition as usize].push_back((number, delivery)),
            Err(error) => self.ledger.refuse(partition, number, &error),
        }
    }

    /// Takes the verdicts that are here; within a partition they come in order.
    fn harvest(&mut self) {
        for (partition, pending) in (0..).zip(&mut self.pending) {
            while let Some((number, delivery)) = pending.front() {
                let Some(outcome) = delivery.try_outcome() else {
                    break;
                };
                self.ledger.resolve(partition, *number, &outcome);
                pending.pop_front();
            }
        }
    }

    fn finish(mut self) -> Ledger {
        let until = Instant::now() + self.load.verdict_within;
        for (partition, pending) in (0..).zip(&self.pending) {
            for (number, delivery) in pending {
                let left = until.saturating_duration_since(Instant::now());
                // Without a verdict it stays unresolved, which the checker tells.
                if let Ok(outcome) = delivery.wait_outcome(left) {
                    self.ledger.resolve(partition, *number, &outcome);
                }
            }
        }
        self.ledger
    }
}
