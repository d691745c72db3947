//! The books: topics, their partitions, and what each may expect next.

use std::collections::HashMap;

use crate::batch::Sound;
use crate::sequences::{Sequences, Verdict};
use crate::statistics::Statistics;

/// No run has more topics; a client that asks for more is answered with the last.
const TOPICS_MAX: usize = 1024;

/// No run has more partitions.
const PARTITIONS_MAX: i32 = 100_000;

/// What a refused batch is answered: it is final, and nothing was written.
const INVALID_RECORD: i16 = 87;

/// What is answered for one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) error_code: i16,
    pub(crate) base_offset: i64,
}

impl Answer {
    pub(crate) const fn error(error_code: i16) -> Self {
        Self {
            error_code,
            base_offset: -1,
        }
    }
}

#[derive(Debug, Default)]
struct Partition {
    next_offset: i64,
    sequences: Sequences,
    in_flight: u32,
}

#[derive(Debug)]
struct Topic {
    name: String,
    partitions: Vec<Partition>,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) statistics: Statistics,
    partitions: i32,
    topics: Vec<Topic>,
    names: HashMap<String, usize>,
    last_producer_id: i64,
    /// One in so many batches that could be written is refused; 0: none.
    refuse_every: u64,
    /// How many could be written since the reset.
    writable: u64,
}

/// A topic as clients are told of it.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) id: [u8; 16],
    pub(crate) partitions: i32,
}

impl Ledger {
    pub(crate) fn new(partitions: i32) -> Self {
        Self {
            statistics: Statistics::default(),
            partitions: partitions.clamp(1, PARTITIONS_MAX),
            topics: Vec::new(),
            names: HashMap::new(),
            last_producer_id: 1000,
            refuse_every: 0,
            writable: 0,
        }
    }

    /// From now on one in so many batches is refused for good, and not written; 0: none.
    pub(crate) fn refuse(&mut self, every: u64) {
        self.refuse_every = every;
    }

    /// Forgets counters, offsets and sequences; topics stay.
    pub(crate) fn reset(&mut self) {
        self.statistics = Statistics::default();
        self.writable = 0;
        for topic in &mut self.topics {
            for partition in &mut topic.partitions {
                *partition = Partition::default();
            }
        }
    }

    pub(crate) fn new_producer_id(&mut self) -> i64 {
        self.statistics.producer_ids += 1;
        self.last_producer_id += 1;
        self.last_producer_id
    }

    /// The topic of a name, which exists from now on. A name that ends in digits says how many
    /// partitions it has.
    pub(crate) fn topic(&mut self, name: &str) -> usize {
        if let Some(index) = self.names.get(name) {
            return *index;
        }
        if self.topics.len() >= TOPICS_MAX {
            return self.topics.len() - 1;
        }
        let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        let count = digits.parse().unwrap_or(self.partitions);
        let count = count.clamp(1, PARTITIONS_MAX);
        self.topics.push(Topic {
            name: name.to_owned(),
            partitions: (0..count).map(|_| Partition::default()).collect(),
        });
        self.names.insert(name.to_owned(), self.topics.len() - 1);
        self.topics.len() - 1
    }

    pub(crate) fn topic_of_name(&self, name: &[u8]) -> Option<usize> {
        let name = std::str::from_utf8(name).ok()?;
        self.names.get(name).copied()
    }

    /// Ids are the index, counted from one, in the last bytes.
    pub(crate) fn topic_of_id(&self, id: [u8; 16]) -> Option<usize> {
        let index = usize::try_from(u128::from_be_bytes(id))
            .ok()?
            .checked_sub(1)?;
        (index < self.topics.len()).then_some(index)
    }

    pub(crate) fn describe(&self, index: usize) -> Described {
        let topic = &self.topics[index];
        Described {
            name: topic.name.clone(),
            id: (index as u128 + 1).to_be_bytes(),
            partitions: topic.partitions.len() as i32,
        }
    }

    pub(crate) fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// Books a sound batch that arrived, and says what to answer.
    pub(crate) fn book(&mut self, topic: usize, index: i32, sound: Sound, bytes: usize) -> Answer {
        let found = usize::try_from(index)
            .ok()
            .and_then(|index| self.topics.get_mut(topic)?.partitions.get_mut(index));
        let Some(partition) = found else {
            return Answer::error(3);
        };
        partition.in_flight += 1;
        let in_flight = partition.in_flight;
        self.statistics.in_flight_max = self.statistics.in_flight_max.max(in_flight);
        let refuses = self.refuse_every > 0 && (self.writable + 1) % self.refuse_every == 0;
        let verdict = match sound.claim {
            Some(claim) => partition.sequences.judge(claim, sound.records, refuses),
            None if refuses => Verdict::Refused,
            None => Verdict::InOrder,
        };
        if matches!(verdict, Verdict::InOrder | Verdict::Refused) {
            self.writable += 1;
        }
        match verdict {
            Verdict::InOrder => {
                let base_offset = partition.next_offset;
                partition.next_offset += i64::from(sound.records);
                self.statistics.taken(sound.records, bytes);
                Answer {
                    error_code: 0,
                    base_offset,
                }
            }
            Verdict::Duplicate => {
                self.statistics.sequence_break("a sequence came twice");
                Answer::error(46)
            }
            Verdict::Gap => {
                self.statistics.sequence_break("a sequence is missing");
                Answer::error(45)
            }
            Verdict::Stale => {
                self.statistics.sequence_break("an epoch is over");
                Answer::error(47)
            }
            Verdict::Refused => {
                self.statistics.refused(sound.records);
                Answer::error(INVALID_RECORD)
            }
            Verdict::Follower => {
                self.statistics.followers += 1;
                Answer::error(45)
            }
        }
    }

    /// A batch that was booked is answered.
    pub(crate) fn answered(&mut self, topic: usize, index: i32) {
        let found = usize::try_from(index)
            .ok()
            .and_then(|index| self.topics.get_mut(topic)?.partitions.get_mut(index));
        if let Some(partition) = found {
            partition.in_flight = partition.in_flight.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Claim;

    #[test]
    fn the_name_of_a_topic_says_how_many_partitions_it_has() {
        let mut ledger = Ledger::new(6);
        let many = ledger.topic("bench-200");
        let some = ledger.topic("bench");
        assert_eq!(ledger.describe(many).partitions, 200);
        assert_eq!(ledger.describe(some).partitions, 6);
        assert_eq!(ledger.topic("bench-200"), many);
        assert_eq!(ledger.topic_of_id(ledger.describe(some).id), Some(some));
        assert_eq!(ledger.topic_of_id([0; 16]), None);
    }

    #[test]
    fn offsets_follow_and_batches_in_flight_are_counted() {
        let mut ledger = Ledger::new(1);
        let topic = ledger.topic("t");
        let sound = Sound {
            records: 5,
            claim: None,
        };
        assert_eq!(ledger.book(topic, 0, sound, 100).base_offset, 0);
        assert_eq!(ledger.book(topic, 0, sound, 100).base_offset, 5);
        ledger.answered(topic, 0);
        assert_eq!(ledger.book(topic, 0, sound, 100).base_offset, 10);
        assert_eq!(ledger.statistics.in_flight_max, 2);
        assert_eq!(ledger.book(topic, 1, sound, 100), Answer::error(3));
        assert_eq!(ledger.statistics.records, 15);
    }

    #[test]
    fn one_in_so_many_batches_is_refused_and_not_written() {
        let mut ledger = Ledger::new(1);
        let topic = ledger.topic("t");
        ledger.refuse(3);
        let mut book = |epoch, sequence| {
            let claim = Some(Claim {
                producer_id: 1,
                epoch,
                sequence,
            });
            let sound = Sound { records: 5, claim };
            let answer = ledger.book(topic, 0, sound, 100);
            (answer.error_code, answer.base_offset)
        };
        assert_eq!(book(0, 0), (0, 0));
        assert_eq!(book(0, 5), (0, 5));
        assert_eq!(book(0, 10), (87, -1));
        // A follower is no batch that could be written, and none that is refused.
        assert_eq!(book(0, 15), (45, -1));
        assert_eq!(book(1, 0), (0, 10));
        assert_eq!(book(1, 5), (0, 15));
        assert_eq!(book(1, 10), (87, -1));
        let seen = &ledger.statistics;
        assert_eq!((seen.records, seen.refused_records), (20, 10));
        assert_eq!((seen.followers, seen.sequence_breaks), (1, 0));
        ledger.refuse(0);
        let none = (0..10).filter(|_| {
            let sound = Sound {
                records: 1,
                claim: None,
            };
            ledger.book(topic, 0, sound, 100).error_code != 0
        });
        assert_eq!(none.count(), 0);
    }
}
