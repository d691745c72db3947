//! The producer whose sends return futures; the modes are those of `bench-tasks`.

use std::error::Error;
use std::time::Duration;

use bench_contract::{Payloads, Run};
use bench_tasks::Sender;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::future_producer::{DeliveryFuture, FutureProducer, FutureRecord};
use rdkafka::types::RDKafkaErrorCode;

use crate::settings::headers;

struct Future {
    producer: FutureProducer,
    run: Run,
}

impl bench_tasks::Producer for Future {
    type Error = KafkaError;
    type Handle = DeliveryFuture;

    async fn send(
        &self,
        payloads: &mut Payloads,
        number: u64,
    ) -> Result<DeliveryFuture, KafkaError> {
        let value = payloads.borrowed();
        let mut record: FutureRecord<'_, [u8], [u8]> =
            FutureRecord::to(&self.run.topic).payload(value);
        record.partition = self.run.partition(number);
        record.key = self.run.key(number);
        record.headers = headers(&self.run);
        loop {
            match self.producer.send_result(record) {
                Ok(delivery) => return Ok(delivery),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    async fn wait(handle: DeliveryFuture) -> Result<(), KafkaError> {
        match handle.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err((error, _))) => Err(error),
            Err(_) => Err(KafkaError::Canceled),
        }
    }
}

pub(crate) fn sender(
    config: &ClientConfig,
    run: &Run,
    mode: &str,
) -> Result<Sender, Box<dyn Error>> {
    let runtime = bench_tasks::runtime(run)?;
    let producer = Future {
        producer: runtime.block_on(async { config.create() })?,
        run: run.clone(),
    };
    bench_tasks::sender(runtime, producer, run, mode)
}
