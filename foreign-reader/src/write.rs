//! librdkafka's producer: sends records and waits until each is acknowledged.

use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::Mutex;

/// All that is sent has arrived, or has failed, by then.
const WITHIN: Duration = Duration::from_secs(30);

/// Keeps the first failure.
#[derive(Default)]
struct Failures(Mutex<(u64, Option<String>)>);

impl ClientContext for Failures {}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut kept = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        match result {
            Ok(_) => kept.0 += 1,
            Err((error, _)) => {
                kept.1.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// Writes `value-0`, `value-1` and so on, under seven keys by turns.
///
/// # Errors
/// When a record does not arrive.
pub fn write_topic(
    bootstrap: &str,
    topic: &str,
    codec: &str,
    idempotent: bool,
    count: u64,
) -> Result<(), String> {
    let producer: BaseProducer<Failures> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("compression.type", codec)
        .set("enable.idempotence", idempotent.to_string())
        .set("acks", "all")
        .set("message.timeout.ms", WITHIN.as_millis().to_string())
        .create_with_context(Failures::default())
        .map_err(|error| error.to_string())?;
    for number in 0..count {
        let (key, value) = (format!("key-{}", number % 7), format!("value-{number}"));
        let mut record = BaseRecord::to(topic).key(&key).payload(&value);
        loop {
            match producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    producer.poll(Duration::from_millis(10));
                    record = back;
                }
                Err((error, _)) => return Err(error.to_string()),
            }
        }
    }
    producer.flush(WITHIN).map_err(|error| error.to_string())?;
    let context = producer.context();
    let kept = context
        .0
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    match &kept.1 {
        Some(failure) => Err(failure.clone()),
        None if kept.0 == count => Ok(()),
        None => Err(format!("{} of {count} were acknowledged", kept.0)),
    }
}
