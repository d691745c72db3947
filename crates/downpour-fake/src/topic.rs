//! How a test describes a topic that the fake should have. The living topic is `logic::state`'s.

use std::time::Duration;

/// A topic's settings. A plain number of partitions turns into one.
///
/// ```
/// use downpour_fake::TopicSpec;
///
/// let plain = TopicSpec::from(6);
/// let strict = TopicSpec::new(6).min_insync_replicas(2).compacted(true);
/// assert_ne!(plain, strict);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicSpec {
    pub(crate) partitions: i32,
    pub(crate) replication: Option<i16>,
    pub(crate) min_insync_replicas: usize,
    pub(crate) max_message_bytes: Option<usize>,
    pub(crate) compacted: bool,
    pub(crate) log_append_time: bool,
    pub(crate) timestamp_before_max: Option<Duration>,
    pub(crate) timestamp_after_max: Option<Duration>,
    pub(crate) discard: bool,
}

impl TopicSpec {
    /// A topic of that many partitions (at least 1), replicated to three brokers, or to all if there
    /// are fewer.
    #[must_use]
    pub const fn new(partitions: i32) -> Self {
        Self {
            partitions,
            replication: None,
            min_insync_replicas: 1,
            max_message_bytes: None,
            compacted: false,
            log_append_time: false,
            timestamp_before_max: None,
            timestamp_after_max: None,
            discard: false,
        }
    }

    /// How many brokers hold each partition. Default: three, or all if there are fewer.
    #[must_use]
    pub const fn replication(mut self, brokers: i16) -> Self {
        self.replication = Some(brokers);
        self
    }

    /// With fewer living replicas than this, or than the topic has at all, acks=all is answered
    /// NOT_ENOUGH_REPLICAS. Default: 1.
    #[must_use]
    pub const fn min_insync_replicas(mut self, replicas: usize) -> Self {
        self.min_insync_replicas = replicas;
        self
    }

    /// The largest batch in bytes, as it comes over the wire. Default: the cluster's.
    #[must_use]
    pub const fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = Some(bytes);
        self
    }

    /// A compacted topic refuses records without a key. Nothing is ever compacted away. Default:
    /// false.
    #[must_use]
    pub const fn compacted(mut self, compacted: bool) -> Self {
        self.compacted = compacted;
        self
    }

    /// Stamps every batch with the broker's time instead of keeping the producer's timestamps.
    /// Default: false.
    #[must_use]
    pub const fn log_append_time(mut self, log_append_time: bool) -> Self {
        self.log_append_time = log_append_time;
        self
    }

    /// Refuses records that are older than this by the broker's clock, with INVALID_TIMESTAMP
    /// (`message.timestamp.before.max.ms`). Default: none is too old.
    #[must_use]
    pub const fn timestamp_before_max(mut self, time: Duration) -> Self {
        self.timestamp_before_max = Some(time);
        self
    }

    /// Refuses records that are further ahead of the broker's clock than this, with
    /// INVALID_TIMESTAMP (`message.timestamp.after.max.ms`). Default, as Kafka's: an hour with
    /// [`KafkaVersion::V4_3`](crate::KafkaVersion::V4_3) if the cluster was told the hour, no limit
    /// with older ones.
    #[must_use]
    pub const fn timestamp_after_max(mut self, time: Duration) -> Self {
        self.timestamp_after_max = Some(time);
        self
    }

    /// Judges batches, gives them offsets and forgets their bytes: for long runs, whose records
    /// would fill the memory. Nothing can be read. Default: false.
    #[must_use]
    pub const fn discard(mut self, discard: bool) -> Self {
        self.discard = discard;
        self
    }
}

impl From<i32> for TopicSpec {
    fn from(partitions: i32) -> Self {
        Self::new(partitions)
    }
}
