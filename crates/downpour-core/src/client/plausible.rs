//! Whether a Metadata answer can be true, and is of a size that a client should keep. One that
//! cannot is not taken in at all: what else it says would be a guess.
//!
//! What is only odd is passed over where it is read, in `cluster`: a partition numbered beyond the
//! count, which a cluster with ZooKeeper shows while another one of its topic has never had a leader.

use std::collections::{BTreeSet, HashSet};

use downpour_wire::messages::{MetadataResponse, MetadataTopic};

/// Brokers of one answer. It is librdkafka's limit too.
pub(super) const BROKERS_MAX: usize = 10_000;

/// Partitions of one topic. It is librdkafka's limit too; each that is kept costs memory for good.
pub(super) const PARTITIONS_MAX: usize = 100_000;

/// Bytes of a broker's host; a name of the Internet has 253 at most.
const HOST_MAX: usize = 1024;

/// Says what is wrong with an answer, in words that follow the broker's address.
pub(crate) fn implausible(response: &MetadataResponse) -> Option<String> {
    let count = response.brokers.len();
    if count > BROKERS_MAX {
        return Some(format!(
            "its metadata names {count} brokers, more than {BROKERS_MAX}"
        ));
    }
    let mut ids = BTreeSet::new();
    for broker in &response.brokers {
        let id = broker.node_id;
        if id < 0 {
            return Some(format!("its metadata names a broker {id}"));
        }
        if !ids.insert(id) {
            return Some(format!("its metadata names broker {id} twice"));
        }
        let len = broker.host.len();
        if len > HOST_MAX {
            return Some(format!(
                "its metadata says that broker {id} has a host of {len} bytes"
            ));
        }
    }
    let mut names = HashSet::with_capacity(response.topics.len());
    for topic in &response.topics {
        // Without a name it answers to an id, and nobody asks by one.
        if let Some(name) = &topic.name {
            if !names.insert(name.as_str()) {
                return Some(format!("its metadata names topic {name} twice"));
            }
        }
        if let Some(what) = implausible_partitions(topic) {
            let name = topic.name.as_deref().unwrap_or_default();
            return Some(format!("its metadata says that topic {name} has {what}"));
        }
    }
    None
}

fn implausible_partitions(topic: &MetadataTopic) -> Option<String> {
    let count = topic.partitions.len();
    if count > PARTITIONS_MAX {
        return Some(format!("{count} partitions, more than {PARTITIONS_MAX}"));
    }
    let mut seen = vec![false; count];
    for partition in &topic.partitions {
        let index = partition.partition_index;
        let Ok(at) = usize::try_from(index) else {
            return Some(format!("a partition {index}"));
        };
        if let Some(seen) = seen.get_mut(at) {
            if std::mem::replace(seen, true) {
                return Some(format!("a partition {index} twice"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use downpour_wire::messages::{MetadataBroker, MetadataPartition};

    use super::*;

    fn broker(node_id: i32) -> MetadataBroker {
        MetadataBroker {
            node_id,
            ..MetadataBroker::default()
        }
    }

    fn topic(name: &str, partitions: impl IntoIterator<Item = i32>) -> MetadataTopic {
        let partitions = partitions.into_iter().map(|index| MetadataPartition {
            partition_index: index,
            ..MetadataPartition::default()
        });
        MetadataTopic {
            name: Some(name.to_owned()),
            partitions: partitions.collect(),
            ..MetadataTopic::default()
        }
    }

    fn said(brokers: Vec<MetadataBroker>, topics: Vec<MetadataTopic>) -> Option<String> {
        implausible(&MetadataResponse {
            brokers,
            topics,
            ..MetadataResponse::default()
        })
    }

    #[test]
    #[cfg_attr(miri, ignore = "a hundred thousand of something")]
    fn what_cannot_be_is_said() {
        let many = |count| (0..count).map(broker).collect();
        let mut endless = broker(3);
        endless.host = "h".repeat(1025);
        for (brokers, topics, what) in [
            (many(10_001), vec![], "10001 brokers, more than 10000"),
            (vec![broker(-1)], vec![], "a broker -1"),
            (vec![broker(5), broker(5)], vec![], "broker 5 twice"),
            (vec![endless], vec![], "broker 3 has a host of 1025 bytes"),
            (
                many(1),
                vec![topic("t", [0]), topic("u", [0]), topic("t", [0])],
                "names topic t twice",
            ),
            (many(1), vec![topic("t", [0, -7])], "t has a partition -7"),
            (
                many(1),
                vec![topic("t", [1, 0, 1])],
                "t has a partition 1 twice",
            ),
            (
                many(1),
                vec![topic("t", 0..100_001)],
                "t has 100001 partitions, more than 100000",
            ),
        ] {
            let said = said(brokers, topics);
            assert!(
                said.as_ref().is_some_and(|it| it.contains(what)),
                "{said:?}"
            );
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "a hundred thousand of something")]
    fn what_is_large_or_odd_and_can_be_is_let_through() {
        let unnamed = || MetadataTopic {
            name: None,
            ..MetadataTopic::default()
        };
        let topics = vec![
            topic("t", (0..100_000).rev()),
            topic("with a hole", [0, 1, 3]),
            topic("none", []),
            unnamed(),
            unnamed(),
        ];
        assert_eq!(said((0..10_000).map(broker).collect(), topics), None);
    }
}
