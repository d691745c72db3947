//! One record, one answer: through a partition's client, or through its producer that lingers.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bench_contract::{Payloads, Run};
use rskafka::client::partition::{Compression, PartitionClient};
use rskafka::client::producer::aggregator::RecordAggregator;
use rskafka::client::producer::{BatchProducer, BatchProducerBuilder};

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

fn said(error: impl fmt::Display) -> String {
    error.to_string()
}

/// Records without a partition go round.
fn partition(run: &Run, number: u64, partitions: usize) -> usize {
    run.partition(number)
        .and_then(|partition| usize::try_from(partition).ok())
        .unwrap_or(number as usize % partitions)
}

/// A request for each record.
pub(crate) struct Direct {
    partitions: Vec<Arc<PartitionClient>>,
    compression: Compression,
    run: Run,
}

impl Direct {
    pub(crate) fn new(partitions: Vec<Arc<PartitionClient>>, run: &Run) -> Self {
        Self {
            partitions,
            compression: crate::compression(run),
            run: run.clone(),
        }
    }
}

impl bench_tasks::Producer for Direct {
    type Error = String;
    type Handle = Answer;

    async fn send(&self, payloads: &mut Payloads, number: u64) -> Result<Answer, String> {
        let at = partition(&self.run, number, self.partitions.len());
        let client = Arc::clone(&self.partitions[at]);
        let compression = self.compression;
        let records = vec![crate::record(&self.run, payloads.owned(), number)];
        Ok(Box::pin(async move {
            client
                .produce(records, compression)
                .await
                .map(drop)
                .map_err(said)
        }))
    }

    async fn wait(handle: Answer) -> Result<(), String> {
        handle.await
    }
}

/// The producer that gathers what many tasks send.
pub(crate) struct Lingering {
    producers: Vec<Arc<BatchProducer<RecordAggregator>>>,
    run: Run,
}

impl Lingering {
    pub(crate) fn new(partitions: Vec<Arc<PartitionClient>>, run: &Run) -> Self {
        let bytes = run.batch_bytes.unwrap_or(crate::BATCH_BYTES);
        let open = |client| {
            let mut builder =
                BatchProducerBuilder::new(client).with_compression(crate::compression(run));
            if let Some(millis) = run.linger_ms {
                builder = builder.with_linger(Duration::from_millis(millis));
            }
            Arc::new(builder.build(RecordAggregator::new(bytes)))
        };
        Self {
            producers: partitions.into_iter().map(open).collect(),
            run: run.clone(),
        }
    }
}

impl bench_tasks::Producer for Lingering {
    type Error = String;
    type Handle = Answer;

    async fn send(&self, payloads: &mut Payloads, number: u64) -> Result<Answer, String> {
        let at = partition(&self.run, number, self.producers.len());
        let producer = Arc::clone(&self.producers[at]);
        let record = crate::record(&self.run, payloads.owned(), number);
        Ok(Box::pin(async move {
            producer.produce(record).await.map(drop).map_err(said)
        }))
    }

    async fn wait(handle: Answer) -> Result<(), String> {
        handle.await
    }
}
