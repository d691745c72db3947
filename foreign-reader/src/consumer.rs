//! librdkafka's consumer, set to read a topic once from its beginning. What is made of its
//! records is decided in `lib` and `count`.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// How long one answer of the cluster may take.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A consumer that checks checksums and tells where partitions end.
pub(crate) fn open(bootstrap: &str, is_committed: bool) -> Result<BaseConsumer, String> {
    let isolation = if is_committed {
        "read_committed"
    } else {
        "read_uncommitted"
    };
    ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "foreign-reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("check.crcs", "true")
        .set("isolation.level", isolation)
        // Nothing more comes at the end of a partition, and that is all it would wait for.
        .set("fetch.wait.max.ms", "10")
        .create()
        .map_err(|error| error.to_string())
}

/// The partitions of a topic, of which there is at least one.
pub(crate) fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<BTreeSet<i32>, String> {
    let metadata = consumer
        .fetch_metadata(Some(topic), ANSWER_WITHIN)
        .map_err(|error| error.to_string())?;
    let partitions: BTreeSet<i32> = metadata
        .topics()
        .iter()
        .filter(|known| known.name() == topic)
        .flat_map(|known| known.partitions().iter().map(|partition| partition.id()))
        .collect();
    if partitions.is_empty() {
        return Err(format!("{topic} has no partitions"));
    }
    Ok(partitions)
}

/// Reads these partitions from their beginning.
pub(crate) fn assign(
    consumer: &BaseConsumer,
    topic: &str,
    partitions: &BTreeSet<i32>,
) -> Result<(), String> {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(topic, *partition, Offset::Beginning)
            .map_err(|error| error.to_string())?;
    }
    consumer.assign(&list).map_err(|error| error.to_string())
}
