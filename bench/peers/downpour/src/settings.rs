//! The run in downpour's words. What is not said stays its default.

use std::error::Error;
use std::time::Duration;

use bench_contract::{Acks, Run};
use downpour::{CompressionType, Message, Producer, ProducerBuilder};

pub(crate) fn builder(run: &Run) -> Result<ProducerBuilder, Box<dyn Error>> {
    let codec = CompressionType::from_name(&run.codec.to_string()).ok_or("an unknown codec")?;
    let mut builder = Producer::builder(&run.bootstrap)
        .acks(match run.acks {
            Acks::All => downpour::Acks::All,
            Acks::One => downpour::Acks::Leader,
            Acks::Zero => downpour::Acks::None,
        })
        .idempotence(run.idempotence)
        .compression(codec);
    if let Some(bytes) = run.batch_bytes {
        builder = builder.batch_size(bytes);
    }
    if let Some(millis) = run.linger_ms {
        builder = builder.linger(Duration::from_millis(millis));
    }
    if let Some(requests) = run.in_flight {
        builder = builder.max_in_flight(requests);
    }
    if let Some(bytes) = run.buffer_bytes {
        builder = builder.buffer_memory(bytes);
    }
    if let Some(seconds) = run.old_record_age_s {
        builder = builder.old_record_age(Duration::from_secs(seconds));
    }
    Ok(builder)
}

/// A record of the run, for a producer that is bound to its topic, as a program that sends much has
/// one.
#[inline]
pub(crate) fn message<'a>(run: &Run, value: &'a [u8], number: u64) -> Message<'a> {
    let mut message = Message::from(value);
    if let Some(partition) = run.partition(number) {
        message = message.partition(partition);
    }
    if let Some(key) = run.key(number) {
        message = message.key(key);
    }
    if let Some(millis) = run.timestamp_ms {
        message = message.timestamp_ms(millis);
    }
    if !run.headers().is_empty() {
        let pairs = run.headers().iter();
        message = message.headers(pairs.map(|header| (header.name, header.value)));
    }
    message
}
