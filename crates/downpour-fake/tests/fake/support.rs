//! Building requests and reading answers. No assertions about the fake's behaviour.

use std::time::Duration;

use downpour_fake::ErrorCode;
use downpour_fake::logic::{Cluster, Reaction};
use downpour_wire::batch::{BatchBuilder, Stamp};
use downpour_wire::codec::{Compression, CompressionType, Compressor};
use downpour_wire::header::{decode_response, encode_request};
use downpour_wire::messages::{
    PartitionProduceResponse, ProducePartition, ProduceRequest, ProduceResponse, ProduceTopic,
    Request,
};
use downpour_wire::primitives::Uuid;
use downpour_wire::record::RecordRef;

pub(crate) const T0: Duration = Duration::ZERO;

/// A batch of these values, with the values as keys too.
pub(crate) fn batch_as(stamp: &Stamp, codec: CompressionType, values: &[&str]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(64 << 10));
    for value in values {
        let record = RecordRef {
            key: Some(value.as_bytes()),
            value: Some(value.as_bytes()),
            headers: &[],
            timestamp: 1_700_000_000_000,
        };
        builder.try_append(&record).expect("the chunk is large");
    }
    let body = builder
        .seal(Compression::new(codec), &mut Compressor::new())
        .map_err(|error| error.kind)
        .expect("the codec is compiled in");
    body.to_vec(stamp)
}

pub(crate) fn batch(values: &[&str]) -> Vec<u8> {
    batch_as(&Stamp::NONE, CompressionType::None, values)
}

/// A batch of `count` records by producer 7.
pub(crate) fn stamped(epoch: i16, sequence: i32, count: usize) -> Vec<u8> {
    let stamp = Stamp {
        producer_id: 7,
        producer_epoch: epoch,
        base_sequence: sequence,
        transactional: false,
    };
    batch_as(&stamp, CompressionType::None, &vec!["value"; count])
}

/// Makes the checksum right again after a test has changed something behind it.
pub(crate) fn reseal(batch: &mut [u8]) {
    let crc = downpour_wire::crc::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

pub(crate) fn produce_request(
    acks: i16,
    topic: &str,
    partition: i32,
    batch: Vec<u8>,
) -> ProduceRequest {
    ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: 1000,
        topics: vec![ProduceTopic {
            name: topic.to_owned(),
            topic_id: Uuid::ZERO,
            partitions: vec![ProducePartition {
                index: partition,
                records: Some(batch),
            }],
        }],
    }
}

/// A frame without its length, as `handle` wants it.
pub(crate) fn frame<R: Request>(request: &R, version: i16, correlation_id: i32) -> Vec<u8> {
    encode_request(request, version, correlation_id, "test").expect("a sound request")[4..].to_vec()
}

/// Reads an answer, checking length and correlation id.
pub(crate) fn read<R: Request>(answer: &[u8], version: i16, correlation_id: i32) -> R::Response {
    let length = i32::from_be_bytes(answer[..4].try_into().expect("four bytes"));
    assert_eq!(length as usize, answer.len() - 4);
    let (id, response) = decode_response::<R>(&answer[4..], version).expect("a sound answer");
    assert_eq!(id, correlation_id);
    response
}

/// Asks broker `node` on connection 1 and reads the answer, which there must be.
pub(crate) fn ask<R: Request>(
    cluster: &mut Cluster,
    node: i32,
    request: &R,
    version: i16,
) -> R::Response {
    let reaction = cluster.handle(T0, node, 1, &frame(request, version, 42));
    read::<R>(&reaction.answer.expect("an answer"), version, 42)
}

/// Produces to the partition's leader in version 9 with acks=all.
pub(crate) fn produce(
    cluster: &mut Cluster,
    topic: &str,
    partition: i32,
    batch: Vec<u8>,
) -> PartitionProduceResponse {
    let node = cluster.leader(topic, partition);
    produce_to(cluster, node, 9, topic, partition, batch)
}

pub(crate) fn produce_to(
    cluster: &mut Cluster,
    node: i32,
    version: i16,
    topic: &str,
    partition: i32,
    batch: Vec<u8>,
) -> PartitionProduceResponse {
    let mut request = produce_request(-1, topic, partition, batch);
    if version >= 13 {
        request.topics[0].topic_id = cluster.topic_id(topic).unwrap_or(Uuid([9; 16]));
        request.topics[0].name.clear();
    }
    only(ask(cluster, node, &request, version))
}

/// The one partition of an answer.
pub(crate) fn only(mut response: ProduceResponse) -> PartitionProduceResponse {
    assert_eq!(response.topics.len(), 1, "{response:?}");
    assert_eq!(response.topics[0].partitions.len(), 1, "{response:?}");
    response.topics[0].partitions.remove(0)
}

/// Hands a Produce request for partition 0 of `events` to broker 1 and returns the bare reaction.
pub(crate) fn react(cluster: &mut Cluster, batch: Vec<u8>) -> Reaction {
    cluster.handle(
        T0,
        1,
        1,
        &frame(&produce_request(-1, "events", 0, batch), 9, 42),
    )
}

pub(crate) fn values(cluster: &Cluster, topic: &str, partition: i32) -> Vec<String> {
    cluster
        .records(topic, partition)
        .iter()
        .filter_map(|record| record.value_str())
        .collect()
}

/// One broker and one topic `events` of two partitions.
pub(crate) fn one_broker() -> Cluster {
    let mut cluster = Cluster::new(1, downpour_fake::KafkaVersion::V4_3);
    cluster.create_topic("events", 2);
    cluster
}

/// Three brokers and one topic `events` of three partitions.
pub(crate) fn three_brokers() -> Cluster {
    let mut cluster = Cluster::new(3, downpour_fake::KafkaVersion::V4_3);
    cluster.create_topic("events", 3);
    cluster
}

pub(crate) const OK: ErrorCode = ErrorCode::NONE;

/// Waits until something holds, but not forever.
#[track_caller]
pub(crate) fn eventually(so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !so() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it never came to be"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}
