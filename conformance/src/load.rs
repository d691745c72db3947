//! Sends tagged records at a steady pace, takes their verdicts as they come and writes them into a
//! ledger. Whether the verdicts are true is not asked here.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use downpour::blocking::Producer;
use downpour::{Delivery, Record};

use crate::ledger::Ledger;
use crate::random::Random;
use crate::record_tag::{HEADER, RecordTag};

/// How often records are sent. A shorter time makes a steadier pace.
const TICK: Duration = Duration::from_millis(5);

/// A sender that is later than this does not catch up, so that a wait is not followed by a flood.
const LATE_MAX: Duration = Duration::from_millis(100);

/// What to send, and how fast.
#[derive(Debug, Clone)]
pub struct Load {
    /// The topic that records are sent to.
    pub topic: String,
    /// How many partitions the topic has.
    pub partitions: i32,
    /// The fewest records to send.
    pub records: u64,
    /// The most records to send per second.
    pub per_second: u64,
    /// How long the last verdicts are waited for. A record without verdict by then stays unresolved,
    /// which a checker finds.
    pub verdict_within: Duration,
}

/// A load on its way.
struct Sending<'a> {
    load: &'a Load,
    producer: &'a Producer,
    ledger: Ledger,
    /// Records without verdict, one entry per partition, in the order in which they were sent.
    pending: Vec<VecDeque<(u64, Delivery)>>,
    random: Random,
    key: String,
    value: Vec<u8>,
}

impl Load {
    /// Sends until enough was sent and `is_over` says so, which is asked from then on only. Then it
    /// waits for every verdict.
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
            sending.take_verdicts();
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
        let tag = RecordTag { partition, number };
        tag.key(&mut self.key);
        tag.value(&mut self.value);
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

    /// Writes down the verdicts that have come. Within a partition they come in order, so that only
    /// the oldest record of each is asked.
    fn take_verdicts(&mut self) {
        for (partition, pending) in (0..).zip(&mut self.pending) {
            while let Some((number, delivery)) = pending.front() {
                let Some(end) = delivery.try_report() else {
                    break;
                };
                self.ledger.resolve(partition, *number, &end);
                pending.pop_front();
            }
        }
    }

    fn finish(mut self) -> Ledger {
        let until = Instant::now() + self.load.verdict_within;
        for (partition, pending) in (0..).zip(&self.pending) {
            for (number, delivery) in pending {
                let left = until.saturating_duration_since(Instant::now());
                // A record without verdict stays unresolved, which the checker finds.
                if let Ok(end) = delivery.wait_timeout(left) {
                    self.ledger.resolve(partition, *number, &end);
                }
            }
        }
        self.ledger
    }
}
