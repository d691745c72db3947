//! The producer whose sends return futures, on a runtime of two workers. With a window of one it
//! awaits each record and times it.

use std::error::Error;
use std::time::{Duration, Instant};

use bench_contract::{Pace, Payloads, Run, Tally};
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::future_producer::{DeliveryFuture, FutureProducer, FutureRecord};
use rdkafka::types::RDKafkaErrorCode;

pub(crate) fn future(
    config: &ClientConfig,
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    let run = run.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let producer: FutureProducer = runtime.block_on(async { config.create() })?;
    Ok(move |payloads: &mut Payloads, records| {
        runtime.block_on(async {
            if run.window == 1 {
                each(&producer, &run, payloads, records).await
            } else {
                window(&producer, &run, payloads, records).await
            }
        })
    })
}

async fn window(
    producer: &FutureProducer,
    run: &Run,
    payloads: &mut Payloads,
    records: u64,
) -> Tally {
    let mut tally = Tally::default();
    let mut pace = Pace::new(run.window);
    for number in 0..records {
        match send(producer, run, payloads.borrowed(), number).await {
            Ok(delivery) => {
                if let Some(oldest) = pace.push(delivery) {
                    judge(oldest, &mut tally).await;
                }
            }
            Err(error) => tally.fail(error),
        }
    }
    while let Some(oldest) = pace.pop() {
        judge(oldest, &mut tally).await;
    }
    tally
}

async fn each(
    producer: &FutureProducer,
    run: &Run,
    payloads: &mut Payloads,
    records: u64,
) -> Tally {
    let mut tally = Tally::default();
    for number in 0..records {
        let began = Instant::now();
        match send(producer, run, payloads.borrowed(), number).await {
            Ok(delivery) => judge(delivery, &mut tally).await,
            Err(error) => tally.fail(error),
        }
        tally.latencies.push(began.elapsed().as_nanos() as u64);
    }
    tally
}

async fn send(
    producer: &FutureProducer,
    run: &Run,
    value: &[u8],
    number: u64,
) -> Result<DeliveryFuture, KafkaError> {
    let mut record: FutureRecord<'_, (), [u8]> = FutureRecord::to(&run.topic).payload(value);
    record.partition = run.partition(number);
    loop {
        match producer.send_result(record) {
            Ok(delivery) => return Ok(delivery),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                record = back;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Err((error, _)) => return Err(error),
        }
    }
}

async fn judge(delivery: DeliveryFuture, tally: &mut Tally) {
    match delivery.await {
        Ok(Ok(_)) => {}
        Ok(Err((error, _))) => tally.fail(error),
        Err(canceled) => tally.fail(canceled),
    }
}
