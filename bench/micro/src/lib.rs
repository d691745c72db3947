//! What counted programs and micro benches share: values as the bench's peers send them, and how
//! they get into batches.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use downpour_core::config::{Address, BatchOptions, Config};
use downpour_core::identity::{Grant, Identity};
use downpour_core::ids::MemoryLine;
use downpour_core::output::Outputs;
use downpour_core::queue::{
    Answer, Append, Chunk, Drain, DrainContext, Queue, QueueSettings, Readiness,
};
use downpour_wire::error_code::ErrorCode;
use downpour_wire::record::RecordRef;

/// Bytes of a batch and of a chunk.
pub const BATCH: usize = 64 << 10;

/// Bytes of values that fill some four batches: with five the open one would grow in place of
/// being closed.
pub const FOUR_BATCHES: usize = 228 << 10;

/// The time of all records.
const RECORDS_MS: i64 = 1_700_000_000_000;
/// Where all chunks are lent.
const LINE: MemoryLine = MemoryLine(Some(1));

/// A record without key, always of the same time.
pub fn record(value: &[u8]) -> RecordRef<'_> {
    RecordRef {
        value: Some(value),
        timestamp: RECORDS_MS,
        ..RecordRef::default()
    }
}

/// A partition's queue with memory for more than [`FOUR_BATCHES`].
#[derive(Debug)]
pub struct Partition {
    queue: Queue<Arc<()>>,
    options: BatchOptions,
    chunks: Vec<Vec<u8>>,
    context: DrainContext,
    out: Outputs<Arc<()>>,
}

impl Partition {
    /// An empty one.
    pub fn new() -> Self {
        Self::with(|config| {
            // An idempotent queue has a single slot until a batch was acknowledged.
            config.idempotence = false;
            config.allow_reordering = true;
        })
    }

    /// An empty idempotent one, of which a batch was acknowledged.
    pub fn proven() -> Self {
        let mut partition = Self::with(|_| ());
        partition.append(b"the first");
        let first = partition.drain();
        assert!(first.is_some_and(|first| partition.acknowledge(first)));
        partition.settle();
        partition
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(vec![Address {
            host: Arc::from("nobody"),
            port: 1,
        }]);
        change(&mut config);
        Self {
            queue: Queue::new(Arc::from("t"), 0, LINE, QueueSettings::from(&config), 1),
            options: config.batch_options(),
            // Not zeros, or the system would hand them out only when they are written.
            chunks: (0..16).map(|_| vec![1; BATCH]).collect(),
            context: DrainContext {
                now: Instant::now(),
                broker: 1,
                identity: Some(Grant {
                    identity: Identity { id: 1, epoch: 0 },
                    generation: 0,
                }),
                unix_ms: Some(RECORDS_MS),
                readiness: Readiness::Anything,
            },
            out: Outputs::new(),
        }
    }

    /// The next batch leaves; its number, if there is one.
    #[inline]
    pub fn drain(&mut self) -> Option<u64> {
        match self.queue.poll_drain(&self.context, &mut self.out) {
            Drain::Send(batch) => Some(batch.send_id),
            _ => None,
        }
    }

    /// It is acknowledged. True if that was its verdict.
    #[inline]
    pub fn acknowledge(&mut self, send_id: u64) -> bool {
        let before = self.out.len();
        let answer = Answer {
            base_offset: 5,
            ..Answer::of(ErrorCode::NONE)
        };
        let now = self.context.now;
        self.queue
            .handle_answer(send_id, &answer, now, &mut self.out);
        self.out.len() > before
    }

    /// Drops what the queue asked for, as a shell that did it.
    pub fn settle(&mut self) {
        self.out.clear();
    }

    /// Appends a record, as often as it takes.
    #[inline]
    pub fn append(&mut self, value: &[u8]) {
        let mut chunk = None;
        while let Append::NeedChunk { .. } = self.queue.append(
            &record(value),
            &self.options,
            &mut chunk,
            Instant::now,
            Arc::default,
        ) {
            // Large enough, whatever is asked for.
            let memory = self.chunks.pop();
            chunk = memory.map(|memory| Chunk {
                credit: memory.capacity(),
                memory,
                line: LINE,
            });
        }
    }
}

impl Default for Partition {
    fn default() -> Self {
        Self::new()
    }
}

const EVENTS: [&str; 8] = [
    "page_view",
    "add_to_cart",
    "checkout",
    "search",
    "login",
    "logout",
    "purchase",
    "refund",
];

/// Values of this size, to be sent in turn: like JSON, the same in every run, and more of them
/// than a codec looks back.
pub fn values(size: usize) -> Vec<Vec<u8>> {
    let mut random = Random(7);
    let count = ((512 << 10) / size).max(1);
    (0..count).map(|_| value(&mut random, size)).collect()
}

fn value(random: &mut Random, size: usize) -> Vec<u8> {
    let mut text = format!(
        r#"{{"id":{},"user":"u-{:06x}","event":"{}","at":{}"#,
        random.below(100_000_000),
        random.below(1 << 24),
        EVENTS[random.below(8) as usize],
        1_760_000_000_000 + random.below(100_000_000),
    );
    while text.len() + 2 < size {
        let (name, event) = (random.below(20), EVENTS[random.below(8) as usize]);
        // A string takes whatever is written.
        let _ = write!(
            text,
            r#","attr_{name}":"{event}-{}""#,
            random.below(1_000_000)
        );
    }
    text.truncate(size.saturating_sub(2));
    text.push_str("\"}");
    text.truncate(size);
    text.into_bytes()
}

/// xorshift: good enough for digits.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}
