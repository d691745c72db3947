//! The load: one thread's share of the records, sent and awaited in the way that was asked for.

use std::collections::VecDeque;
use std::time::Instant;

use downpour::blocking::{Producer, TopicProducer};
use downpour::{Delivery, Record};

use super::outcome::Outcomes;
use super::payload::Payload;
use crate::args::{AwaitMode, PartitionMode};
use crate::console::Console;

/// How many handles a thread keeps before it reads the oldest.
const WINDOW: usize = 100_000;
/// How many of them it reads then.
const READ: usize = 1_000;
/// Records of one call, with `--await many`.
const MANY: u64 = 1_000;
/// How many round trips are remembered.
const TIMED: usize = 1_000_000;

/// What all threads have in common.
pub(super) struct Load<'a> {
    pub(super) producer: &'a Producer,
    pub(super) topic: &'a TopicProducer,
    pub(super) partition: PartitionMode,
    pub(super) mode: AwaitMode,
    pub(super) payload: &'a Payload,
    pub(super) console: &'a Console,
}

pub(super) struct Worker<'a> {
    load: &'a Load<'a>,
    partitions: u64,
    /// Added to each record's number, so that threads begin at different partitions and values.
    offset: u64,
    outcomes: Outcomes,
}

impl<'a> Worker<'a> {
    pub(super) fn new(load: &'a Load<'a>, number: u64) -> Self {
        let partitions = u64::from(load.topic.partitions().max(1));
        Self {
            load,
            partitions,
            offset: number,
            outcomes: Outcomes::default(),
        }
    }

    /// Sends this many records; one that is not accepted ends it.
    pub(super) fn run(mut self, records: u64) -> Outcomes {
        match self.load.mode {
            AwaitMode::Handles => self.handles(records),
            AwaitMode::Each => self.each(records),
            AwaitMode::Many => self.many(records),
            AwaitMode::None => self.none(records),
        }
        self.outcomes
    }

    fn record(&self, number: u64) -> Record<'a> {
        let number = number + self.offset;
        let record = Record::to(self.load.topic).value(self.load.payload.value(number));
        match self.load.partition {
            PartitionMode::Auto => record,
            PartitionMode::Each => record.partition((number % self.partitions) as i32),
            PartitionMode::One(partition) => record.partition(partition),
        }
    }

    fn handles(&mut self, records: u64) {
        let mut handles: VecDeque<Delivery> = VecDeque::new();
        for number in 0..records {
            match self.load.producer.send(self.record(number)) {
                Ok(delivery) => handles.push_back(delivery),
                Err(error) => {
                    self.outcomes.refuse(&error);
                    break;
                }
            }
            if handles.len() >= WINDOW {
                self.read(handles.drain(..READ));
            }
        }
        self.read(handles.drain(..));
    }

    fn read(&mut self, handles: impl ExactSizeIterator<Item = Delivery>) {
        let count = handles.len() as u64;
        for handle in handles {
            self.outcomes.end(&handle.wait());
        }
        self.load.console.advance(count);
    }

    fn each(&mut self, records: u64) {
        for number in 0..records {
            let began = Instant::now();
            match self.load.producer.send_and_wait(self.record(number)) {
                Ok(_) => self.outcomes.acknowledged += 1,
                Err(error) => {
                    self.outcomes.produced(&error);
                    if self.outcomes.refused > 0 {
                        break;
                    }
                }
            }
            if self.outcomes.round_trips.len() < TIMED {
                let micros = began.elapsed().as_micros();
                self.outcomes
                    .round_trips
                    .push(u32::try_from(micros).unwrap_or(u32::MAX));
            }
            self.load.console.advance(1);
        }
    }

    fn many(&mut self, records: u64) {
        let mut before = None;
        let mut number = 0;
        while number < records {
            let until = records.min(number + MANY);
            let records: Vec<_> = (number..until).map(|n| self.record(n)).collect();
            let sent = self.load.producer.send_many(&records);
            let (deliveries, error) = match sent {
                Ok(deliveries) => (deliveries, None),
                Err(error) => {
                    let reason = error.error().clone();
                    (error.into_dispatched(), Some(reason))
                }
            };
            // The call before is read while this one is on its way.
            self.read_many(before.replace(deliveries));
            if let Some(error) = error {
                self.outcomes.refuse(&error);
                break;
            }
            number = until;
        }
        self.read_many(before);
    }

    fn read_many(&mut self, deliveries: Option<downpour::Deliveries>) {
        let Some(deliveries) = deliveries else { return };
        if deliveries.wait().is_ok() {
            self.outcomes.acknowledged += deliveries.len() as u64;
        } else {
            for ended in deliveries.reports().flatten() {
                self.outcomes.end(&ended);
            }
        }
        self.load.console.advance(deliveries.len() as u64);
    }

    fn none(&mut self, records: u64) {
        for number in 0..records {
            match self.load.producer.send(self.record(number)) {
                Ok(_unread) => self.outcomes.unread += 1,
                Err(error) => {
                    self.outcomes.refuse(&error);
                    break;
                }
            }
            if number % MANY == 0 {
                self.load.console.advance(MANY);
            }
        }
    }
}
