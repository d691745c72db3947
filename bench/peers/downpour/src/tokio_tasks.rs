//! The asynchronous producer; the modes are those of `bench-tasks`.

use std::error::Error;

use bench_contract::{Payloads, Run};
use bench_tasks::Sender;
use downpour::{Delivery, ProduceError, Producer, Topic};

use crate::settings::record;

struct Downpour {
    producer: Producer,
    topic: Topic,
    run: Run,
}

impl bench_tasks::Producer for Downpour {
    type Error = ProduceError;
    type Handle = Delivery;

    async fn send(&self, payloads: &mut Payloads, number: u64) -> Result<Delivery, ProduceError> {
        let record = record(&self.run, &self.topic, payloads.borrowed(), number);
        Ok(self.producer.send(record).await?)
    }

    async fn wait(handle: Delivery) -> Result<(), ProduceError> {
        handle.await?;
        Ok(())
    }

    async fn send_and_wait(
        &self,
        payloads: &mut Payloads,
        number: u64,
    ) -> Result<(), ProduceError> {
        let record = record(&self.run, &self.topic, payloads.borrowed(), number);
        self.producer.send_and_wait(record).await?;
        Ok(())
    }
}

pub(crate) fn sender(producer: Producer, run: &Run, mode: &str) -> Result<Sender, Box<dyn Error>> {
    let runtime = bench_tasks::runtime(run)?;
    let topic = runtime.block_on(producer.topic(&run.topic))?;
    let producer = Downpour {
        producer,
        topic,
        run: run.clone(),
    };
    bench_tasks::sender(runtime, producer, run, mode)
}
