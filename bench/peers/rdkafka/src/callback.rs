//! The producers that report deliveries to a callback: the one that the caller polls, and the one
//! with a thread that polls.

#![expect(
    clippy::result_large_err,
    reason = "librdkafka's binding gives the record back unboxed, and we insist"
)]

use std::error::Error;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use bench_contract::{Payloads, Run, Tally, in_threads};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext as _};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{
    BaseProducer, BaseRecord, Producer as _, ProducerContext, ThreadedProducer,
};
use rdkafka::types::RDKafkaErrorCode;

use crate::settings::headers;

/// The caller of the polled producer serves reports once in so many records.
const POLL_EVERY: usize = 1024;

const FLUSH_WITHIN: Duration = Duration::from_secs(120);

/// Counts what was delivered.
#[derive(Default)]
pub(crate) struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    first: Mutex<Option<String>>,
}

impl ClientContext for Counts {}

impl ProducerContext for Counts {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                self.delivered.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                if let Ok(mut first) = self.first.lock() {
                    first.get_or_insert_with(|| error.to_string());
                }
            }
        }
    }
}

impl Counts {
    /// What became of `sent` records; counts from zero again.
    fn take(&self, sent: u64) -> Tally {
        let delivered = self.delivered.swap(0, Ordering::Relaxed);
        let failed = self.failed.swap(0, Ordering::Relaxed);
        let first = self.first.lock().ok().and_then(|mut first| first.take());
        let lost = sent - delivered.min(sent);
        let unreported = || "a record was never reported".to_owned();
        Tally {
            errors: lost.max(failed),
            first_error: first.or_else(|| (lost > 0).then(unreported)),
            ..Tally::default()
        }
    }
}

fn record<'a>(run: &'a Run, value: &'a [u8], number: u64) -> BaseRecord<'a, [u8], [u8]> {
    let mut record = BaseRecord::to(&run.topic).payload(value);
    record.partition = run.partition(number);
    record.key = run.key(number);
    record.timestamp = run.timestamp_ms;
    record.headers = headers(run);
    record
}

/// Sends until the queue takes it; `when_full` makes room or waits.
fn insist<'a>(
    mut record: BaseRecord<'a, [u8], [u8]>,
    send: impl Fn(BaseRecord<'a, [u8], [u8]>) -> Result<(), (KafkaError, BaseRecord<'a, [u8], [u8]>)>,
    when_full: impl Fn(),
) -> Result<(), KafkaError> {
    loop {
        match send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                record = back;
                when_full();
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// The producer that the caller polls.
pub(crate) fn base(
    config: &ClientConfig,
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    let run = run.clone();
    let producer = BaseProducer::from_config_and_context(config, Counts::default())?;
    Ok(move |payloads: &mut Payloads, records| {
        let mut refused = in_threads(&run, payloads, records, |payloads, share| {
            let mut refused = Tally::default();
            for (index, number) in share.numbers().enumerate() {
                let record = record(&run, payloads.borrowed(), number);
                let wait = || {
                    producer.poll(Duration::from_millis(1));
                };
                if let Err(error) = insist(record, |record| producer.send(record), wait) {
                    refused.fail(error);
                }
                if index % POLL_EVERY == 0 {
                    producer.poll(Duration::ZERO);
                }
            }
            refused
        });
        if let Err(error) = producer.flush(FLUSH_WITHIN) {
            refused.fail(error);
        }
        merge(refused, producer.context().take(records))
    })
}

/// The producer with a thread that polls.
pub(crate) fn threaded(
    config: &ClientConfig,
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    let run = run.clone();
    let producer: ThreadedProducer<Counts> =
        ThreadedProducer::from_config_and_context(config, Counts::default())?;
    Ok(move |payloads: &mut Payloads, records| {
        let mut refused = in_threads(&run, payloads, records, |payloads, share| {
            let mut refused = Tally::default();
            for number in share.numbers() {
                let record = record(&run, payloads.borrowed(), number);
                let wait = || thread::sleep(Duration::from_millis(1));
                if let Err(error) = insist(record, |record| producer.send(record), wait) {
                    refused.fail(error);
                }
            }
            refused
        });
        if let Err(error) = producer.flush(FLUSH_WITHIN) {
            refused.fail(error);
        }
        merge(refused, producer.context().take(records))
    })
}

/// A record that was refused is missing among the delivered too, so the reports count it.
fn merge(refused: Tally, reported: Tally) -> Tally {
    Tally {
        errors: reported.errors.max(refused.errors),
        first_error: refused.first_error.or(reported.first_error),
        ..Tally::default()
    }
}
