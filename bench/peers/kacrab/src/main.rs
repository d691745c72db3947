//! kacrab as a peer. Modes: those of `bench-tasks`.

use std::error::Error;
use std::sync::Arc;

use bench_contract::{About, Acks, Payloads, Run};
use bench_tasks::Sender;
use kacrab::producer::{Producer, ProducerError, ProducerRecord, SendFuture};

struct Kacrab {
    producer: Producer,
    topic: Arc<str>,
    run: Run,
}

impl bench_tasks::Producer for Kacrab {
    type Error = ProducerError;
    type Handle = SendFuture;

    async fn send(
        &self,
        payloads: &mut Payloads,
        number: u64,
    ) -> Result<SendFuture, ProducerError> {
        let topic = Arc::clone(&self.topic);
        let mut record = match self.run.partition(number) {
            Some(partition) => ProducerRecord::new(topic, partition),
            None => ProducerRecord::unassigned(topic),
        };
        if let Some(key) = self.run.key(number) {
            record = record.key(key);
        }
        for header in self.run.headers() {
            record = record.header(header.name, header.value);
        }
        self.producer.send(record.value(payloads.owned()))
    }

    async fn wait(handle: SendFuture) -> Result<(), ProducerError> {
        handle.await.map(drop)
    }
}

/// The run in kacrab's words. What is not said stays its default.
async fn open(run: &Run) -> Result<Producer, Box<dyn Error>> {
    let acks = if run.acks == Acks::All {
        "all".to_owned()
    } else {
        run.acks.to_string()
    };
    let mut builder = Producer::builder()
        .set("bootstrap.servers", run.bootstrap.as_str())
        .set("acks", acks.as_str())
        .set("enable.idempotence", run.idempotence.to_string().as_str())
        .set("compression.type", run.codec.to_string().as_str());
    let numbers = [
        ("batch.size", run.batch_bytes.map(|bytes| bytes as u64)),
        ("linger.ms", run.linger_ms),
        (
            "max.in.flight.requests.per.connection",
            run.in_flight.map(|requests| requests as u64),
        ),
        ("buffer.memory", run.buffer_bytes.map(|bytes| bytes as u64)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            builder = builder.set(name, number.to_string().as_str());
        }
    }
    Ok(builder.build().await?)
}

fn main() -> Result<(), Box<dyn Error>> {
    bench_contract::measure(|run| {
        let about = About {
            peer: "kacrab",
            version: "0.4.0".to_owned(),
        };
        let runtime = bench_tasks::runtime(run)?;
        let producer = Kacrab {
            producer: runtime.block_on(open(run))?,
            topic: run.topic.as_str().into(),
            run: run.clone(),
        };
        let send: Sender = bench_tasks::sender(runtime, producer, run, &run.mode)?;
        Ok((about, send))
    })
}
