//! Who sends what where in a storm: topics, producers, writers, and what each producer promises. It is
//! the same in every run; what differs with the seed are the faults and the codecs.

use std::time::Duration;

use downpour::{Acks, CompressionType, ConfigError, Producer};

/// How the ids of all clients begin.
pub const CLIENT_ID: &str = "storm-";

/// A topic.
#[derive(Debug)]
pub struct TopicPlan {
    /// Its name.
    pub name: &'static str,
    /// How many partitions it has at first.
    pub partitions: u32,
    /// How many replicas.
    pub replicas: u16,
    /// Its `min.insync.replicas`.
    pub in_sync: &'static str,
}

const fn topic(
    name: &'static str,
    partitions: u32,
    replicas: u16,
    in_sync: &'static str,
) -> TopicPlan {
    TopicPlan {
        name,
        partitions,
        replicas,
        in_sync,
    }
}

/// Of which nothing may be lost.
pub const SAFE: usize = 0;
/// One replica, which is away whenever its broker is.
pub const SINGLE: usize = 1;
/// Gets more partitions.
pub const GROWING: usize = 2;
/// Is deleted and made anew.
pub const REBORN: usize = 3;
/// May be led by a replica that is not in sync.
pub const UNCLEAN: usize = 4;
/// Its records are older than brokers remember producers.
pub const OLD: usize = 5;
/// Is written without waiting for replicas, or without idempotence.
pub const WEAK: usize = 6;

/// All topics.
pub const TOPICS: [TopicPlan; 7] = [
    topic("safe", 6, 3, "2"),
    topic("single", 4, 1, "1"),
    topic("growing", 2, 3, "2"),
    topic("reborn", 4, 3, "2"),
    topic("unclean", 3, 3, "1"),
    topic("old", 3, 3, "2"),
    topic("weak", 4, 3, "1"),
];

/// What a producer promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Each delivered record is there once, at its offset, in order; what failed is not there.
    Once,
    /// Each delivered record is there, perhaps more than once; what failed is not there.
    AtLeastOnce,
    /// What failed is not there.
    Honest,
}

/// A producer.
#[derive(Debug)]
pub struct ProducerPlan {
    /// The end of its client id.
    pub name: &'static str,
    acks: Acks,
    is_idempotent: bool,
    delivery_timeout_s: u64,
    buffer_kib: usize,
    metadata_s: u64,
}

const fn producer(
    name: &'static str,
    delivery_timeout_s: u64,
    buffer_kib: usize,
    metadata_s: u64,
) -> ProducerPlan {
    ProducerPlan {
        name,
        acks: Acks::All,
        is_idempotent: true,
        delivery_timeout_s,
        buffer_kib,
        metadata_s,
    }
}

const fn weak(name: &'static str, acks: Acks) -> ProducerPlan {
    ProducerPlan {
        name,
        acks,
        is_idempotent: false,
        delivery_timeout_s: 30,
        buffer_kib: 8192,
        metadata_s: 300,
    }
}

/// All producers; writers name them by their place.
pub const PRODUCERS: [ProducerPlan; 9] = [
    producer("all", 120, 65_536, 300),
    // So small that its writers wait for memory, and that one broker's trouble is all brokers'.
    producer("small", 60, 256, 300),
    producer("tasks", 60, 16_384, 5),
    // Gives up before most faults are over.
    producer("hasty", 6, 4096, 2),
    producer("reborn", 20, 8192, 5),
    producer("old", 60, 8192, 300),
    weak("leader", Acks::Leader),
    weak("none", Acks::None),
    weak("twice", Acks::All),
];

/// The longest of all delivery timeouts.
pub const DELIVERY_MAX: Duration = Duration::from_secs(120);

impl ProducerPlan {
    /// Its client id.
    pub fn client_id(&self) -> String {
        format!("{CLIENT_ID}{}", self.name)
    }

    /// What it promises.
    pub fn promise(&self) -> Promise {
        match (self.acks, self.is_idempotent) {
            (Acks::All, true) => Promise::Once,
            (Acks::All, false) => Promise::AtLeastOnce,
            _ => Promise::Honest,
        }
    }

    /// Makes it.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn build(&self, bootstrap: &str, codec: CompressionType) -> Result<Producer, ConfigError> {
        let mut builder = Producer::builder(bootstrap)
            .client_id(self.client_id())
            .compression(codec)
            .delivery_timeout(Duration::from_secs(self.delivery_timeout_s))
            // What half-open connections and paused brokers cost.
            .request_timeout(Duration::from_secs(5))
            .max_block(Duration::from_secs(10))
            .buffer_memory(self.buffer_kib * 1024)
            .metadata_max_age(Duration::from_secs(self.metadata_s));
        if self.acks != Acks::All {
            builder = builder.acks(self.acks);
        }
        if !self.is_idempotent {
            builder = builder.idempotence(false);
        }
        builder.build()
    }
}

/// How a record finds its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// By its key.
    Keyed,
    /// The producer chooses.
    Keyless,
    /// It is named.
    Explicit,
}

/// How records are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A thread sends and takes verdicts as they come.
    Send,
    /// A thread sends several at a time.
    Many,
    /// A thread waits for each.
    Wait,
    /// A task sends and awaits verdicts as they come.
    TaskSend,
    /// A task awaits each.
    TaskWait,
}

/// A writer: a thread or a task that sends to one topic.
#[derive(Debug)]
pub struct WriterPlan {
    /// Its producer's place.
    pub producer: usize,
    /// Its topic's place.
    pub topic: usize,
    /// How its records find their partitions.
    pub shape: Shape,
    /// How it sends.
    pub verb: Verb,
    /// The most records per second.
    pub per_second: u64,
    /// The most bytes of a value.
    pub value_max: usize,
}

const fn writer(
    producer: usize,
    topic: usize,
    shape: Shape,
    verb: Verb,
    per_second: u64,
    value_max: usize,
) -> WriterPlan {
    WriterPlan {
        producer,
        topic,
        shape,
        verb,
        per_second,
        value_max,
    }
}

/// All writers; a record's tag names them by their place.
#[rustfmt::skip]
pub const WRITERS: &[WriterPlan] = &[
    writer(0, SAFE, Shape::Keyed, Verb::Send, 250, 300),
    writer(0, SAFE, Shape::Keyless, Verb::Send, 250, 300),
    writer(0, SAFE, Shape::Explicit, Verb::Send, 250, 300),
    writer(0, SAFE, Shape::Keyless, Verb::Many, 400, 200),
    writer(0, GROWING, Shape::Keyed, Verb::Send, 150, 200),
    writer(0, UNCLEAN, Shape::Explicit, Verb::Send, 100, 200),
    writer(0, SINGLE, Shape::Explicit, Verb::Send, 100, 200),
    writer(1, SAFE, Shape::Keyless, Verb::Send, 150, 4000),
    writer(1, SINGLE, Shape::Keyless, Verb::Many, 150, 1000),
    writer(1, SAFE, Shape::Explicit, Verb::Many, 100, 1000),
    writer(2, SAFE, Shape::Keyless, Verb::TaskWait, 60, 300),
    writer(2, SAFE, Shape::Keyed, Verb::TaskWait, 60, 300),
    writer(2, SAFE, Shape::Keyed, Verb::TaskSend, 150, 300),
    writer(2, SINGLE, Shape::Keyed, Verb::TaskSend, 80, 300),
    writer(2, GROWING, Shape::Keyed, Verb::TaskSend, 120, 200),
    writer(2, GROWING, Shape::Keyless, Verb::Wait, 40, 200),
    writer(3, SAFE, Shape::Explicit, Verb::Send, 150, 300),
    writer(3, GROWING, Shape::Keyed, Verb::Many, 150, 200),
    writer(3, SINGLE, Shape::Keyless, Verb::TaskSend, 80, 200),
    writer(3, UNCLEAN, Shape::Keyed, Verb::Send, 80, 200),
    writer(4, REBORN, Shape::Keyed, Verb::Send, 120, 200),
    writer(4, REBORN, Shape::Keyless, Verb::TaskSend, 100, 200),
    writer(4, REBORN, Shape::Explicit, Verb::Send, 80, 200),
    writer(5, OLD, Shape::Keyed, Verb::Send, 80, 200),
    writer(5, OLD, Shape::Explicit, Verb::TaskWait, 40, 200),
    writer(5, SAFE, Shape::Keyless, Verb::Wait, 30, 200),
    writer(6, WEAK, Shape::Keyed, Verb::Send, 120, 200),
    writer(7, WEAK, Shape::Explicit, Verb::Send, 120, 200),
    writer(8, WEAK, Shape::Keyless, Verb::Many, 120, 200),
];

/// What a writer's producer promises.
pub fn promise_of(writer: usize) -> Promise {
    PRODUCERS[WRITERS[writer].producer].promise()
}

/// The codec of a producer in a run with this seed; all codecs take part in every run.
pub fn codec_of(producer: usize, seed: u64) -> CompressionType {
    const ALL: [CompressionType; 5] = [
        CompressionType::None,
        CompressionType::Gzip,
        CompressionType::Snappy,
        CompressionType::Lz4,
        CompressionType::Zstd,
    ];
    ALL[(producer + (seed % 5) as usize) % 5]
}
