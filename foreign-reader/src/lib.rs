//! librdkafka as a reader of topics, and as a writer to the fake. It stands for every other client, since nobody here wrote its
//! code. Who wrote the records, and how, is not looked at.

mod consumer;
mod count;
mod write;

use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message, Timestamp};
use serde_json::{Value, json};

use consumer::{ANSWER_WITHIN, assign, open, partitions};

pub use count::{Values, count_topic};
pub use write::write_topic;

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
    let consumer = open(bootstrap, is_committed)?;
    let mut open = partitions(&consumer, topic)?;
    assign(&consumer, topic, &open)?;
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
