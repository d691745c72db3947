//! The modes on tokio's runtime of two workers.

use std::error::Error;
use std::time::Instant;

use bench_contract::{Pace, Payloads, Run, Tally};
use downpour::{Delivery, Producer, Topic};
use tokio::runtime::{Builder, Runtime};

use crate::settings::record;

fn open(producer: &Producer, run: &Run) -> Result<(Runtime, Topic), Box<dyn Error>> {
    let runtime = Builder::new_multi_thread().worker_threads(2).build()?;
    let topic = runtime.block_on(producer.topic(&run.topic))?;
    Ok((runtime, topic))
}

async fn judge(delivery: Delivery, tally: &mut Tally) {
    if let Err(error) = delivery.await {
        tally.fail(error);
    }
}

/// A handle per record, awaited in order.
pub(crate) fn handles(
    producer: Producer,
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    let run = run.clone();
    let (runtime, topic) = open(&producer, &run)?;
    let send = async move |payloads: &mut Payloads, records| {
        let mut tally = Tally::default();
        let mut pace = Pace::new(run.window);
        for number in 0..records {
            match producer
                .send(record(&run, &topic, payloads.borrowed(), number))
                .await
            {
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
    };
    Ok(move |payloads: &mut Payloads, records| runtime.block_on(send(payloads, records)))
}

/// One record at a time.
pub(crate) fn each(
    producer: Producer,
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    let run = run.clone();
    let (runtime, topic) = open(&producer, &run)?;
    let send = async move |payloads: &mut Payloads, records| {
        let mut tally = Tally::default();
        for number in 0..records {
            let began = Instant::now();
            let record = record(&run, &topic, payloads.borrowed(), number);
            if let Err(error) = producer.send_and_wait(record).await {
                tally.fail(error);
            }
            tally.latencies.push(began.elapsed().as_nanos() as u64);
        }
        tally
    };
    Ok(move |payloads: &mut Payloads, records| runtime.block_on(send(payloads, records)))
}
