//! rskafka as a peer; it knows no idempotence, and its acks are always `all`. Modes: `batches` (the
//! caller groups records, and has no completion for each), `each` (one record at a time) and
//! `tasks` (its batching producer, as many tasks as the window, each with one record).

mod awaited;
mod batches;

use std::error::Error;
use std::sync::Arc;

use bench_contract::{About, Codec, Header, Run, Spread};
use bench_tasks::Sender;
use chrono::Utc;
use rskafka::client::ClientBuilder;
use rskafka::client::partition::{Compression, PartitionClient, UnknownTopicHandling};
use rskafka::record::Record;

/// Where neither the run nor the library says how large a batch is.
const BATCH_BYTES: usize = 64 << 10;

fn compression(run: &Run) -> Compression {
    match run.codec {
        Codec::None => Compression::NoCompression,
        Codec::Gzip => Compression::Gzip,
        Codec::Snappy => Compression::Snappy,
        Codec::Lz4 => Compression::Lz4,
        Codec::Zstd => Compression::Zstd,
    }
}

fn record(run: &Run, value: Vec<u8>, number: u64) -> Record {
    let header = |header: &Header| (header.name.to_owned(), header.value.to_vec());
    Record {
        key: run.key(number).map(<[u8]>::to_vec),
        value: Some(value),
        headers: run.headers().iter().map(header).collect(),
        timestamp: Utc::now(),
    }
}

async fn partitions(run: &Run) -> Result<Vec<Arc<PartitionClient>>, rskafka::client::error::Error> {
    let client = ClientBuilder::new(vec![run.bootstrap.clone()])
        .build()
        .await?;
    let mut partitions = Vec::new();
    for partition in 0..run.partitions {
        let unknown = UnknownTopicHandling::Retry;
        let one = client.partition_client(run.topic.as_str(), partition, unknown);
        partitions.push(Arc::new(one.await?));
    }
    Ok(partitions)
}

fn main() -> Result<(), Box<dyn Error>> {
    bench_contract::measure(|run| {
        let about = About {
            peer: "rskafka",
            version: "0.6.0".to_owned(),
        };
        if run.has_keys() && run.spread == Spread::Automatic {
            return Err("rskafka has no partitioner".into());
        }
        let runtime = bench_tasks::runtime(run)?;
        let partitions = runtime.block_on(partitions(run))?;
        let send: Sender = match run.mode.as_str() {
            "batches" => {
                run.one_thread()?;
                Box::new(batches::batches(runtime, partitions, run))
            }
            "tasks" => {
                let producer = awaited::Lingering::new(partitions, run);
                bench_tasks::sender(runtime, producer, run, &run.mode)?
            }
            _ => {
                let producer = awaited::Direct::new(partitions, run);
                bench_tasks::sender(runtime, producer, run, &run.mode)?
            }
        };
        Ok((about, send))
    })
}
