//! The asynchronous producer; the modes are those of `bench-tasks`.

use std::error::Error;

use bench_contract::{Payloads, Run};
use bench_tasks::Sender;
use downpour::{Delivery, ProduceError, Producer, TopicProducer};

use crate::settings::message;

struct Downpour {
    topic: TopicProducer,
    run: Run,
}

impl bench_tasks::Producer for Downpour {
    type Error = ProduceError;
    type Handle = Delivery;

    async fn send(&self, payloads: &mut Payloads, number: u64) -> Result<Delivery, ProduceError> {
        let message = message(&self.run, payloads.borrowed(), number);
        Ok(self.topic.send(message).await?)
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
        let message = message(&self.run, payloads.borrowed(), number);
        self.topic.send_and_wait(message).await?;
        Ok(())
    }
}

pub(crate) fn sender(producer: Producer, run: &Run, mode: &str) -> Result<Sender, Box<dyn Error>> {
    let runtime = bench_tasks::runtime(run)?;
    let topic = runtime.block_on(producer.topic(&run.topic))?;
    let producer = Downpour {
        topic,
        run: run.clone(),
    };
    bench_tasks::sender(runtime, producer, run, mode)
}
