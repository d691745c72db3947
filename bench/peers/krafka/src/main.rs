//! krafka as a peer. Modes: those of `bench-tasks`.

use std::error::Error;
use std::time::Duration;

use bench_contract::{About, Codec, Payloads, Run};
use bench_tasks::Sender;
use krafka::producer::{Acks, DeliveryHandle, Producer};
use krafka::{Compression, Kafka, KrafkaError, Record};

struct Krafka {
    producer: Producer,
    run: Run,
}

impl bench_tasks::Producer for Krafka {
    type Error = KrafkaError;
    type Handle = DeliveryHandle;

    async fn send(
        &self,
        payloads: &mut Payloads,
        number: u64,
    ) -> Result<DeliveryHandle, KrafkaError> {
        let mut record = Record::new(self.run.topic.as_str(), payloads.owned());
        if let Some(partition) = self.run.partition(number) {
            record = record.partition(partition);
        }
        if let Some(key) = self.run.key(number) {
            record = record.key(key);
        }
        for header in self.run.headers() {
            record = record.header(header.name, header.value);
        }
        self.producer.enqueue(record).await
    }

    async fn wait(handle: DeliveryHandle) -> Result<(), KrafkaError> {
        handle.await.map(drop)
    }
}

/// The run in krafka's words. What is not said stays its default.
async fn open(run: &Run) -> Result<Producer, KrafkaError> {
    let mut kafka = Kafka::builder(run.bootstrap.as_str());
    if let Some(requests) = run.in_flight {
        kafka = kafka.max_in_flight_requests(requests);
    }
    let kafka = kafka.connect().await?;
    let mut producer = kafka
        .producer()
        .acks(match run.acks {
            bench_contract::Acks::All => Acks::All,
            bench_contract::Acks::One => Acks::Leader,
            bench_contract::Acks::Zero => Acks::None,
        })
        .idempotent(run.idempotence)
        .compression(match run.codec {
            Codec::None => Compression::None,
            Codec::Gzip => Compression::Gzip,
            Codec::Snappy => Compression::Snappy,
            Codec::Lz4 => Compression::Lz4,
            Codec::Zstd => Compression::Zstd,
        });
    if let Some(bytes) = run.batch_bytes {
        producer = producer.batch_size(bytes);
    }
    if let Some(millis) = run.linger_ms {
        producer = producer.linger(Duration::from_millis(millis));
    }
    if let Some(bytes) = run.buffer_bytes {
        producer = producer.buffer_memory(bytes);
    }
    producer.build().await
}

fn main() -> Result<(), Box<dyn Error>> {
    bench_contract::measure(|run| {
        let about = About {
            peer: "krafka",
            version: "0.28.1".to_owned(),
        };
        let runtime = bench_tasks::runtime(run)?;
        let producer = Krafka {
            producer: runtime.block_on(open(run))?,
            run: run.clone(),
        };
        let send: Sender = bench_tasks::sender(runtime, producer, run, &run.mode)?;
        Ok((about, send))
    })
}
