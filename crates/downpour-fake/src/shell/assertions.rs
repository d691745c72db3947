//! What a test asks of a fake cluster at the end: records, requests, and assertions that say what
//! is wrong. They only read.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use downpour_wire::messages::ApiKey;

use super::fake::FakeCluster;
use crate::logic::LoggedRequest;
use crate::record::FakeRecord;

/// An assertion names at most this many examples.
const EXAMPLES: usize = 10;

impl FakeCluster {
    /// The records of a partition, in order of their offsets.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[must_use]
    #[track_caller]
    pub fn records(&self, topic: &str, partition: i32) -> Vec<FakeRecord> {
        self.with(|cluster| cluster.records(topic, partition))
    }

    /// The records of all partitions of a topic; the index is the partition.
    ///
    /// # Panics
    ///
    /// If there is no such topic.
    #[must_use]
    #[track_caller]
    pub fn records_by_partition(&self, topic: &str) -> Vec<Vec<FakeRecord>> {
        let count = self.with(|cluster| cluster.partition_count(topic));
        let Some(count) = count else {
            panic!("the fake has no topic {topic:?}")
        };
        (0..count)
            .map(|partition| self.records(topic, partition))
            .collect()
    }

    /// How many records a topic holds, over all partitions.
    ///
    /// # Panics
    ///
    /// If there is no such topic.
    #[must_use]
    #[track_caller]
    pub fn record_count(&self, topic: &str) -> usize {
        self.records_by_partition(topic).iter().map(Vec::len).sum()
    }

    /// Every request that arrived and is still remembered, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.with(|cluster| cluster.requests().cloned().collect())
    }

    /// How many requests of a kind arrived.
    #[must_use]
    pub fn request_count(&self, api: ApiKey) -> u64 {
        self.with(|cluster| cluster.request_count(api))
    }

    /// What no sound client ever does, in words.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.with(|cluster| cluster.violations().cloned().collect())
    }

    /// Asserts that the topic's values, over all partitions, are exactly `expected`: none missing,
    /// none twice, and no others. The order does not matter; a value that is expected twice must be
    /// there twice; a tombstone counts as an empty value.
    ///
    /// # Panics
    ///
    /// If they are not.
    #[track_caller]
    pub fn assert_delivered_once<V: AsRef<[u8]>>(
        &self,
        topic: &str,
        expected: impl IntoIterator<Item = V>,
    ) {
        let partitions = self.records_by_partition(topic);
        if let Err(complaint) = delivered_once(&partitions, expected) {
            panic!("topic {topic:?}: {complaint}");
        }
    }

    /// Asserts that the values in every partition are in the order in which `sent` has them. Values
    /// that are missing do not matter here; one that `sent` does not have, or has once and the
    /// partition twice, is wrong.
    ///
    /// # Panics
    ///
    /// If they are not.
    #[track_caller]
    pub fn assert_in_order<V: AsRef<[u8]>>(&self, topic: &str, sent: impl IntoIterator<Item = V>) {
        let partitions = self.records_by_partition(topic);
        if let Err(complaint) = in_order(&partitions, sent) {
            panic!("topic {topic:?}: {complaint}");
        }
    }

    /// Asserts that exactly `expected` requests of a kind arrived.
    ///
    /// # Panics
    ///
    /// If fewer or more did.
    #[track_caller]
    pub fn assert_request_count(&self, api: ApiKey, expected: u64) {
        let found = self.request_count(api);
        assert!(
            found == expected,
            "{found} {api:?} requests arrived, {expected} were expected"
        );
    }

    /// Asserts that no client did what no sound client ever does.
    ///
    /// # Panics
    ///
    /// If one did.
    #[track_caller]
    pub fn assert_no_violations(&self) {
        let violations = self.violations();
        let shown = violations
            .iter()
            .take(EXAMPLES)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n  ");
        assert!(
            violations.is_empty(),
            "{} violations:\n  {shown}",
            violations.len()
        );
    }

    /// Asserts that every fault has happened as often as it was asked to. A fault that
    /// lasts forever never has.
    ///
    /// # Panics
    ///
    /// If one has not.
    #[track_caller]
    pub fn assert_faults_happened(&self) {
        let pending = self.pending_faults();
        assert!(
            pending == 0,
            "{pending} faults have not happened as often as they should"
        );
    }
}

fn show(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    if text.chars().count() <= 40 {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(40).collect();
    format!("{start:?}.. ({} bytes)", value.len())
}

fn value(record: &FakeRecord) -> &[u8] {
    record.value.as_deref().unwrap_or_default()
}

fn delivered_once<V: AsRef<[u8]>>(
    partitions: &[Vec<FakeRecord>],
    expected: impl IntoIterator<Item = V>,
) -> Result<(), String> {
    // How often a value is expected, and where it was found.
    let mut tally: BTreeMap<Vec<u8>, (usize, Vec<String>)> = BTreeMap::new();
    let mut expected_count = 0;
    for value in expected {
        tally.entry(value.as_ref().to_vec()).or_default().0 += 1;
        expected_count += 1;
    }
    for (partition, records) in partitions.iter().enumerate() {
        for record in records {
            let entry = tally.entry(value(record).to_vec()).or_default();
            entry.1.push(format!("{partition}@{}", record.offset));
        }
    }
    let found_count: usize = partitions.iter().map(Vec::len).sum();
    let (mut missing, mut repeated, mut unexpected) = (Vec::new(), Vec::new(), Vec::new());
    for (value, (wanted, found)) in &tally {
        let shown = show(value);
        if found.len() < *wanted {
            missing.push(shown);
        } else if *wanted == 0 {
            unexpected.push(format!("{shown} at {}", found.join(", ")));
        } else if found.len() > *wanted {
            repeated.push(format!("{shown} at {}", found.join(", ")));
        }
    }
    if missing.is_empty() && repeated.is_empty() && unexpected.is_empty() {
        return Ok(());
    }
    let mut complaint = format!("{expected_count} records expected, {found_count} found");
    let parts = [
        ("missing", missing),
        ("too often", repeated),
        ("not expected", unexpected),
    ];
    for (what, values) in parts {
        if values.is_empty() {
            continue;
        }
        let shown = values
            .iter()
            .take(EXAMPLES)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n    ");
        let more = if values.len() > EXAMPLES {
            "\n    .."
        } else {
            ""
        };
        // Writing to a string does not fail.
        let _ = write!(
            complaint,
            "\n  {what} (partition@offset), {}:\n    {shown}{more}",
            values.len()
        );
    }
    Err(complaint)
}

fn in_order<V: AsRef<[u8]>>(
    partitions: &[Vec<FakeRecord>],
    sent: impl IntoIterator<Item = V>,
) -> Result<(), String> {
    let mut places: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (place, value) in sent.into_iter().enumerate() {
        places
            .entry(value.as_ref().to_vec())
            .or_default()
            .push(place);
    }
    for (partition, records) in partitions.iter().enumerate() {
        let mut next = 0;
        for record in records {
            let known = places
                .get(value(record))
                .map(Vec::as_slice)
                .unwrap_or_default();
            let at = known.partition_point(|place| *place < next);
            let Some(place) = known.get(at) else {
                let why = if known.is_empty() {
                    "was never sent"
                } else {
                    "lies behind what was sent after it, or is there too often"
                };
                let shown = show(value(record));
                return Err(format!(
                    "partition {partition}, offset {}: {shown} {why}",
                    record.offset
                ));
            };
            next = place + 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(values: &[&str]) -> Vec<FakeRecord> {
        let record = |(offset, value): (i64, &&str)| FakeRecord {
            offset,
            timestamp: 0,
            key: None,
            value: Some(value.as_bytes().to_vec()),
            headers: Vec::new(),
            producer_id: -1,
            producer_epoch: -1,
            sequence: -1,
            leader_epoch: 0,
        };
        (0..).zip(values).map(record).collect()
    }

    #[test]
    fn delivered_once_names_missing_repeated_and_unexpected_values() {
        let partitions = [partition(&["a", "b", "b"]), partition(&["x"])];
        let complaint = delivered_once(&partitions, ["a", "b", "c"]).unwrap_err();
        assert!(
            complaint.contains("3 records expected, 4 found"),
            "{complaint}"
        );
        assert!(
            complaint.contains("missing (partition@offset), 1:\n    \"c\""),
            "{complaint}"
        );
        assert!(complaint.contains("\"b\" at 0@1, 0@2"), "{complaint}");
        assert!(complaint.contains("\"x\" at 1@0"), "{complaint}");
    }

    #[test]
    fn delivered_once_accepts_any_order_and_expected_repetition() {
        let partitions = [partition(&["b", "a"]), partition(&["b"])];
        assert_eq!(delivered_once(&partitions, ["a", "b", "b"]), Ok(()));
    }

    #[test]
    fn order_is_judged_per_partition() {
        let sent = ["a", "b", "c", "d"];
        assert_eq!(
            in_order(&[partition(&["a", "d"]), partition(&["b", "c"])], sent),
            Ok(())
        );
        let complaint = in_order(&[partition(&["a"]), partition(&["c", "b"])], sent).unwrap_err();
        assert!(
            complaint.starts_with("partition 1, offset 1: \"b\" lies behind"),
            "{complaint}"
        );
    }

    #[test]
    fn record_that_is_there_twice_is_out_of_order() {
        assert!(in_order(&[partition(&["a", "b", "b"])], ["a", "b"]).is_err());
        assert!(in_order(&[partition(&["a", "b", "b"])], ["a", "b", "b"]).is_ok());
    }
}
