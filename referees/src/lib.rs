//! librdkafka as a reader: whatever it makes of a topic, nobody here wrote the code that made it.
//! How the records got there is not looked at.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message, Timestamp};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};

/// How long one answer of the cluster may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Reads a topic from its beginning to the end of each partition and hands every record to
/// `take`, as JSON: keys, values and headers in hex, null for Kafka's null. Checksums are checked.
///
/// # Errors
/// When the topic is unknown, a record is refused by librdkafka, or nothing comes for 20 s.
pub fn read_topic(
    bootstrap: &str,
    topic: &str,
    is_committed: bool,
    mut take: impl FnMut(Value),
) -> Result<(), String> {
    let isolation = if is_committed {
        "read_committed"
    } else {
        "read_uncommitted"
    };
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "referee")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("check.crcs", "true")
        .set("isolation.level", isolation)
        .create()
        .map_err(|error| error.to_string())?;
    let metadata = consumer
        .fetch_metadata(Some(topic), ANSWER_WITHIN)
        .map_err(|error| error.to_string())?;
    let mut open: BTreeSet<i32> = metadata
        .topics()
        .iter()
        .filter(|known| known.name() == topic)
        .flat_map(|known| known.partitions().iter().map(|partition| partition.id()))
        .collect();
    if open.is_empty() {
        return Err(format!("{topic} has no partitions"));
    }
    let mut list = TopicPartitionList::new();
    for partition in &open {
        list.add_partition_offset(topic, *partition, Offset::Beginning)
            .map_err(|error| error.to_string())?;
    }
    consumer.assign(&list).map_err(|error| error.to_string())?;
    let mut until = Instant::now() + ANSWER_WITHIN;
    while !open.is_empty() {
        if Instant::now() >= until {
            return Err(format!("nothing came from {topic} for {ANSWER_WITHIN:?}"));
        }
        match consumer.poll(Duration::from_millis(100)) {
            None => continue,
            Some(Ok(message)) => take(record(&message)),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            Some(Err(error)) => return Err(error.to_string()),
        }
        until = Instant::now() + ANSWER_WITHIN;
    }
    Ok(())
}

fn record(message: &BorrowedMessage<'_>) -> Value {
    let (timestamp, is_append_time) = match message.timestamp() {
        Timestamp::CreateTime(at) => (at, false),
        Timestamp::LogAppendTime(at) => (at, true),
        Timestamp::NotAvailable => (-1, false),
    };
    let headers: Vec<Value> = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter())
        .map(|header| json!([header.key, hex(header.value)]))
        .collect();
    json!({
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp_ms": timestamp,
        "is_append_time": is_append_time,
        "key": hex(message.key()),
        "value": hex(message.payload()),
        "headers": headers,
    })
}

fn hex(bytes: Option<&[u8]>) -> Option<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| DIGITS[usize::from(half)] as char;
    // No formatting: a large topic has a thousand million bytes.
    bytes.map(|bytes| {
        let mut text = String::with_capacity(2 * bytes.len());
        for byte in bytes {
            text.extend([digit(byte >> 4), digit(byte & 15)]);
        }
        text
    })
}
