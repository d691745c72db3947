//! Counts a topic's records without printing them, and compares their values with a file of values
//! that were sent in turn. For topics of millions of records.

use std::collections::{BTreeMap, HashMap};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use serde_json::{Value, json};

use crate::consumer::{ANSWER_WITHIN, assign, open, partitions};

/// Once the ends of the partitions have not moved for so long, nothing more is expected. It takes a
/// while because what was sent without acknowledgements, or with the leader's alone, may still be on
/// its way.
const STILL: Duration = Duration::from_secs(3);

/// How often the ends are looked at.
const POLL: Duration = Duration::from_millis(50);

/// Values that were sent, with how often each was seen.
#[derive(Debug)]
pub struct Values {
    /// The index of a value in `seen`.
    indices: HashMap<Vec<u8>, usize>,
    /// That index for each value of the file, in the order of the file; equal values share it.
    turn: Vec<usize>,
    seen: Vec<u64>,
    /// How many values were read that are none of the file's.
    strangers: u64,
}

impl Values {
    /// Values of `size` bytes each, side by side.
    ///
    /// # Errors
    /// When these are no whole values.
    pub fn new(bytes: &[u8], size: usize) -> Result<Self, String> {
        if size == 0 || bytes.is_empty() || bytes.len() % size != 0 {
            return Err("the file holds no whole values".to_owned());
        }
        let mut indices = HashMap::new();
        let turn: Vec<usize> = bytes
            .chunks_exact(size)
            .map(|value| {
                let next = indices.len();
                *indices.entry(value.to_vec()).or_insert(next)
            })
            .collect();
        let seen = vec![0; indices.len()];
        Ok(Self {
            indices,
            turn,
            seen,
            strangers: 0,
        })
    }

    /// Notes a value that was read.
    pub fn saw(&mut self, value: &[u8]) {
        match self.indices.get(value) {
            Some(index) => self.seen[*index] += 1,
            None => self.strangers += 1,
        }
    }

    /// Values that are none of the file's; and, if so many were sent in turn, those that are
    /// missing and those that are too many.
    pub fn differences(&self, sent: u64) -> [u64; 3] {
        let count = self.turn.len() as u64;
        let mut expected = vec![0_u64; self.seen.len()];
        for (at, index) in (0_u64..).zip(&self.turn) {
            expected[*index] += sent / count + u64::from(at < sent % count);
        }
        let pairs = || self.seen.iter().zip(&expected);
        let missing = pairs().map(|(seen, due)| due.saturating_sub(*seen)).sum();
        let extra = pairs().map(|(seen, due)| seen.saturating_sub(*due)).sum();
        [self.strangers, missing, extra]
    }
}

/// Reads a topic from its beginning to its end, after waiting until it holds `expected` records
/// or nothing more comes, and says how many there are (`records`), where the partitions end in sum
/// (`end_offsets`), how many records did not have the offset after the one before (`gaps`), and
/// what [`Values::differences`] says (`strangers`, `missing`, `extra`).
///
/// # Errors
/// When the topic is unknown, a record is refused by librdkafka, or nothing comes for 20 s.
pub fn count_topic(
    bootstrap: &str,
    topic: &str,
    expected: u64,
    values: &mut Values,
) -> Result<Value, String> {
    let consumer = open(bootstrap, false)?;
    let mut open = partitions(&consumer, topic)?;
    let all = open.clone();
    let look = || -> Result<BTreeMap<i32, i64>, String> {
        all.iter()
            .map(|partition| Ok((*partition, end(&consumer, topic, *partition)?)))
            .collect()
    };
    wait_until_still(expected, look)?;
    assign(&consumer, topic, &open)?;
    let mut read: BTreeMap<i32, i64> = all.iter().map(|partition| (*partition, 0)).collect();
    let mut gaps = 0_u64;
    let mut until = Instant::now() + ANSWER_WITHIN;
    while !open.is_empty() {
        match consumer.poll(Duration::from_millis(100)) {
            None if Instant::now() >= until => {
                return Err(format!("nothing came from {topic} for {ANSWER_WITHIN:?}"));
            }
            None => continue,
            Some(Ok(message)) => {
                let count = read.entry(message.partition()).or_default();
                gaps += u64::from(message.offset() != *count);
                *count += 1;
                values.saw(message.payload().unwrap_or_default());
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            Some(Err(error)) => return Err(error.to_string()),
        }
        until = Instant::now() + ANSWER_WITHIN;
    }
    // Looked at again: whatever came meanwhile was not read, and then the two differ.
    let ends = look()?;
    let [strangers, missing, extra] = values.differences(expected);
    let unequal = ends
        .iter()
        .filter(|(partition, end)| read.get(partition) != Some(end))
        .count();
    Ok(json!({
        "records": read.values().sum::<i64>(),
        "end_offsets": ends.values().sum::<i64>(),
        "unequal_partitions": unequal,
        "gaps": gaps,
        "strangers": strangers,
        "missing": missing,
        "extra": extra,
    }))
}

/// Waits until the partitions hold `expected` records, or no longer grow.
fn wait_until_still(
    expected: u64,
    look: impl Fn() -> Result<BTreeMap<i32, i64>, String>,
) -> Result<(), String> {
    let mut before = look()?;
    let mut still_since = Instant::now();
    while before.values().sum::<i64>().unsigned_abs() < expected && still_since.elapsed() < STILL {
        thread::sleep(POLL);
        let now = look()?;
        if now != before {
            (before, still_since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// The offset after a partition's last record that a consumer may read.
fn end(consumer: &BaseConsumer, topic: &str, partition: i32) -> Result<i64, String> {
    let (_, end) = consumer
        .fetch_watermarks(topic, partition, ANSWER_WITHIN)
        .map_err(|error| error.to_string())?;
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(read: &[&str], sent: u64) -> [u64; 3] {
        let mut values = Values::new(b"aabbccbb", 2).unwrap();
        for value in read {
            values.saw(value.as_bytes());
        }
        values.differences(sent)
    }

    #[test]
    fn values_in_turn_do_not_differ() {
        assert_eq!(differences(&[], 0), [0, 0, 0]);
        assert_eq!(differences(&["bb", "aa"], 2), [0, 0, 0]);
        let six = ["aa", "bb", "cc", "bb", "aa", "bb"];
        assert_eq!(differences(&six, 6), [0, 0, 0]);
    }

    #[test]
    fn a_value_twice_in_place_of_another_is_seen() {
        assert_eq!(differences(&["aa", "aa"], 2), [0, 1, 1]);
        assert_eq!(differences(&["aa", "bb", "bb"], 2), [0, 0, 1]);
        assert_eq!(differences(&["aa", "xx"], 2), [1, 1, 0]);
    }

    #[test]
    fn half_a_value_is_refused() {
        Values::new(b"aab", 2).unwrap_err();
        Values::new(b"", 2).unwrap_err();
        Values::new(b"aa", 0).unwrap_err();
    }
}
