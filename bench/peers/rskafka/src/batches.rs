//! The caller groups records by partition, and a request of one batch goes out when it is full. So
//! many batches of a partition may be on their way as requests may be in flight.

use std::collections::VecDeque;
use std::sync::Arc;

use bench_contract::{Payloads, Run, Tally};
use rskafka::client::error::Error;
use rskafka::client::partition::{Compression, PartitionClient};
use rskafka::record::Record;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// What a record adds to its value at most, as long as the value is no longer than a mebibyte.
const OVERHEAD: usize = 12;
/// The header of a batch.
const HEADER: usize = 61;

type Answer = JoinHandle<Result<Vec<i64>, Error>>;

struct Lane {
    client: Arc<PartitionClient>,
    open: Vec<Record>,
    on_their_way: VecDeque<Answer>,
}

struct Lanes {
    lanes: Vec<Lane>,
    compression: Compression,
    in_flight: usize,
    per_batch: usize,
    /// Where a record without a partition goes: the next, each time a batch is full.
    sticky: usize,
}

pub(crate) fn batches(
    runtime: Runtime,
    partitions: Vec<Arc<PartitionClient>>,
    run: &Run,
) -> impl FnMut(&mut Payloads, u64) -> Tally + use<> {
    let bytes = run.batch_bytes.unwrap_or(crate::BATCH_BYTES);
    let beside: usize = run
        .headers()
        .iter()
        .map(|header| header.name.len() + header.value.len() + 2)
        .sum::<usize>()
        + run.key(0).map_or(0, <[u8]>::len);
    let per_batch = (bytes.saturating_sub(HEADER) / (run.size + beside + OVERHEAD)).max(1);
    let lane = |client| Lane {
        client,
        open: Vec::with_capacity(per_batch),
        on_their_way: VecDeque::new(),
    };
    let mut lanes = Lanes {
        lanes: partitions.into_iter().map(lane).collect(),
        compression: crate::compression(run),
        in_flight: run.in_flight.unwrap_or(5),
        per_batch,
        sticky: 0,
    };
    let run = run.clone();
    move |payloads, records| runtime.block_on(lanes.send(&run, payloads, records))
}

impl Lanes {
    async fn send(&mut self, run: &Run, payloads: &mut Payloads, records: u64) -> Tally {
        let mut tally = Tally::default();
        for number in 0..records {
            let at = run
                .partition(number)
                .and_then(|partition| usize::try_from(partition).ok())
                .unwrap_or(self.sticky);
            let record = crate::record(run, payloads.owned(), number);
            self.lanes[at].open.push(record);
            if self.lanes[at].open.len() >= self.per_batch {
                self.sticky = (self.sticky + 1) % self.lanes.len();
                self.dispatch(at, &mut tally).await;
            }
        }
        for at in 0..self.lanes.len() {
            self.dispatch(at, &mut tally).await;
        }
        for lane in &mut self.lanes {
            while let Some(oldest) = lane.on_their_way.pop_front() {
                judge(oldest, &mut tally).await;
            }
        }
        tally
    }

    async fn dispatch(&mut self, at: usize, tally: &mut Tally) {
        let lane = &mut self.lanes[at];
        if lane.open.is_empty() {
            return;
        }
        if lane.on_their_way.len() >= self.in_flight {
            if let Some(oldest) = lane.on_their_way.pop_front() {
                judge(oldest, tally).await;
            }
        }
        let batch = std::mem::replace(&mut lane.open, Vec::with_capacity(self.per_batch));
        let client = Arc::clone(&lane.client);
        let compression = self.compression;
        let answer = tokio::spawn(async move { client.produce(batch, compression).await });
        lane.on_their_way.push_back(answer);
    }
}

async fn judge(answer: Answer, tally: &mut Tally) {
    match answer.await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tally.fail(error),
        Err(error) => tally.fail(error),
    }
}
