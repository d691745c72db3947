//! Connections between the engine and the cluster: what was written on each, how much of that has left,
//! and which requests a broker can read.

use std::collections::{BTreeMap, VecDeque};

use downpour_core::ids::ConnectionId;
use downpour_wire::header::RequestHeader;
use downpour_wire::messages::{ApiKey, Decode, ProduceRequest};
use downpour_wire::primitives::Reader;

use super::cluster::{Carried, Cluster};
use crate::model::log::Came;

/// A request as a broker sees it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) header: RequestHeader,
    pub(super) body: Vec<u8>,
    /// What it brings, if it is Produce.
    pub(super) carried: Vec<Carried>,
    begins_at: u64,
    ends_at: u64,
    pub(super) is_spent: bool,
}

impl Asked {
    pub(super) fn api(&self) -> ApiKey {
        ApiKey::try_from(self.header.api_key).expect("a request that core makes")
    }

    pub(super) fn read<M: Decode>(&self) -> M {
        M::decode(&mut Reader::new(&self.body), self.header.api_version)
            .expect("a request that core made")
    }
}

#[derive(Debug, Default)]
pub(super) struct Connection {
    /// The broker at its other end.
    pub(super) broker: i32,
    pub(super) is_open: bool,
    pub(super) asked: VecDeque<Asked>,
    queued: u64,
    pub(super) left: u64,
}

impl Connection {
    /// One to this broker that is not open yet.
    pub(super) fn to(broker: i32) -> Self {
        Self {
            broker,
            ..Self::default()
        }
    }

    /// Takes a frame that the engine wrote.
    pub(super) fn write(&mut self, frame: &[u8], cluster: &Cluster) {
        let begins_at = self.queued;
        self.queued += frame.len() as u64;
        let (len, rest) = frame.split_first_chunk::<4>().expect("a whole frame");
        assert_eq!(i32::from_be_bytes(*len) as usize, rest.len());
        let mut reader = Reader::new(rest);
        let header = RequestHeader::decode(&mut reader).expect("a header that core wrote");
        let mut asked = Asked {
            header,
            body: reader.rest().to_vec(),
            carried: Vec::new(),
            begins_at,
            ends_at: self.queued,
            is_spent: false,
        };
        if asked.api() == ApiKey::Produce {
            let request: ProduceRequest = asked.read();
            for topic in &request.topics {
                let number = cluster.number_of(&topic.name, topic.topic_id);
                for partition in &topic.partitions {
                    let records = partition.records.as_deref();
                    asked.carried.push(Carried {
                        topic: number,
                        id: topic.name.is_empty().then_some(topic.topic_id),
                        index: partition.index as usize,
                        came: Came::read(records.expect("a partition with records")),
                    });
                }
            }
            assert!(!asked.carried.is_empty(), "a request without a batch");
        }
        self.asked.push_back(asked);
    }

    /// The kernel takes so much more; what has left now.
    pub(super) fn leave(&mut self, bytes: u64) -> u64 {
        self.left = self.queued.min(self.left.saturating_add(bytes));
        self.left
    }

    /// Whether anything waits for the kernel.
    pub(super) fn is_congested(&self) -> bool {
        self.left < self.queued
    }

    /// The requests of which something has left.
    pub(super) fn begun(&mut self) -> impl Iterator<Item = &mut Asked> {
        let left = self.left;
        let begun = move |asked: &&mut Asked| asked.begins_at < left;
        self.asked.iter_mut().filter(begun)
    }

    /// Whether the first request is there whole.
    pub(super) fn is_readable(&self) -> bool {
        let first = self.asked.front();
        self.is_open && first.is_some_and(|asked| asked.ends_at <= self.left)
    }

    /// Takes what has left whole; it is read though the connection ended.
    pub(super) fn into_whole(self) -> impl Iterator<Item = Asked> {
        let left = self.left;
        let whole = move |asked: &Asked| asked.ends_at <= left;
        self.asked.into_iter().filter(whole)
    }
}

/// All connections.
pub(super) type Connections = BTreeMap<ConnectionId, Connection>;
