//! A broker's own words about records that it refuses, which clients show to people. They differ by
//! release.

use downpour_wire::batch::OwnedRecord;

use super::rules::Rules;
use crate::version::KafkaVersion;

/// Of a batch some of whose timestamps are refused.
pub(super) const TIMESTAMPS: &str =
    "One or more records have been rejected due to invalid timestamp";

/// Of a record without a key in a compacted topic.
pub(super) fn keyless(rules: &Rules) -> String {
    let place = &rules.place;
    let end = if is_old(rules) { "." } else { "" };
    format!("Compacted topic cannot accept message without key in topic partition {place}{end}")
}

/// Of a record whose batch says that the broker gave it its time.
pub(super) fn marked(record: &OwnedRecord) -> String {
    let (key, value) = (bytes(record.key.as_ref()), bytes(record.value.as_ref()));
    format!(
        "Invalid timestamp type in message DefaultRecord(offset={}, timestamp={}, key={key} bytes, \
         value={value} bytes). Producer should not set timestamp type to LogAppendTime.",
        record.offset_delta, record.timestamp
    )
}

fn bytes(field: Option<&Vec<u8>>) -> usize {
    field.map_or(0, Vec::len)
}

/// Of a record that is too old or too far ahead.
pub(super) fn out_of_range(rules: &Rules, record: &OwnedRecord) -> String {
    let (from, to) = rules.timestamps;
    format!(
        "Timestamp {} of message with offset {} is out of range. The timestamp should be within \
         [{from}, {to}]",
        record.timestamp, record.offset_delta
    )
}

/// Of a batch that is refused for these records.
pub(super) fn rejected(rules: &Rules, errors: &[(i32, String)]) -> String {
    if is_old(rules) {
        return "One or more records have been rejected".to_owned();
    }
    let shown: Vec<String> = errors
        .iter()
        .take(3)
        .map(|(index, message)| format!("RecordError(batchIndex={index}, message='{message}')"))
        .collect();
    format!(
        "One or more records have been rejected due to {} record errors in total, and only showing \
         the first three errors at most: [{}]",
        errors.len(),
        shown.join(", ")
    )
}

const fn is_old(rules: &Rules) -> bool {
    matches!(rules.release, KafkaVersion::V2_1 | KafkaVersion::V2_8)
}
